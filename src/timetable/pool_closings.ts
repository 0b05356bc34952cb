/** @module When a pool gives no slots out: its maintenance windows and blackout dates. */
import type { PoolClosings } from "../model/schedule_spec.ts";
import { quietTimeAt } from "./quiet_time.ts";

/** Is the pool closed at an instant, and when does that change next? Null: it never does. */
export function poolClosingAt(
  closings: PoolClosings,
  atMs: number,
): { isClosed: boolean; changesAtMs: number | null } {
  const maintenance = closings.maintenance.map((window) => ({ ...window, then: "delay" as const }));
  const quiet = quietTimeAt({ ...closings, maintenance }, atMs);
  return quiet
    ? { isClosed: true, changesAtMs: quiet.endMs }
    : { isClosed: false, changesAtMs: nextBeginMs(closings, atMs) };
}

/** The next begin of a window or of a blackout, after an instant. */
function nextBeginMs(
  { timezone, maintenance, blackout }: PoolClosings,
  atMs: number,
): number | null {
  const today = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timezone)
    .toPlainDate();
  const begins = blackout.map(({ from }) =>
    Temporal.PlainDate.from(from).toZonedDateTime(timezone).epochMilliseconds
  );
  for (const { from: plainTime, weekdays } of maintenance) {
    for (let days = 0; days <= 7; days++) {
      const day = today.add({ days });
      if (!weekdays.includes(day.dayOfWeek)) continue;
      begins.push(day.toZonedDateTime({ timeZone: timezone, plainTime }).epochMilliseconds);
    }
  }
  const later = begins.filter((begin) => begin > atMs);
  return later.length === 0 ? null : Math.min(...later);
}
