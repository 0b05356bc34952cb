/** @module Routes of dataset events: what a run was started for, and what waits for the next one. */
import { z } from "zod";
import {
  type DatasetEventRow,
  listTakenEvents,
  listWaitingEvents,
} from "../../store/dataset_event_query.ts";
import { requireDag, requireRun, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { DatasetEventCollection, type DatasetEventShape } from "../shapes/dataset_event.ts";
import { Text } from "../shapes/basic.ts";

/** Add them. */
export function addDatasetEventRoutes(book: RouteBook, rest: Rest): void {
  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/upstreamAssetEvents",
    permission: "dags.read",
    tag: "Datasets",
    summary: "List the dataset events that a run has taken, the first 1,000",
    params: z.object({ dag_id: Text, dag_run_id: Text }),
    returns: DatasetEventCollection,
  }, async ({ params }) => {
    const run = await requireRun(rest, params.dag_id, params.dag_run_id);
    return collectionOf(await listTakenEvents(rest.sql, run.id));
  });

  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/assets/queuedEvents",
    permission: "dags.read",
    tag: "Datasets",
    summary: "List the dataset events that wait for the DAG's next run, the first 1,000",
    params: z.object({ dag_id: Text }),
    returns: DatasetEventCollection,
  }, async ({ params }) => {
    await requireDag(rest, params.dag_id);
    return collectionOf(await listWaitingEvents(rest.sql, params.dag_id));
  });
}

function collectionOf(rows: readonly DatasetEventRow[]): z.input<typeof DatasetEventCollection> {
  return { asset_events: rows.map(eventView), total_entries: rows.length };
}

function eventView(row: DatasetEventRow): z.input<typeof DatasetEventShape> {
  return {
    id: row.id,
    name: row.dataset,
    partition_key: row.partition,
    version: row.version,
    dataset_version_id: row.datasetVersionId,
    timestamp: row.createdAt.toISOString(),
    source_dag_id: row.sourceDagId,
    source_run_id: row.sourceRunId,
    source_task_id: row.sourceTaskId,
  };
}
