/** @module A raw file as plain bytes: unpacked, and, where it is text, as UTF-8. */
import { join } from "node:path";
import { AppError } from "../../../src/model/errors.ts";
import type { Format, SourceFile } from "../formats/format.ts";
import { formatNamed } from "../formats/mod.ts";
import type { FormatName } from "../formats/names.ts";
import { recogniseBinary, recogniseText, type Recognition } from "../formats/recognise.ts";
import { declaredEncoding } from "./declared.ts";
import { byMark, detectEncoding, type EncodingFinding } from "./detect.ts";
import { encodingNamed, findEncoding } from "./encodings.ts";
import { type Evidence, gatherEvidence } from "./evidence.ts";
import { readUpTo, stretchesOf } from "./sample.ts";
import { transcode } from "./transcode.ts";
import { checkUtf8 } from "./utf8.ts";

/** First bytes that formats are told by. */
export const headBytes = 64 * 1024;

/** How to prepare a file. */
export interface PrepareOptions {
  /** `auto`: by its content. */
  format: "auto" | FormatName;
  /** Encoding of a text; left out, it is found out. A byte order mark outweighs it. */
  encoding?: string;
  /** Where an unpacked copy goes. */
  tempPath(extension: string): string;
  signal: AbortSignal;
}

/** A file that can be read. */
export interface PreparedFile {
  file: SourceFile;
  format: Format;
  /** Null when the format was named. */
  recognition: Recognition | null;
}

/**
 * What to read instead of the file at `path`; null when it is empty. Throws CORRUPT where it cannot
 * be unpacked or decoded, INVALID when nothing says what it is.
 */
export async function prepareFile(
  path: string,
  name: string,
  options: PrepareOptions,
): Promise<PreparedFile | null> {
  const raw = await unpackFile(path, name, options);
  const { size } = await Deno.stat(raw.path);
  if (size === 0) return null;
  const head = await readHead(raw.path);
  const named = options.format === "auto" ? null : formatNamed(options.format);
  const file = {
    path: raw.path,
    name,
    bytes: size,
    isAsCollected: raw.path === path,
    compression: raw.compression,
    encoding: null,
  };
  if (named?.content === "binary") return { file, format: named, recognition: null };
  const binary = named ? null : recogniseBinary(head, name);
  if (binary && binary.confidence >= sureOfBinary) {
    return { file, format: formatNamed(binary.format), recognition: binary };
  }
  const { evidence, encoding } = await findEncodingOf(raw.path, name, options);
  const recognition = named ? null : recogniseText(utf8Head(evidence.head, encoding), name);
  if (binary && binary.confidence > (recognition?.confidence ?? 1)) {
    return { file, format: formatNamed(binary.format), recognition: binary };
  }
  const format = named ?? formatNamed(recognition!.format);
  return { file: await decodeFile(file, format, encoding, options), format, recognition };
}

/** A binary format that is this sure is not asked whether it could be a text. */
const sureOfBinary = 0.9;

async function unpackFile(
  path: string,
  name: string,
  { tempPath, signal }: PrepareOptions,
): Promise<{ path: string; compression: SourceFile["compression"] }> {
  const head = await readHead(path, 4);
  if (head[0] === 0x50 && head[1] === 0x4b && head[2] === 3) {
    throw new AppError("INVALID", `Cannot read ${name}: it is a ZIP archive; collect its members`);
  }
  if (head[0] !== 0x1f || head[1] !== 0x8b) return { path, compression: null };
  const plain = tempPath("plain");
  using input = await Deno.open(path);
  try {
    await Deno.writeFile(plain, input.readable.pipeThrough(new DecompressionStream("gzip")), {
      createNew: true,
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof TypeError)) throw error;
    throw new AppError("CORRUPT", `Cannot read ${name} as gzip: ${error.message}`, {
      cause: error,
    });
  }
  return { path: plain, compression: "gzip" };
}

/** The encoding of a text that is named, or found out. */
async function findEncodingOf(
  path: string,
  name: string,
  { encoding, signal }: PrepareOptions,
): Promise<{ evidence: Evidence; encoding: EncodingFinding }> {
  const named = encoding === undefined ? null : encodingNamed(encoding, name);
  const evidence = await gatherEvidence(stretchesOf(path), signal);
  const marked = byMark(evidence.head);
  const found = marked ??
    (named
      ? { name: named.name, confidence: 1, by: "named" as const, markBytes: 0, runnerUp: null }
      : detectEncoding(evidence, declaredEncoding(evidence.head)));
  return { evidence, encoding: found };
}

/** The beginning of a text as UTF-8, without its mark; lenient, since it is only looked at. */
function utf8Head(head: Uint8Array, { name, markBytes }: EncodingFinding): Uint8Array {
  const plain = head.subarray(markBytes);
  if (name === "utf-8") return plain;
  const text = findEncoding(name)!.decoder(false).decode(plain, { stream: true });
  return new TextEncoder().encode(text);
}

async function decodeFile(
  file: SourceFile,
  format: Format,
  finding: EncodingFinding,
  { tempPath, signal }: PrepareOptions,
): Promise<SourceFile> {
  const keepsBadBytes = format.keepsBadBytes === true;
  if (finding.name === "utf-8") {
    if (!keepsBadBytes) await checkUtf8(file, signal);
    return { ...file, encoding: finding };
  }
  const plain = tempPath("utf8");
  await transcode(file.path, plain, {
    encoding: encodingNamed(finding.name, file.name),
    markBytes: finding.markBytes,
    name: file.name,
    keepsBadBytes,
    signal,
  });
  const { size } = await Deno.stat(plain);
  return { ...file, path: plain, bytes: size, isAsCollected: false, encoding: finding };
}

/** Up to `bytes` first bytes. */
export async function readHead(path: string, bytes = headBytes): Promise<Uint8Array> {
  using file = await Deno.open(path);
  return await readUpTo(file, bytes);
}

/** Gives paths in a folder that no file has yet. */
export function tempPaths(dir: string, prefix: string): (extension: string) => string {
  let next = 0;
  return (extension) => join(dir, `${prefix}-${next++}${extension === "" ? "" : `.${extension}`}`);
}
