/**
 * @module The batch manager: gives planned dates of backfills their runs as there is room, brings
 * cascades on, and does bulk jobs. Any number of them may run: each step holds what it changes, and one that is killed
 * leaves nothing half done.
 */
import type { Clock } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import type { Logger } from "../../base/log.ts";
import type { Health, Service } from "../../base/service.ts";
import type { Metrics } from "../../metrics/registry.ts";
import { messageOf } from "../../model/errors.ts";
import type { BackfillStore } from "../../store/backfill_port.ts";
import type { Hint } from "../../store/port.ts";

/** What {@link batchManager} is made of. */
export interface BatchManagerParts {
  backfills: BackfillStore;
  /** Does the next items of bulk jobs; how many there were. */
  workBulk(now: Date): Promise<number>;
  isBulkOpen(): Promise<boolean>;
  /** Brings cascades one step on. */
  stepCascades(now: Date): Promise<void>;
  /** Wakes it up; losing one costs a pause at most. */
  listen(onHint: (hint: Hint) => void): () => void;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
}

/** The batch manager; `runOnce` is one look, for tests. */
export interface BatchManager extends Service {
  /** Do all that can be done now; resolves to whether something is under way. */
  runOnce(): Promise<boolean>;
}

/** Make it. */
export function batchManager(parts: BatchManagerParts): BatchManager {
  const { backfills, clock, log, metrics } = parts;
  let stopping: AbortController | null = null;
  let running: Promise<void> = Promise.resolve();
  let waking: AbortController | null = null;
  let stopListening = () => {};
  let hasLooked = false;
  let error: string | null = null;

  async function runOnce(): Promise<boolean> {
    while (await parts.workBulk(clock.now()) > 0);
    await parts.stepCascades(clock.now());
    for (;;) {
      const { settled, runs } = await backfills.fill({}, clock.now());
      metrics.inc("tidewheel_dagrun_created_total", { run_type: "backfill" }, runs);
      if (settled === 0) break;
    }
    if (await backfills.complete(clock.now()) > 0) await parts.stepCascades(clock.now());
    return await backfills.isBusy() || await parts.isBulkOpen();
  }

  async function loop(signal: AbortSignal) {
    while (!signal.aborted) {
      waking = new AbortController();
      let isBusy = true;
      try {
        isBusy = await runOnce();
        error = null;
      } catch (failure) {
        error = messageOf(failure);
        log.error("A look of the batch manager failed; it looks again", { error });
      }
      hasLooked = true;
      await clock.sleep(isBusy ? limits.batchLookMs : limits.batchIdleMs, {
        signal: AbortSignal.any([signal, waking.signal]),
      });
    }
  }

  return {
    name: "batch-manager",
    start() {
      if (stopping) return Promise.resolve();
      stopping = new AbortController();
      stopListening = parts.listen(({ topic }) => {
        if (topic === "dags") waking?.abort();
      });
      running = loop(stopping.signal);
      return Promise.resolve();
    },
    async stop() {
      stopListening();
      stopping?.abort();
      stopping = null;
      await running;
    },
    health(): Health {
      return {
        started: hasLooked,
        ready: hasLooked && error === null,
        ...(error === null ? {} : { detail: { error } }),
      };
    },
    runOnce,
  };
}
