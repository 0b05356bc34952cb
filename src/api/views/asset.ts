/** @module Assets and their events as answers show them. */
import type { z } from "zod";
import {
  type AssetDagRow,
  type AssetEventRow,
  type AssetRow,
  type EventRunRow,
  listEventRuns,
} from "../../store/asset_query.ts";
import type { Sql } from "../../store/database.ts";
import type { AssetEventShape, AssetShape } from "../shapes/asset.ts";
import { iso } from "./dag.ts";

/** Airflow's default. */
const GROUP = "asset";

/** An asset with those of the DAGs that have to do with it. */
export function assetView(
  { id, name, createdAt, lastEventSeq, lastEventAt }: AssetRow,
  dags: readonly AssetDagRow[],
): z.input<typeof AssetShape> {
  const place = ({ dagId, createdAt, updatedAt }: AssetDagRow) => ({
    dag_id: dagId,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  });
  return {
    id,
    name,
    uri: name,
    group: GROUP,
    extra: {},
    created_at: createdAt.toISOString(),
    updated_at: (lastEventAt ?? createdAt).toISOString(),
    scheduled_dags: dags.filter((dag) => dag.awaits.includes(name)).map(place),
    producing_tasks: dags.filter((dag) => dag.publishes.includes(name)).flatMap((dag) =>
      dag.tasks.filter(({ dataset }) => dataset === name)
        .map(({ taskId }) => ({ ...place(dag), task_id: taskId }))
    ),
    consuming_tasks: [],
    aliases: [],
    watchers: [],
    last_asset_event: lastEventSeq === null
      ? null
      : { id: lastEventSeq, timestamp: lastEventAt!.toISOString() },
  };
}

/** Events with the runs that took them. */
export async function assetEventViews(
  sql: Sql,
  rows: readonly AssetEventRow[],
): Promise<z.input<typeof AssetEventShape>[]> {
  const runs = Map.groupBy(
    await listEventRuns(sql, rows.map(({ id }) => id)),
    ({ eventId }) => eventId,
  );
  return rows.map((row) => ({
    id: row.seq,
    asset_id: row.assetId,
    uri: row.dataset,
    name: row.dataset,
    group: GROUP,
    extra: row.extra,
    source_task_id: row.sourceTaskId,
    source_dag_id: row.sourceDagId,
    source_run_id: row.sourceRunId,
    source_map_index: row.sourceMapIndex ?? -1,
    created_dagruns: (runs.get(row.id) ?? []).map(runView),
    timestamp: row.createdAt.toISOString(),
    partition_key: row.partition,
    event_key: row.key,
    version: row.version,
    dataset_version_id: row.datasetVersionId,
  }));
}

function runView(run: EventRunRow) {
  return {
    run_id: run.runId,
    dag_id: run.dagId,
    logical_date: iso(run.logicalDate),
    start_date: (run.startDate ?? run.queuedAt).toISOString(),
    end_date: iso(run.endDate),
    state: run.state,
    data_interval_start: iso(run.dataIntervalStart),
    data_interval_end: iso(run.dataIntervalEnd),
    partition_key: run.partitionKey,
    triggering: run.isNewest,
  };
}
