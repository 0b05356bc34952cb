/** @module A DAG of a file, imported into this process. */
import { dirname, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { systemClock } from "../base/clock.ts";
import { AppError, messageOf } from "../model/errors.ts";
import { codeFrame } from "../parser/import_error.ts";
import { type Dag, dagsOf } from "../sdk/mod.ts";
import { checkTiming } from "../timetable/mod.ts";
import { checkSdkVersion } from "./sdk_version.ts";

/** Import a DAG file and choose one of its DAGs; throws DAG_BROKEN or INVALID. */
export async function loadDag(file: string, id: string | undefined) {
  const { module, dags } = await loadDags(file);
  const found = id === undefined ? dags : dags.filter((dag) => dag.id === id);
  if (found.length === 1) return { module, dag: found[0], spec: found[0].spec };
  const names = dags.map((dag) => dag.id).join(", ") || "none";
  throw new AppError(
    "INVALID",
    found.length === 0
      ? `Cannot use ${file}: it exports no DAG${id ? ` "${id}"` : ""} (it exports: ${names})`
      : `Cannot use ${file}: it exports several DAGs; choose one with --dag (${names})`,
  );
}

/** All DAGs of a file; throws DAG_BROKEN, with the place, for a file that cannot be imported. */
export async function loadDags(
  file: string,
): Promise<{ module: Readonly<Record<string, unknown>>; dags: Dag[] }> {
  const path = resolve(file);
  await checkSdkVersion(dirname(path));
  try {
    const module = await import(pathToFileURL(path).href);
    const dags = dagsOf(module);
    for (const { spec } of dags) checkTiming(spec, systemClock.now());
    return { module, dags };
  } catch (error) {
    const { message, stack } = error as Partial<Error>;
    const place = placeIn(`${message ?? ""}\n${stack ?? ""}`, dirname(path));
    const plain = messageOf(error).replace(/\n?\s+at (?:file:\/\/)?\S+:\d+:\d+/g, "");
    throw new AppError(
      "DAG_BROKEN",
      `Cannot import ${file}: ${plain}${place ? `\n${place}` : ""}`,
      { cause: error },
    );
  }
}

/**
 * The first place of a stack that is below a folder, with its lines: what its author can mend. Null
 * when there is none.
 */
export function placeIn(stack: string, folder: string): string | null {
  const root = RegExp.escape(decodeURI(pathToFileURL(folder).href));
  const found = decoded(stack).match(new RegExp(`(${root}/[^\\n]+?):(\\d+):(\\d+)`));
  if (!found) return null;
  const [, url, line, column] = found;
  const path = new URL(url);
  const whole = decodeURIComponent(path.pathname);
  const shown = whole.startsWith(`${Deno.cwd()}/`) ? relative(Deno.cwd(), whole) : whole;
  let frame: string | null = null;
  try {
    const source = Deno.readTextFileSync(path);
    frame = codeFrame(source, { line: Number(line), column: Number(column) });
  } catch {
    // The place alone says enough.
  }
  return `  at ${shown}:${line}:${column}${frame ? `\n${frame}` : ""}`;
}

function decoded(text: string): string {
  try {
    return decodeURI(text);
  } catch {
    return text;
  }
}
