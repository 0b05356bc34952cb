/**
 * @module All that authors of DAGs, operators, executors and plugins import: the package
 * `tidewheel`. Importing it loads zod and these declarations, nothing else.
 */
export { dag, dagsOf, isDag } from "./dag.ts";
export type { Dag, DagAuthor, DagOptions, ParamsOf } from "./dag.ts";
export { branch, task } from "./task.ts";
export type { Awaitable, BranchOptions, FunctionTaskOptions, Returned } from "./task.ts";
export { shortCircuit } from "./short_circuit.ts";
export type { ShortCircuitOptions } from "./short_circuit.ts";
export { latestOnly } from "./latest_only.ts";
export type { LatestOnlyOptions } from "./latest_only.ts";
export { sensor } from "./sensor.ts";
export type { Patience, SensorOptions } from "./sensor.ts";
export { waitForDataset, waitUntil } from "./wait.ts";
export type { WaitForDatasetOptions, WaitUntilOptions } from "./wait.ts";
export { waitForRun, waitForTask } from "./wait_for_run.ts";
export type { OtherRunOptions, WaitForRunOptions, WaitForTaskOptions } from "./wait_for_run.ts";
export { approval, choose, input } from "./approval.ts";
export type {
  Answered,
  ApprovalOptions,
  AskedText,
  ChooseOptions,
  InputTaskOptions,
  QuestionOptions,
} from "./approval.ts";
export { triggers } from "./triggers.ts";
export type { RunEnd, RunOfDag, TaskEnd } from "./triggers.ts";
export type { TriggerSpec } from "../model/trigger.ts";
export { waitForFile } from "./wait_for_file.ts";
export type { WaitForFileOptions } from "./wait_for_file.ts";
export type { CommandMaker, CommandOptions, CommandOutput } from "./command.ts";
export { chain, expand, expandKwargs, group } from "./structure.ts";
export type {
  ExpandMaker,
  GroupMaker,
  ItemsOf,
  ItemValues,
  JsonLists,
  Listed,
  ListsByName,
  Mapped,
} from "./structure.ts";
export { allOf, anyOf, continuous, events, every, once } from "./schedule.ts";
export { each, onDatasets, rollup } from "./on_datasets.ts";
export type { DatasetCondition, OnDatasetsOptions, PartitionMapper } from "./on_datasets.ts";
export { afterRun, onFiles, onKafka, onWebhook } from "./on_events.ts";
export type {
  EventKeyOption,
  OnFilesOptions,
  OnKafkaOptions,
  OnWebhookOptions,
} from "./on_events.ts";
export type { RollupSpan } from "../model/schedule_spec.ts";
export { releases } from "./releases.ts";
export type { ReleaseCalendar, ReleasesOptions } from "./releases.ts";
export { calendar } from "./calendar.ts";
export type { CalendarData, CalendarOption, OwnCalendar } from "./calendar.ts";
export { sessions } from "./sessions.ts";
export type { SessionsOptions } from "./sessions.ts";
export type { BlackoutOption, CatchupOption, MaintenanceOption, Weekday } from "./quiet_time.ts";
export type { CalendarName } from "../model/calendar_names.ts";
export type { SessionEdge } from "../model/schedule_spec.ts";
export type { AllOfOptions, Schedule, ScheduleOption } from "./schedule.ts";
export { runDag, slack, webhook } from "./callbacks.ts";
export type {
  DagCallbackOptions,
  Notice,
  Notices,
  RunDagOptions,
  TaskCallbackOptions,
  WebhookOptions,
} from "./callbacks.ts";
export type {
  AfterDeadline,
  AverageDeadline,
  ClockDeadline,
  DeadlineOption,
  SessionDeadline,
} from "./deadlines.ts";
export { defer, done, retryAt, skip } from "./outcome.ts";
export type { Ask, Defer, DeferOptions, Done, OutputOf, RetryAt, Skip } from "./outcome.ts";
export { FinalError, operator } from "./operator.ts";
export type {
  InputOptions,
  InputShapes,
  InputsOf,
  Operator,
  OperatorFactory,
  OperatorOptions,
  OperatorRun,
  ParamOptions,
  TaskOutcome,
} from "./operator.ts";
export { column, table, tableOf } from "./table.ts";
export type {
  ColumnDef,
  ColumnDefs,
  ColumnName,
  ColumnOfType,
  ColumnsOf,
  ColumnTypes,
  ColumnValue,
  NumberColumn,
  Row,
  RowOf,
  Table,
  TableDef,
  TableOptions,
  TextColumn,
  TimeColumn,
} from "./table.ts";
export type { InputArg, InputArgs, InputValues, Ref, RefValue, TaskRef, ValueOf } from "./ref.ts";
export type { TaskDefaults, TaskOptions } from "./options.ts";
export type { ErrorClass, RetryMatch, RetryRuleOption } from "./retry_rules.ts";
export type { TeardownOptions } from "./setup_teardown.ts";
export type { Bytes, Duration } from "./duration.ts";
export type { Json, Jsonable, NotJson } from "./json.ts";
export type {
  DataInterval,
  DatasetEventFacts,
  Param,
  ResumedWith,
  RunFacts,
  TaskContext,
  TaskEngine,
  TaskFiles,
  TaskStateStore,
} from "./context.ts";
export type { TaskNode } from "./builder.ts";
export { FileRef, RawFiles, TableRef, TableSchema } from "../model/data.ts";
export type {
  Column,
  ColumnLineage,
  PublishIntent,
  Quarantine,
  RowAccounting,
} from "../model/data.ts";
export type { DagSpec, PermissionsSpec, TaskSpec, TriggerRule } from "../model/dag_spec.ts";
export { AppError } from "../model/errors.ts";
export type { Effects } from "../model/outcome.ts";
