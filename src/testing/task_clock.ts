/** @module The clock that tasks of a local run see: it knows which of them only wait for it. */
import type { Clock } from "../base/clock.ts";
import { currentScope } from "./tape.ts";

/** `clock`, with each attempt's sleeps counted. */
export function taskClock(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    async sleep(ms, options) {
      const scope = currentScope();
      if (!scope) return await clock.sleep(ms, options);
      scope.sleeps++;
      try {
        await clock.sleep(ms, options);
      } finally {
        scope.sleeps--;
      }
    },
  };
}
