/** @module Time in which a DAG's runs do not start: maintenance windows and blackout dates. */
import type { DagSpec } from "../model/dag_spec.ts";

const DAY = 86_400_000;

/** Stretch of quiet time; `then` says what becomes of runs that are due in it. */
export interface QuietTime {
  endMs: number;
  then: "skip" | "delay" | "run_after";
}

/** What of a DAG decides its quiet time. */
export type QuietSpec = Pick<DagSpec, "timezone" | "maintenance" | "blackout">;

/** The quiet time that an instant lies in; of several, the one that ends last; null: none. */
export function quietTimeAt(spec: QuietSpec, atMs: number): QuietTime | null {
  if (!spec.maintenance && !spec.blackout) return null;
  const local = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(spec.timezone);
  const date = local.toPlainDate();
  const found: QuietTime[] = [];
  for (const { from, to } of spec.blackout ?? []) {
    const day = date.toString();
    if (day < from || day > to) continue;
    const end = Temporal.PlainDate.from(to).add({ days: 1 }).toZonedDateTime(spec.timezone);
    found.push({ endMs: end.epochMilliseconds, then: "skip" });
  }
  for (const window of spec.maintenance ?? []) {
    for (let back = 0; back <= Math.ceil(window.durationMs / DAY); back++) {
      const day = date.subtract({ days: back });
      if (!window.weekdays.includes(day.dayOfWeek)) continue;
      const begin = day.toZonedDateTime({ timeZone: spec.timezone, plainTime: window.from })
        .epochMilliseconds;
      const endMs = begin + window.durationMs;
      if (begin <= atMs && atMs < endMs) found.push({ endMs, then: window.then });
    }
  }
  return found.sort((a, b) => b.endMs - a.endMs)[0] ?? null;
}
