/** @module Work that must end, or at least move, within a time. */
import type { Clock } from "../../../src/base/clock.ts";
import { HttpFailure } from "./failure.ts";

/** Run `work` with a signal that aborts when `ms` have passed or `parent` aborts. */
export async function within<T>(
  { clock, ms, parent, what }: { clock: Clock; ms: number; parent: AbortSignal; what: string },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const done = new AbortController();
  const failure = new HttpFailure("retry", `${what} within ${ms} ms`);
  clock.sleep(ms, { signal: done.signal }).then(() => {
    if (!done.signal.aborted) late.abort(failure);
  });
  try {
    return await work(AbortSignal.any([parent, late.signal]));
  } catch (error) {
    if (late.signal.aborted && !parent.aborted) throw failure;
    throw error;
  } finally {
    done.abort();
  }
}

/** Calls `onStall` once when `moved` was not called for `ms`; `stop` ends the watch. */
export function watchStall(
  { clock, ms, onStall }: { clock: Clock; ms: number; onStall: () => void },
): { moved(): void; stop(): void } {
  const stopped = new AbortController();
  let movedAtMs = clock.monotonicMs();
  void watch();
  return {
    moved: () => {
      movedAtMs = clock.monotonicMs();
    },
    stop: () => stopped.abort(),
  };

  async function watch() {
    for (;;) {
      const restMs = movedAtMs + ms - clock.monotonicMs();
      if (restMs <= 0) return onStall();
      await clock.sleep(restMs, { signal: stopped.signal });
      if (stopped.signal.aborted) return;
    }
  }
}
