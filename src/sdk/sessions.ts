/** @module Trading time as a schedule. */
import type { SessionEdge, SessionsSpec } from "../model/schedule_spec.ts";
import { type CalendarOption, calendarsOf } from "./calendar.ts";
import { type Duration, durationMs } from "./duration.ts";
import { type Schedule, scheduleBrand } from "./schedule.ts";

/** Longest time between a session and its run. */
const OFFSET_DAYS_MAX = 7;

/** Options of {@link sessions}. */
export interface SessionsOptions {
  /** The run is due at this edge of the session, or `by` before it. */
  before?: SessionEdge;
  /** The run is due at this edge of the session, or `by` after it; `"close"`. */
  after?: SessionEdge;
  by?: Duration;
  /** A run for each stretch of this length during the session, due at its end and `by` after it. */
  every?: Duration;
  /** Only the nth session of the month; -1: the last one. */
  nth?: number;
  /** Of several calendars: `"all"` (the default) or `"any"` of them must be open. */
  open?: "all" | "any";
  /** The data interval: `"session"`, the default, or the `"previous"` one. */
  interval?: "session" | "previous";
}

/**
 * A run for each session of an exchange (by MIC), of another calendar (`"TARGET"`, `"SIFMA"`,
 * `"24x7"`), or of one's own ({@link calendar}): its data interval is the session. Several calendars are one: a day counts when all of
 * them are open, from the first open to the last close. Throws RangeError for what cannot be.
 *
 * @example
 * ```ts
 * import { dag, sessions, task } from "tidewheel";
 *
 * export default dag(
 *   { id: "closes", schedule: sessions("XNYS", { after: "close", by: { minutes: 45 } }) },
 *   () => {
 *     task({ id: "greet" }, (ctx) => `closing prices of ${ctx.interval.date}`);
 *   },
 * );
 * ```
 */
export function sessions(
  calendar: CalendarOption | readonly CalendarOption[],
  options: SessionsOptions = {},
): Schedule {
  const { before, after, by, every, nth, open = "all", interval = "session" } = options;
  const { names: calendars, own } = calendarsOf(calendar, "sessions()");
  if (calendars.length === 0) throw new RangeError("sessions() names no calendar; give a MIC");
  if (before !== undefined && (after !== undefined || every !== undefined)) {
    throw new RangeError("sessions() takes one of before, after and every");
  }
  if (every !== undefined && (after !== undefined || interval === "previous")) {
    throw new RangeError("sessions() with every has stretches of the session; leave the rest out");
  }
  if (nth !== undefined && (!Number.isInteger(nth) || nth === 0 || Math.abs(nth) > 23)) {
    throw new RangeError(`sessions() has nth: ${nth}; give 1 to 23, or -1 to -23 from the end`);
  }
  const offsetMs = by === undefined ? 0 : durationMs(by, "sessions() by");
  if (offsetMs > OFFSET_DAYS_MAX * 86_400_000) {
    throw new RangeError(`sessions() has by above ${OFFSET_DAYS_MAX} days; give less`);
  }
  const everyMs = every === undefined ? null : durationMs(every, "sessions() every");
  if (everyMs !== null && everyMs < 1000) {
    throw new RangeError("sessions() has every below 1 second; give more");
  }
  return {
    [scheduleBrand]: true,
    spec: (): SessionsSpec => ({
      ...(own ? { own } : {}),
      ...{ kind: "sessions", calendars, open, edge: before ?? after ?? "close" },
      ...{ offsetMs: before === undefined || offsetMs === 0 ? offsetMs : -offsetMs, everyMs },
      ...{ nth: nth ?? null, interval },
    }),
  };
}
