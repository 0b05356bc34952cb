/** @module Routes of what waits: events for a DAG's next run, and partitions with what they lack. */
import { z } from "zod";
import { AppError } from "../../model/errors.ts";
import type { DatasetsSpec } from "../../model/schedule_spec.ts";
import {
  dropQueuedEvents,
  listPartitionedDags,
  listQueuedEvents,
  type QueuedEventRow,
  type QueuedFilter,
} from "../../store/asset_query.ts";
import type { SchedulableDag } from "../../store/port.ts";
import {
  partitionFor,
  partitionQuestions,
  type PartitionState,
  partitionStates,
} from "../../timetable/mod.ts";
import { requireDag, type Rest, unlessAll } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import {
  PartitionCollection,
  type PartitionShape,
  QueuedEventCollection,
  QueuedEventShape,
} from "../shapes/asset.ts";
import { Instant, Name } from "../shapes/basic.ts";
import { AssetPath, requireAsset } from "./assets.ts";

const tag = "Assets";
const DagPath = z.object({ dag_id: Name });
const Both = DagPath.extend(AssetPath.shape);
const query = z.object({
  before: Instant.optional().meta({ doc: "Only those that came before that instant" }),
});

/** Add them. */
export function addQueuedEventRoutes(book: RouteBook, rest: Rest): void {
  const { sql } = rest;
  const list = async (filter: QueuedFilter) => {
    if (filter.dagId !== undefined) await requireDag(rest, filter.dagId);
    if (filter.assetId !== undefined) await requireAsset(rest, filter.assetId);
    const { items, total } = await listQueuedEvents(sql, filter);
    return { queued_events: items.map(queuedView), total_entries: total };
  };
  const drop = async (filter: QueuedFilter) => {
    if (filter.dagId !== undefined) await requireDag(rest, filter.dagId);
    if (filter.assetId !== undefined) await requireAsset(rest, filter.assetId);
    const dags = await dropQueuedEvents(sql, filter);
    if (dags.length === 0) throw nothingWaits(filter);
    rest.hints.publish({ topic: "dags", ids: [...new Set(dags)] });
  };

  for (
    const [path, params, whose] of [
      ["/api/v2/dags/{dag_id}/assets/queuedEvents", DagPath, "a DAG's next run"],
      ["/api/v2/assets/{asset_id}/queuedEvents", AssetPath, "DAGs, of an asset"],
    ] as const
  ) {
    const shared = { path, params: params as z.ZodObject, query, tag };
    book.add({
      ...shared,
      method: "get",
      permission: "dags.read",
      summary: `List the events that wait for ${whose}, the first 1,000`,
      returns: QueuedEventCollection,
    }, ({ params, query }) => list({ ...filterOf(params), before: query.before }));
    book.add({
      ...shared,
      method: "delete",
      permission: "datasets.edit",
      summary: `Have the events that wait for ${whose} wait no longer`,
      returns: null,
      event: "asset.queued_events.delete",
    }, ({ params, query }) => drop({ ...filterOf(params), before: query.before }));
  }

  const one = { path: "/api/v2/dags/{dag_id}/assets/{asset_id}/queuedEvents", params: Both, tag };
  book.add({
    ...one,
    query,
    method: "get",
    permission: "dags.read",
    summary: "Look at the oldest event of an asset that waits for a DAG's next run",
    returns: QueuedEventShape,
  }, async ({ params, query }) => {
    const filter = { ...filterOf(params), before: query.before };
    const { queued_events: [oldest] } = await list(filter);
    if (!oldest) throw nothingWaits(filter);
    return oldest;
  });
  book.add({
    ...one,
    query,
    method: "delete",
    permission: "datasets.edit",
    summary: "Have the events of an asset wait no longer for a DAG",
    returns: null,
    event: "asset.queued_events.delete",
  }, ({ params, query }) => drop({ ...filterOf(params), before: query.before }));
  addPartitions(book, rest);
}

