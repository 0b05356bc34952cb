/** @module A task that waits for a file. */
import type { TriggerRule } from "../model/dag_spec.ts";
import { limits } from "../base/limits.ts";
import { currentDag } from "./builder.ts";
import type { RunFacts } from "./context.ts";
import { type Duration, durationMs } from "./duration.ts";
import { FinalError } from "./operator.ts";
import type { InputArgs, TaskRef } from "./ref.ts";
import type { Patience } from "./sensor.ts";
import type { FunctionTaskOptions } from "./task.ts";
import { triggers } from "./triggers.ts";
import { declareWait } from "./wait.ts";

/** Options of {@link waitForFile}. */
export interface WaitForFileOptions<Args, Rule extends TriggerRule>
  extends FunctionTaskOptions<Args, Rule>, Patience {
  /** An absolute path: the folder, which the task may read. */
  folder: string;
  /** The file's name in it, e.g. `({ interval }) => interval.date + ".csv"`. */
  name: (facts: RunFacts) => string;
  /** Time from one look to the next, 1 second or more; 1 minute. */
  every?: Duration;
}

/**
 * Declare a task that waits until a file is there, where the triggers service sees it. It goes on as
 * soon as a file has that name, so whoever drops it should write it under another one and rename it.
 */
export function waitForFile<
  const Args extends InputArgs = Record<never, never>,
  const Rule extends TriggerRule = "all_success",
>(options: WaitForFileOptions<Args, Rule>): TaskRef<boolean> {
  const { folder, name, permissions, every = { minutes: 1 }, ...rest } = options;
  const dag = currentDag(`wait "${options?.id}"`);
  if (typeof folder !== "string" || !folder.startsWith("/") || typeof name !== "function") {
    throw dag.broken(
      `wait "${options.id}" needs an absolute "folder" and "name: (facts) => string"`,
    );
  }
  if (durationMs(every, `"every" of wait "${options.id}"`) < limits.sensorEveryMsMin) {
    throw dag.broken(
      `wait "${options.id}" looks every ${durationMs(every, "every")} ms; ` +
        `give ${limits.sensorEveryMsMin} or more`,
    );
  }
  const read = [...permissions?.read ?? [], folder];
  const pathOf = (facts: RunFacts) => `${folder.replace(/\/$/, "")}/${checkedName(name(facts))}`;
  function checkedName(given: string): string {
    if (given !== "" && !given.startsWith("/") && !given.split("/").includes("..")) return given;
    throw new FinalError(`Cannot wait for "${given}": give the name of a file in ${folder}`);
  }
  return declareWait("wait_for_file", { ...rest, permissions: { ...permissions, read } }, {
    isThere: (ctx) => isFile(pathOf(ctx)),
    trigger: (ctx) => triggers.file(pathOf(ctx), { every }),
  });
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
