/** @module Can a DAG ever run by its schedule: what is checked when its file is read. */
import { limits } from "../base/limits.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";
import { checkHorizon } from "./horizon.ts";
import type { RunRules } from "./next_run.ts";
import { quietTimeAt } from "./quiet_time.ts";
import { checkSchedule, timeOf, timetableOf } from "./schedules.ts";
import { afterTick, type Timetable } from "./timetable.ts";

/** Throws INVALID, saying why, for a DAG whose schedule would never start a run. */
export function checkTiming(spec: Omit<DagSpec, "tasks">, now: Date): void {
  const start = spec.start === null ? null : new Date(spec.start);
  checkSchedule(spec.schedule, start);
  checkHorizon(spec, now);
  const time = timeOf(spec.schedule);
  if (!time) return;
  const from = start ?? now;
  const end = spec.end === null ? null : new Date(spec.end);
  const first = timetableOf(time, start, END_OF_TIME).next(from.getTime());
  // What has ended by now is history, not a mistake.
  if (end && end >= now && (!first || first.startMs > end.getTime())) {
    throw new AppError(
      "INVALID",
      `Cannot schedule DAG "${spec.dagId}": none of its intervals begins between ` +
        `${from.toISOString()} and its end ${spec.end}`,
    );
  }
  if (!first || hasRoom(spec, timetableOf(time, start, END_OF_TIME), from)) return;
  throw new AppError(
    "INVALID",
    `Cannot schedule DAG "${spec.dagId}": its maintenance windows and blackout dates leave no ` +
      `time in which a run could start`,
  );
}

/** Quiet times that are looked over before they are said to have no end. */
const QUIET_MAX = 200;

/** Is there an instant at which quiet time lets a run of the timetable start? */
function hasRoom(spec: RunRules, timetable: Timetable, from: Date): boolean {
  if (!spec.maintenance && !spec.blackout) return true;
  let tick = timetable.next(from.getTime());
  for (let i = 0; tick && i < QUIET_MAX; i++) {
    const quiet = quietTimeAt(spec, tick.dueMs);
    if (!quiet || (quiet.then !== "skip" && endsSometime(spec, quiet.endMs))) return true;
    const leadMs = tick.dueMs - tick.startMs;
    tick = timetable.next(Math.max(afterTick(tick), quiet.endMs - leadMs));
  }
  return false;
}

function endsSometime(spec: RunRules, fromMs: number): boolean {
  for (let i = 0, atMs = fromMs; i < limits.quietTimesInARow; i++) {
    const quiet = quietTimeAt(spec, atMs);
    if (!quiet) return true;
    atMs = quiet.endMs;
  }
  return false;
}

const END_OF_TIME = new Date(8.64e15);
