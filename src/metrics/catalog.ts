/**
 * @module Every metric of the product: name, kind, meaning, labels. The names follow Airflow's, with
 * `tidewheel_` before them and Prometheus' units and `_total` behind.
 */

interface Described {
  help: string;
  labels?: readonly string[];
}

/** Things that only grow. */
export const counters = {
  tidewheel_ti_start_total: { help: "Attempts handed to workers", labels: ["dag_id", "operator"] },
  tidewheel_ti_finish_total: {
    help: "Ended attempts, by the state that their task instance went to",
    labels: ["dag_id", "state"],
  },
  tidewheel_attempt_end_total: { help: "Ended attempts, by end reason", labels: ["end_reason"] },
  tidewheel_operator_failures_total: { help: "Failed attempts", labels: ["operator"] },
  tidewheel_operator_successes_total: { help: "Successful attempts", labels: ["operator"] },
  tidewheel_rows_total: {
    help: "Rows that attempts took in, gave out, quarantined, merged away and filtered",
    labels: ["dag_id", "kind"],
  },
  tidewheel_dataset_updates_total: { help: "Published dataset versions", labels: ["dataset"] },
  tidewheel_dataset_events_total: {
    help: "Dataset events from outside (rest, webhook, files, kafka): new, repeated, refused",
    labels: ["source", "result"],
  },
  tidewheel_dagrun_created_total: { help: "DAG runs", labels: ["run_type"] },
  tidewheel_dagrun_finish_total: { help: "Finished DAG runs", labels: ["dag_id", "state"] },
  tidewheel_deadlines_missed_total: { help: "Deadlines of runs and tasks that were missed" },
  tidewheel_scheduler_heartbeat_total: { help: "Passes of the scheduler's loop" },
  tidewheel_scheduler_loop_exceptions_total: { help: "Passes that threw" },
  tidewheel_scheduler_lease_changes_total: { help: "Times that this process became leader" },
  tidewheel_scheduler_tasks_lost_total: { help: "Attempts found lost: heartbeats stood still" },
  tidewheel_triggerer_heartbeat_total: { help: "Beats of the triggers service" },
  tidewheel_triggers_succeeded_total: { help: "Triggers that fired", labels: ["kind"] },
  tidewheel_triggers_failed_total: { help: "Looks at triggers that failed", labels: ["kind"] },
  tidewheel_dag_processing_heartbeat_total: { help: "Passes of the parser" },
  tidewheel_dag_processing_processor_timeouts_total: { help: "DAG files over their time limit" },
  tidewheel_dag_version_created_total: { help: "New DAG versions" },
  tidewheel_worker_children_started_total: {
    help: "Task processes started",
    labels: ["isolation"],
  },
  tidewheel_worker_children_killed_total: { help: "Task processes killed", labels: ["reason"] },
  tidewheel_api_requests_total: {
    help: "Answered requests",
    labels: ["method", "route", "status"],
  },
  tidewheel_api_refused_total: { help: "Refused requests, by error code", labels: ["code"] },
  tidewheel_event_deliveries_total: {
    help: "Tries to deliver an event, by what came of them: delivered, failed, dead",
    labels: ["target", "result"],
  },
  tidewheel_execution_calls_total: {
    help: "Calls of the Task Execution API",
    labels: ["call", "status"],
  },
} as const satisfies Record<string, Described>;

/** Things that go up and down. */
export const gauges = {
  tidewheel_dagbag_size: { help: "DAGs that are not stale" },
  tidewheel_dag_processing_import_errors: { help: "DAG files with an error" },
  tidewheel_dag_processing_file_queue_size: { help: "DAG files that wait to be parsed" },
  tidewheel_dag_processing_total_parse_seconds: { help: "Time of the last pass over the folder" },
  tidewheel_scheduler_leader: { help: "1 while this process leads" },
  tidewheel_scheduler_dagruns: { help: "Unfinished DAG runs", labels: ["state"] },
  tidewheel_scheduler_tasks_executable: { help: "Task instances that were ready in the last pass" },
  tidewheel_scheduler_tasks_starving: { help: "Ready task instances for which no slot was free" },
  tidewheel_dag_horizon_seconds: {
    help: "Until the releases that a DAG's schedule goes by are not known any more",
    labels: ["dag_id"],
  },
  tidewheel_ti: { help: "Task instances of unfinished runs", labels: ["state"] },
  tidewheel_triggers_running: {
    help: "Triggers that this process looks at",
    labels: ["kind"],
  },
  tidewheel_triggerer_capacity_left: { help: "Triggers that this process would still take" },
  tidewheel_pool_slots: {
    help: "Slots of a pool: open, queued, running",
    labels: ["pool", "kind"],
  },
  tidewheel_pool_closed: {
    help: "1 while a pool gives no slots out: maintenance or blackout",
    labels: ["pool"],
  },
  tidewheel_executor_open_slots: { help: "Free places of this worker", labels: ["queue"] },
  tidewheel_executor_running_tasks: { help: "Attempts that this worker runs", labels: ["queue"] },
  tidewheel_worker_children: { help: "Task processes of this worker", labels: ["state"] },
  tidewheel_claims_waiting: { help: "Workers that wait for work" },
  tidewheel_dataset_events_waiting: {
    help: "Dataset events that no run of the DAG has taken yet",
    labels: ["dag_id"],
  },
  tidewheel_events: { help: "Events of the outbox: pending, dead", labels: ["state"] },
  tidewheel_quarantine_rows: { help: "Rows in quarantine", labels: ["dataset"] },
} as const satisfies Record<string, Described>;

/** Times and sizes; `buckets` are upper bounds in the unit that the name ends with. */
export const histograms = {
  tidewheel_scheduler_loop_duration_seconds: {
    help: "One pass of the scheduler",
    buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
  },
  tidewheel_dagrun_schedule_delay_seconds: {
    help: "From a run's due instant to its start",
    buckets: [0.005, 0.02, 0.1, 0.5, 1, 5, 30, 60, 300, 1800],
  },
  tidewheel_dagrun_duration_seconds: {
    help: "From a run's start to its end",
    labels: ["state"],
    buckets: [0.01, 0.05, 0.2, 1, 5, 30, 120, 600, 3600, 14400],
  },
  tidewheel_task_queued_duration_seconds: {
    help: "From queued to started",
    buckets: [0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1, 5, 30, 120, 600],
  },
  tidewheel_task_duration_seconds: {
    help: "From an attempt's start to its end",
    labels: ["operator"],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300, 1800, 7200],
  },
  tidewheel_dag_processing_duration_seconds: {
    help: "Parsing one DAG file",
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10],
  },
  tidewheel_api_request_duration_seconds: {
    help: "Answering one request, streams left out",
    labels: ["route"],
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2],
  },
  tidewheel_event_delivery_delay_seconds: {
    help: "From what an event tells of to its delivery",
    buckets: [0.01, 0.05, 0.2, 1, 5, 30, 120, 600, 3600, 14400],
  },
  tidewheel_execution_batch_calls: {
    help: "Calls in one batch",
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  },
} as const satisfies Record<string, Described & { buckets: readonly number[] }>;

/** Names by kind. */
export type CounterName = keyof typeof counters;
export type GaugeName = keyof typeof gauges;
export type HistogramName = keyof typeof histograms;

/** The labels that a metric takes. */
export type LabelsOf<D> = D extends { labels: readonly (infer L extends string)[] }
  ? Record<L, string>
  : undefined | Record<string, never>;
