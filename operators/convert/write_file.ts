/** @module Rows into one file of a format, by the engine or behind it. */
import type { TaskContext } from "../../src/sdk/context.ts";
import type { WriteColumn } from "./formats/format.ts";
import { targetNamed } from "./formats/mod.ts";
import type { TargetName } from "./formats/names.ts";

/** What to write, and where: `path` is in the work folder, and nothing is there yet. */
export interface WriteFile {
  relation: string;
  columns: readonly WriteColumn[];
  to: TargetName;
  path: string;
}

/** Write the file. */
export async function writeFile(
  { engine, signal }: Pick<TaskContext, "engine" | "signal">,
  { relation, columns, to, path }: WriteFile,
): Promise<void> {
  const { sql, to: target, encode } = targetNamed(to).write(relation, columns);
  if (!encode) {
    await engine.run(sql, { to: { ...target, path } });
    return;
  }
  const rows = `${path}.rows`;
  await engine.run(sql, { to: { ...target, path: rows } });
  await encode(rows, path, signal);
  await Deno.remove(rows).catch(() => {});
}
