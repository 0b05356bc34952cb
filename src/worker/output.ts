/** @module Where a task's output goes by its size: inline, into object storage, or nowhere. */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { hasCode, messageOf } from "../model/errors.ts";
import type { ObjectStore } from "../objects/port.ts";
import { type EndVerdict, failedEnd } from "./ending.ts";
import { retryWhileAway } from "./retry_away.ts";

const encoder = new TextEncoder();

/** The verdict with a large output stored; a failure when it is too large or cannot be stored. */
export async function placeOutput(
  verdict: EndVerdict,
  { objects, clock, random, attemptId }: {
    objects: ObjectStore;
    clock: Clock;
    random: Random;
    attemptId: string;
  },
): Promise<EndVerdict> {
  const { outcome } = verdict;
  if (outcome?.kind !== "done" || outcome.output === undefined) return verdict;
  const json = encoder.encode(JSON.stringify(outcome.output));
  if (json.length <= limits.outputInlineBytes) return verdict;
  if (json.length > limits.outputBytes) return tooLarge(json.length);
  const outputKey = `attempts/${attemptId}/output.json`;
  const { output: _, ...rest } = outcome;
  try {
    const signal = new AbortController().signal;
    await retryWhileAway(() => objects.put(outputKey, json), { clock, random, signal });
    return { ...verdict, outcome: rest, outputKey };
  } catch (error) {
    const message = `Cannot store the task's output of ${json.length} bytes: ${messageOf(error)}`;
    return failedEnd("task_error", { message }, hasCode(error, "CONFLICT"));
  }
}

function tooLarge(bytes: number): EndVerdict {
  return failedEnd("invalid_outcome", {
    message:
      `The task's output has ${bytes} bytes of JSON, at most ${limits.outputBytes} can be; ` +
      `put large data into files with ctx.files.put() and return what it gives`,
  });
}
