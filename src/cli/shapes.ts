/** @module The parts of the REST API's shapes that the command line reads. */

/** A DAG. */
export interface DagShape {
  dag_id: string;
  is_paused: boolean;
  pause_reason: string | null;
  is_stale: boolean;
  fileloc: string;
  timetable_summary: string | null;
  next_dagrun_run_after: string | null;
  last_parsed_time: string | null;
  owners: string[];
  tags: { name: string }[];
  has_import_errors: boolean;
}

/** A DAG run. */
export interface RunShape {
  dag_id: string;
  dag_run_id: string;
  state: "queued" | "running" | "success" | "failed";
  run_type: string;
  logical_date: string | null;
  data_interval_start: string | null;
  data_interval_end: string | null;
  run_after: string;
  start_date: string | null;
  end_date: string | null;
  missed_deadlines: number;
  note: string | null;
}

/** A task instance. */
export interface TaskInstanceShape {
  dag_id: string;
  dag_run_id: string;
  task_id: string;
  map_index: number;
  state: string | null;
  try_number: number;
  max_tries: number;
  start_date: string | null;
  end_date: string | null;
  duration: number | null;
  operator: string | null;
  note: string | null;
}

/** A page of anything. */
export type Page<Name extends string, Item> = Record<Name, Item[]> & { total_entries: number };

/** Has the run ended? */
export function isOver(run: RunShape): boolean {
  return run.state === "success" || run.state === "failed";
}