function filterOf(params: Record<string, unknown>): QueuedFilter {
  return {
    dagId: params.dag_id as string | undefined,
    assetId: params.asset_id as number | undefined,
  };
}

function nothingWaits({ dagId, assetId }: QueuedFilter): AppError {
  const of = assetId === undefined ? "" : ` of asset ${assetId}`;
  const whom = dagId === undefined ? "" : ` for DAG "${dagId}"`;
  return new AppError("NOT_FOUND", `Cannot find an event${of} that waits${whom}`);
}

function addPartitions(book: RouteBook, rest: Rest) {
  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/partitions",
    permission: "dags.read",
    tag,
    summary: "List a DAG's partitions that events wait for, with what they lack; ~: of all DAGs",
    params: DagPath,
    returns: PartitionCollection,
  }, async ({ params }) => {
    if (params.dag_id !== "~") await requireDag(rest, params.dag_id);
    const ids = await listPartitionedDags(rest.sql, unlessAll(params.dag_id));
    const partitions = ids.length === 0
      ? []
      : (await Promise.all((await rest.store.loadDags(ids)).map((dag) => partitionsOf(rest, dag))))
        .flat();
    return { partitions, total_entries: partitions.length };
  });
}

async function partitionsOf({ store, clock }: Rest, dag: SchedulableDag) {
  const schedule = dag.spec.schedule as DatasetsSpec;
  const pending = dag.pending ?? [];
  const now = clock.now();
  const there = new Set(
    (await store.findPartitions(partitionQuestions(schedule, pending, now)))
      .map(({ dataset, partition }) => `${dataset}\n${partition}`),
  );
  const isThere = (dataset: string, key: string) => there.has(`${dataset}\n${key}`);
  const views = partitionStates(schedule, pending, isThere, now)
    .map((one) => partitionView(dag, one));
  const strays = [
    ...new Set(
      pending.map((one) => one.partition)
        .filter((key) => partitionFor(schedule.partition!, key) === null),
    ),
  ];
  return strays.length === 0 ? views : [...views, strayView(dag.dagId, strays)];
}

function partitionView(
  dag: SchedulableDag,
  { partition, from, needs, missing, isWhole }: PartitionState,
): z.input<typeof PartitionShape> {
  return {
    dag_id: dag.dagId,
    partition_key: partition,
    events_of: from,
    needed: needs?.length ?? null,
    missing: missing.map((one) => ({ name: one.dataset, partition_keys: one.partitions })),
    is_whole: isWhole,
    why: whyOf(dag, { needs, missing }),
  };
}

function whyOf(
  { isPaused, spec }: SchedulableDag,
  { needs, missing }: Pick<PartitionState, "needs" | "missing">,
): string {
  if (needs === null) return "its calendar does not reach so far";
  if (needs.length === 0) return "its calendar has no session in it";
  if (missing.length > 0) {
    return missing.map(({ dataset, partitions }) =>
      `${dataset} has ${needs.length - partitions.length} of ${needs.length}, ` +
      `not ${partitions.slice(0, 5).join(", ")}${partitions.length > 5 ? "…" : ""}`
    ).join("; ");
  }
  const { at } = spec.schedule as DatasetsSpec;
  if (at && !isPaused) return "its time: it is due later";
  return isPaused ? "the DAG is paused" : `its turn: at most ${spec.maxActiveRuns} runs at a time`;
}

function strayView(dagId: string, strays: string[]): z.input<typeof PartitionShape> {
  return {
    dag_id: dagId,
    partition_key: null,
    events_of: strays,
    needed: null,
    missing: [],
    is_whole: false,
    why: "they belong to no partition of this DAG; delete them from its queuedEvents",
  };
}

function queuedView(row: QueuedEventRow): z.input<typeof QueuedEventShape> {
  return {
    dag_id: row.dagId,
    asset_id: row.assetId,
    created_at: row.createdAt.toISOString(),
    dag_display_name: row.dagId,
    name: row.dataset,
    partition_key: row.partition,
    version: row.version,
    event_id: row.seq,
  };
}
