/** @module Dataset events as pages see them: table asset_event, by who waits for them or took them. */
import type { DatasetEvent } from "../model/rows.ts";
import type { Sql } from "./database.ts";

/** An event with the run that published the version, where one did. */
export interface DatasetEventRow extends DatasetEvent {
  datasetVersionId: string | null;
  sourceDagId: string | null;
  sourceRunId: string | null;
  sourceTaskId: string | null;
}

/** Events shown at most; older ones come first. */
const SHOWN_MAX = 1_000;

const columns = (sql: Sql) =>
  sql`
  e.id, e.dataset, e.partition, v.version, e.event_key as key, e.extra, e.created_at, e.dataset_version_id,
  v.dag_id as source_dag_id, v.run_id as source_run_id, v.task_id as source_task_id`;

/** Events that a run has taken, oldest first. */
export async function listTakenEvents(sql: Sql, dagRunId: string): Promise<DatasetEventRow[]> {
  return await sql<DatasetEventRow[]>`
    select ${columns(sql)}
    from dag_run_asset_event c
    join asset_event e on e.id = c.asset_event_id
    left join dataset_version v on v.id = e.dataset_version_id
    where c.dag_run_id = ${dagRunId}
    order by e.seq limit ${SHOWN_MAX}`;
}

/** Events that wait for the next run of a DAG, oldest first. */
export async function listWaitingEvents(sql: Sql, dagId: string): Promise<DatasetEventRow[]> {
  return await sql<DatasetEventRow[]>`
    select ${columns(sql)}
    from dataset_queue q
    join asset_event e on e.id = q.asset_event_id
    left join dataset_version v on v.id = e.dataset_version_id
    where q.dag_id = ${dagId}
    order by e.seq limit ${SHOWN_MAX}`;
}
