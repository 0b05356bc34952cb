/** @module Why a DAG file could not be taken, with the place in the author's own files. */
import type { ImportError } from "./port.ts";

/** A place in a file of the dags folder; line and column from 1. */
export interface Place {
  path: string;
  line: number | null;
  column: number | null;
}

/** Thrown while a DAG file is looked at: an error of its author, to be shown with its place. */
export class DagFileError extends Error {
  override readonly name = "DagFileError";
  constructor(message: string, readonly place: Place) {
    super(message);
  }
}

const CONTEXT_LINES = 2;
const LINE_CHARS_MAX = 160;
const MESSAGE_CHARS_MAX = 4_000;

/** The error to record; `source` is the text of the file in which the place is, if it is known. */
export function importError(message: string, place: Place, source: string | null): ImportError {
  const { path, line, column } = place;
  const frame = source === null || line === null ? null : codeFrame(source, { line, column });
  return { message: message.slice(0, MESSAGE_CHARS_MAX), path, line, column, frame };
}

/**
 * The lines around a place with a marker below it; null when the source has no such line.
 *
 * ```text
 *   3 | const a = 1;
 * > 4 | const b = Deno.env.get("HOME");
 *     |                    ^
 *   5 |
 * ```
 */
export function codeFrame(
  source: string,
  { line, column }: { line: number; column: number | null },
): string | null {
  const lines = source.split(/\r?\n/);
  // After the last newline there is no line, unless the error is said to be there.
  if (lines.at(-1) === "" && line < lines.length) lines.pop();
  if (line < 1 || line > lines.length) return null;
  const first = Math.max(1, line - CONTEXT_LINES);
  const last = Math.min(lines.length, line + CONTEXT_LINES);
  const width = String(last).length;
  const frame: string[] = [];
  for (let at = first; at <= last; at++) {
    const text = lines[at - 1].slice(0, LINE_CHARS_MAX);
    frame.push(`${at === line ? ">" : " "} ${String(at).padStart(width)} | ${text}`.trimEnd());
    if (at === line && column !== null && column <= LINE_CHARS_MAX) {
      // Tabs are kept, so that the marker stands below its column however wide they are.
      const before = lines[at - 1].slice(0, column - 1).replace(/[^\t]/g, " ");
      frame.push(`  ${" ".repeat(width)} | ${before}^`);
    }
  }
  return frame.join("\n");
}

/** An error as a child reports it. */
export interface ThrownError {
  name: string;
  message: string;
  stack: string;
}

/** What an import may not use, in the author's words. */
const permissionWords: Readonly<Record<string, string>> = {
  env: "read the environment",
  net: "use the network",
  read: "read a file outside its bundle",
  write: "write files",
  run: "start processes",
  ffi: "load native libraries",
  sys: "ask about the system",
  import: "import over the network",
};

/** What a thrown error says to the author, and the first place of it that lies in the bundle. */
export function explainThrown(
  { name, message, stack }: ThrownError,
  { file, bundleDir, bundleUrl }: { file: string; bundleDir: string; bundleUrl: string },
): { message: string; place: Place } {
  const text = [message, stack].join("\n");
  const place = placeIn(text, { bundleDir, bundleUrl }) ?? { path: file, line: null, column: null };
  const plain = stripPlaces(
    message.replaceAll(`${bundleUrl}/`, "").replaceAll(`${bundleDir}/`, ""),
  );
  return { message: reword(name, plain), place };
}

function reword(name: string, message: string): string {
  const denied = message.match(/Requires (\w+) access(?: to (?:"([^"]*)"|(\S+)))?/);
  if (denied) {
    const [, kind, quoted, bare] = denied;
    const what = quoted ?? bare?.replace(/[,.]$/, "");
    return `Cannot ${permissionWords[kind] ?? `use ${kind}`}${
      what ? ` ("${what}")` : ""
    } while the ` +
      `file is imported: a DAG file only declares DAGs; do it inside a task`;
  }
  if (message.startsWith("The lockfile is out of date")) {
    const wanted = message.match(/\+.*?"((?:npm|jsr):[^"]+)"/)?.[1];
    return `Cannot import ${
      wanted ? `"${wanted}"` : "a package"
    }: it is not among the npm packages ` +
      `of this DAG file; import it with a literal specifier, so that it gets into the lock`;
  }
  const first = message.trim() === "" ? "without a message" : message.trim();
  return name === "" || name === "Error" || name === "AppError" ? first : `${name}: ${first}`;
}

/**
 * The first `file:///<bundle>/path:line:column` of a text. Stacks show a folder's special characters
 * as they are or encoded.
 */
function placeIn(
  text: string,
  { bundleDir, bundleUrl }: { bundleDir: string; bundleUrl: string },
): Place | null {
  const roots = [bundleUrl, decodeURI(bundleUrl), `file://${bundleDir}`].map(RegExp.escape);
  const found = text.match(new RegExp(`(?:${roots.join("|")})/([^\\n]+?):(\\d+):(\\d+)`));
  if (!found) return null;
  const [, path, line, column] = found;
  return { path: decodedPath(path), line: Number(line), column: Number(column) };
}

function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The place is shown beside the message, not in it. */
function stripPlaces(message: string): string {
  return message.replace(/\n?\s+at (?:file:\/\/)?\S+:\d+:\d+/g, "").trimEnd();
}
