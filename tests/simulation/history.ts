/** @module Where simulated histories begin, and what one came to. */
import type { ScheduleSpec } from "../../src/model/dag_spec.ts";

/** What one history came to. */
export interface History {
  seed: number;
  /** Equal for equal histories. */
  hash: string;
  runs: number;
  attempts: number;
  /** How often each fault happened. */
  faults: Record<string, number>;
  trace: string[];
}

/** Where histories begin: a plain day, and the minute before clocks change in Berlin, both ways. */
export const starts = ["2030-01-01T00:00:00Z", "2030-03-31T00:59:30Z", "2030-10-27T00:59:30Z"];
/** Of the DAG with a schedule. */
export const schedules: ScheduleSpec[] = [
  { kind: "interval", everyMs: 15_000 },
  { kind: "cron", cron: "* * * * *", timezone: "Europe/Berlin" },
];
