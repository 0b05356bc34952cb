/** @module A sensor that waits for a file. */
import type { TriggerRule } from "../model/dag_spec.ts";
import { currentDag } from "./builder.ts";
import type { RunFacts } from "./context.ts";
import { FinalError } from "./operator.ts";
import type { InputArgs, TaskRef } from "./ref.ts";
import { sensor, type SensorOptions } from "./sensor.ts";

/** Options of {@link waitForFile}. */
export interface WaitForFileOptions<Args, Rule extends TriggerRule>
  extends SensorOptions<Args, Rule> {
  /** An absolute path: the folder, which the task may read. */
  folder: string;
  /** The file's name in it, e.g. `({ interval }) => interval.date + ".csv"`. */
  name: (facts: RunFacts) => string;
}

/**
 * Declare a {@link sensor} that waits until a file is there. It sees a file as soon as it has its
 * name, so whoever drops it should write it under another one and rename it.
 */
export function waitForFile<
  const Args extends InputArgs = Record<never, never>,
  const Rule extends TriggerRule = "all_success",
>(options: WaitForFileOptions<Args, Rule>): TaskRef<boolean> {
  const { folder, name, permissions, ...rest } = options;
  if (typeof folder !== "string" || !folder.startsWith("/") || typeof name !== "function") {
    throw currentDag(`sensor "${options?.id}"`).broken(
      `sensor "${options.id}" needs an absolute "folder" and "name: (facts) => string"`,
    );
  }
  const read = [...permissions?.read ?? [], folder];
  return sensor<Args, Rule>(
    { ...rest, permissions: { ...permissions, read } } as SensorOptions<Args, Rule>,
    (ctx) => isThere(folder, name(ctx)),
  );
}

async function isThere(folder: string, name: string): Promise<boolean> {
  if (name === "" || name.startsWith("/") || name.split("/").includes("..")) {
    throw new FinalError(`Cannot wait for "${name}": give the name of a file in ${folder}`);
  }
  try {
    return (await Deno.stat(`${folder}/${name}`)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
