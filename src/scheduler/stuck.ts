/** @module Queued tasks that no worker takes. */
import { limits } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import type { EngineState } from "./state.ts";

/**
 * How many instances have been queued for longer than `limits.queuedWarnMs`; says so for each
 * queue. Call it when those that workers hold have just been read: nobody tells of a claim.
 */
export function stuckQueued(state: EngineState, now: Date, log: Logger): number {
  const byQueue = new Map<string, number>();
  for (const run of state.runs.values()) {
    if (run.counts.of("queued") === 0) continue;
    for (const task of run.tasks) {
      if (task.counts.of("queued") === 0) continue;
      const stuck = task.instances.filter(({ state, row }) =>
        state === "queued" && row.queuedAt !== null &&
        now.getTime() - row.queuedAt.getTime() > limits.queuedWarnMs
      ).length;
      const { queue } = task.plan.spec;
      if (stuck > 0) {
        byQueue.set(queue, (byQueue.get(queue) ?? 0) + stuck);
      }
    }
  }
  let all = 0;
  for (const [queue, stuck] of byQueue) {
    all += stuck;
    log.warn("Queued tasks are not taken: no worker serves their queue, or all are busy", {
      queue,
      tasks: stuck,
      waitedMsMin: limits.queuedWarnMs,
    });
  }
  return all;
}
