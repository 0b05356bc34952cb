/** @module Shapes of pools, variables, connections, import errors, the audit log and health. */
import { z } from "zod";
import { checkTimezone } from "../../timetable/mod.ts";
import { At, Name, StorableJson, Text } from "./basic.ts";

const weekdays = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] as const;

/** A window in which a pool gives no slots out. */
const PoolWindow = z.strictObject({
  from: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time such as 22:00"),
  minutes: z.int().min(1).max(7 * 24 * 60),
  on: z.array(z.enum(weekdays)).min(1).default([...weekdays]),
});

/** When a pool gives no slots out. What has a slot then, running or queued, goes on. */
export const PoolClosingsShape = z.strictObject({
  timezone: z.string().default("UTC").refine(isTimezone, {
    message: "must be an IANA time zone such as Europe/Berlin",
  }),
  maintenance: z.array(PoolWindow).max(50).default([]),
  blackout: z.array(
    z.strictObject({ from: z.iso.date(), to: z.iso.date() }).refine(
      ({ from, to }) => from <= to,
      { message: "must not end before it begins" },
    ),
  ).max(500).default([]).meta({ doc: "Days, both included" }),
}).meta({ id: "PoolClosings" });

function isTimezone(name: string): boolean {
  try {
    checkTimezone(name);
    return true;
  } catch {
    return false;
  }
}

/** A pool with what takes its slots. */
export const PoolShape = z.object({
  name: z.string(),
  slots: z.int().meta({ doc: "-1: without limit" }),
  description: z.string().nullable(),
  include_deferred: z.boolean(),
  occupied_slots: z.int(),
  running_slots: z.int(),
  queued_slots: z.int(),
  scheduled_slots: z.int(),
  open_slots: z.int().meta({ doc: "-1: without limit" }),
  deferred_slots: z.int(),
  team_name: z.string().nullable(),
  closings: PoolClosingsShape.nullable(),
  is_closed: z.boolean().meta({ doc: "It gives no slots out now" }),
  changes_at: At.nullable().meta({ doc: "When it closes or opens next" }),
}).meta({ id: "PoolResponse" });

/** A page of pools. */
export const PoolCollection = z.object({ pools: z.array(PoolShape), total_entries: z.int() })
  .meta({ id: "PoolCollectionResponse" });

const slots = z.int().min(-1).max(1_000_000);

/** A pool to create. */
export const PoolBody = z.strictObject({
  name: Name,
  slots,
  description: Text.max(1000).nullish(),
  include_deferred: z.boolean().default(false),
  closings: PoolClosingsShape.nullish(),
}).meta({ id: "PoolBody" });

/** Changes to a pool. */
export const PoolPatch = z.strictObject({
  pool: Name.nullish().meta({ doc: "Its name; pools are not renamed" }),
  slots: slots.nullish(),
  description: Text.max(1000).nullish(),
  include_deferred: z.boolean().nullish(),
  closings: PoolClosingsShape.nullish().meta({ doc: "null: never closed; left out: as it is" }),
}).meta({ id: "PoolPatchBody" });

/** A variable. */
export const VariableShape = z.object({
  key: z.string(),
  value: z.string().meta({
    doc: "Text as it is, anything else as JSON; *** where the key names a secret",
  }),
  description: z.string().nullable(),
  is_encrypted: z.boolean(),
  team_name: z.string().nullable(),
}).meta({ id: "VariableResponse" });

/** A page of variables. */
export const VariableCollection = z.object({
  variables: z.array(VariableShape),
  total_entries: z.int(),
}).meta({ id: "VariableCollectionResponse" });

/** A variable to store. */
export const VariableBody = z.strictObject({
  key: Name,
  value: StorableJson,
  description: Text.max(1000).nullish(),
}).meta({ id: "VariableBody" });

/** A connection; its password is never shown. */
export const ConnectionShape = z.object({
  connection_id: z.string(),
  conn_type: z.string(),
  description: z.string().nullable(),
  host: z.string().nullable(),
  login: z.string().nullable(),
  schema: z.string().nullable(),
  port: z.int().nullable(),
  password: z.string().nullable().meta({ doc: "*** when there is one" }),
  extra: z.string().nullable().meta({ doc: "JSON; values of telling names are ***" }),
  team_name: z.string().nullable(),
}).meta({ id: "ConnectionResponse" });

/** A page of connections. */
export const ConnectionCollection = z.object({
  connections: z.array(ConnectionShape),
  total_entries: z.int(),
}).meta({ id: "ConnectionCollectionResponse" });

/** A connection to store. */
export const ConnectionBody = z.strictObject({
  connection_id: Name.regex(/^[A-Za-z0-9_.-]+$/, "must consist of letters, digits and _ . -"),
  conn_type: Name,
  description: Text.max(1000).nullish(),
  host: Text.max(500).nullish(),
  login: Text.max(500).nullish(),
  schema: Text.max(500).nullish(),
  port: z.int().min(0).max(65535).nullish(),
  password: Text.nullish(),
  extra: Text.nullish().meta({ doc: "A JSON object as text" }),
}).meta({ id: "ConnectionBody" });

/** A DAG file with an error. */
export const ImportErrorShape = z.object({
  import_error_id: z.int(),
  timestamp: At,
  filename: z.string(),
  bundle_name: z.string().nullable(),
  stack_trace: z.string().meta({ doc: "What is wrong, where, and the lines around it" }),
  path: z.string().meta({ doc: "The file with the error: the DAG file, or one that it imports" }),
  line: z.int().nullable(),
  column: z.int().nullable(),
  message: z.string(),
  frame: z.string().nullable(),
}).meta({ id: "ImportErrorResponse" });

/** A page of import errors. */
export const ImportErrorCollection = z.object({
  import_errors: z.array(ImportErrorShape),
  total_entries: z.int(),
}).meta({ id: "ImportErrorCollectionResponse" });

/** An entry of the audit log. */
export const EventLogShape = z.object({
  event_log_id: z.int(),
  when: At,
  dag_id: z.string().nullable(),
  task_id: z.string().nullable(),
  run_id: z.string().nullable(),
  map_index: z.int().nullable(),
  try_number: z.int().nullable(),
  event: z.string(),
  logical_date: At.nullable(),
  owner: z.string().nullable(),
  extra: z.string().nullable(),
  dag_display_name: z.string().nullable(),
  task_display_name: z.string().nullable(),
}).meta({ id: "EventLogResponse" });

/** A page of the audit log. */
export const EventLogCollection = z.object({
  event_logs: z.array(EventLogShape),
  total_entries: z.int(),
}).meta({ id: "EventLogCollectionResponse" });

const status = z.enum(["healthy", "unhealthy"]);

/** Health as Airflow shows it. */
export const HealthInfo = z.object({
  metadatabase: z.object({ status }),
  scheduler: z.object({ status: status.nullable(), latest_scheduler_heartbeat: At.nullable() }),
  triggerer: z.object({ status: status.nullable(), latest_triggerer_heartbeat: At.nullable() }),
  dag_processor: z.object({
    status: status.nullable(),
    latest_dag_processor_heartbeat: At.nullable(),
  }),
}).meta({ id: "HealthInfoResponse" });

/** The product's version. */
export const VersionInfo = z.object({ version: z.string(), git_version: z.string().nullable() })
  .meta({ id: "VersionInfo" });

/** A token to trade a password for. */
export const TokenBody = z.strictObject({
  username: Text.nullish().meta({ doc: "Any; the token says who you are" }),
  password: Text.min(1).meta({ doc: "An API token" }),
});

/** A bearer token. */
export const TokenShape = z.object({ access_token: z.string() });
