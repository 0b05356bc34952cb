/** @module The deadlines of a run that is about to be made. */
import { limits } from "../base/limits.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import type { DeadlineSpec } from "../model/deadline_spec.ts";
import type { NoticeTarget } from "../model/notice_spec.ts";
import { sessionsTimetable } from "./sessions.ts";

/** A deadline to make with a run. */
export interface NewDeadline {
  id: string;
  name: string;
  /** Null: of the run. */
  taskId: string | null;
  /** Null: counted from the run's start, or by {@link averageOf}. */
  at: Date | null;
  withinMs: number;
  /** Counted from its making by the average of so many runs; null: not so. */
  averageOf: number | null;
  notify: NoticeTarget[];
}

/** Does any run of the DAG have a deadline? */
export function hasDeadlines(spec: Pick<DagSpec, "deadlines" | "tasks">): boolean {
  return spec.deadlines !== undefined || spec.tasks.some((task) => task.deadlines !== undefined);
}

/**
 * Deadlines of a run that is made at `now`, as a part of it; nothing where there are none. One that has passed by more than `limits.deadlineLateMs` is
 * left out: whoever makes up for last year need not be told that it is late.
 */
export function deadlinesOf(
  spec: Pick<DagSpec, "deadlines" | "tasks">,
  run: { logicalDate: Date | null; runAfter: Date },
  { now, newId }: { now: Date; newId: () => string },
): { deadlines?: NewDeadline[] } {
  if (!hasDeadlines(spec)) return {};
  const all = [
    ...(spec.deadlines ?? []).map((deadline) => ({ deadline, taskId: null })),
    ...spec.tasks.flatMap(({ taskId, deadlines = [] }) =>
      deadlines.map((deadline) => ({ deadline, taskId }))
    ),
  ];
  const deadlines = all.flatMap(({ deadline, taskId }): NewDeadline[] => {
    const { by, name, notify } = deadline;
    const withinMs = "withinMs" in by ? by.withinMs : 0;
    const averageOf = by.kind === "averageRuntime" ? by.runs : null;
    const common = { id: newId(), name, taskId, withinMs, averageOf, notify };
    if (by.kind === "started" || by.kind === "averageRuntime") return [{ ...common, at: null }];
    const atMs = instantOf(by, run, now);
    const isStale = atMs === null || atMs < now.getTime() - limits.deadlineLateMs;
    return isStale ? [] : [{ ...common, at: new Date(atMs) }];
  });
  return deadlines.length > 0 ? { deadlines } : {};
}

function instantOf(
  by: Exclude<DeadlineSpec["by"], { kind: "averageRuntime" }>,
  { logicalDate, runAfter }: { logicalDate: Date | null; runAfter: Date },
  now: Date,
): number | null {
  switch (by.kind) {
    case "queued":
      return now.getTime() + by.withinMs;
    case "due":
      return runAfter.getTime() + by.withinMs;
    case "logicalDate":
      return logicalDate && logicalDate.getTime() + by.withinMs;
    case "instant":
      return Date.parse(by.at);
    case "clock":
      return clockMs(by, runAfter);
    case "session":
      return sessionsTimetable(by.session, now.getTime()).due.next(runAfter.getTime() + 1);
    default:
      return null;
  }
}

/** The first instant after a run is due at which clocks show the time. */
function clockMs({ time, timezone }: { time: string; timezone: string }, runAfter: Date): number {
  const local = Temporal.Instant.fromEpochMilliseconds(runAfter.getTime())
    .toZonedDateTimeISO(timezone);
  const plainTime = Temporal.PlainTime.from(time);
  const on = (days: number) =>
    local.toPlainDate().add({ days }).toZonedDateTime({ timeZone: timezone, plainTime })
      .epochMilliseconds;
  return on(0) > runAfter.getTime() ? on(0) : on(1);
}
