/** @module Routes of assets and their events: what Airflow calls them, of what are datasets here. */
import { z } from "zod";
import { countEvents } from "../../metrics/mod.ts";
import { AppError } from "../../model/errors.ts";
import { parseTraceParent } from "../../metrics/trace.ts";
import {
  assetOrders,
  type AssetRow,
  eventOrders,
  findAsset,
  findAssetEvent,
  listAssetDags,
  listAssetEvents,
  listAssets,
  listTakenEvents,
} from "../../store/asset_query.ts";
import { annotateRun, findRun } from "../../store/dag_run_query.ts";
import { boundsOf, pageOf, patternOf, requireRun, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import {
  AssetCollection,
  AssetEventBody,
  AssetEventCollection,
  AssetEventShape,
  AssetShape,
  MaterializeBody,
} from "../shapes/asset.ts";
import {
  Instant,
  many,
  Name,
  paging,
  patternsOf,
  QueryFlag,
  queryInt,
  rangeOf,
  Text,
} from "../shapes/basic.ts";
import { DagRunShape } from "../shapes/dag_run.ts";
import { trigger } from "../trigger.ts";
import { assetEventViews, assetView } from "../views/asset.ts";
import { dagRunView } from "../views/dag_run.ts";

const tag = "Assets";
/** `{asset_id}` in a path. */
export const AssetPath = z.object({ asset_id: queryInt({ min: 1 }) });

/** Add them. */
export function addAssetRoutes(book: RouteBook, rest: Rest): void {
  addEvents(book, rest);
  addAssets(book, rest);
  addMaterialize(book, rest);
}

/** The asset, or NOT_FOUND. */
export async function requireAsset({ sql }: Rest, id: number): Promise<AssetRow> {
  const found = await findAsset(sql, { id });
  if (found) return found;
  throw new AppError("NOT_FOUND", `Cannot find the asset ${id}: see GET /api/v2/assets`);
}

function addAssets(book: RouteBook, rest: Rest) {
  const { sql } = rest;
  book.add({
    method: "get",
    path: "/api/v2/assets",
    permission: "datasets.read",
    tag,
    summary: "List assets: datasets that DAGs publish or await, or that have events",
    query: z.object({
      ...patternsOf("name"),
      ...patternsOf("uri"),
      dag_ids: many(Text).optional(),
      only_active: QueryFlag.default(true).meta({
        doc: "Only those that a DAG with a file publishes or awaits",
      }),
      ...paging(assetOrders, "id"),
    }),
    returns: AssetCollection,
  }, async ({ query }) => {
    const [name, uri] = [patternOf(query, "name"), patternOf(query, "uri")];
    const { items, total } = await listAssets(sql, {
      pattern: name.pattern ?? uri.pattern,
      prefix: name.prefix ?? uri.prefix,
      dagIds: query.dag_ids,
      onlyActive: query.only_active,
    }, pageOf(query));
    const dags = await listAssetDags(sql, items.map((one) => one.name));
    return { assets: items.map((one) => assetView(one, dags)), total_entries: total };
  });

  book.add({
    method: "get",
    path: "/api/v2/assets/{asset_id}",
    permission: "datasets.read",
    tag,
    summary: "Look at an asset",
    params: AssetPath,
    returns: AssetShape,
  }, async ({ params }) => {
    const asset = await requireAsset(rest, params.asset_id);
    return assetView(asset, await listAssetDags(sql, [asset.name]));
  });
}

function addEvents(book: RouteBook, rest: Rest) {
  const { sql } = rest;
  book.add({
    method: "get",
    path: "/api/v2/assets/events",
    permission: "datasets.read",
    tag,
    summary: "List events of assets",
    query: z.object({
      asset_id: queryInt({ min: 1 }).optional(),
      partition_key: Text.optional(),
      source_dag_id: Text.optional(),
      source_task_id: Text.optional(),
      source_run_id: Text.optional(),
      source_map_index: queryInt({ min: -1 }).optional(),
      ...rangeOf("timestamp", Instant),
      ...paging(eventOrders, "timestamp"),
    }),
    returns: AssetEventCollection,
  }, async ({ query }) => {
    const { items, total } = await listAssetEvents(sql, {
      assetId: query.asset_id,
      partition: query.partition_key,
      sourceDagId: query.source_dag_id,
      sourceTaskId: query.source_task_id,
      sourceRunId: query.source_run_id,
      sourceMapIndex: query.source_map_index,
      timestamp: boundsOf(query, "timestamp"),
    }, pageOf(query));
    return { asset_events: await assetEventViews(sql, items), total_entries: total };
  });

  book.add({
    method: "post",
    path: "/api/v2/assets/events",
    permission: "datasets.edit",
    tag,
    summary: "Record an event from outside; DAGs that await the asset are run",
    body: AssetEventBody,
    returns: AssetEventShape,
    event: "asset.event",
  }, async ({ body }) => {
    const dataset = body.name ?? (await requireAsset(rest, body.asset_id!)).name;
    const recorded = await rest.store.recordEvents([{
      dataset,
      partition: body.partition_key ?? null,
      key: body.event_key ?? null,
      extra: { ...body.extra, from_rest_api: true },
    }], rest.clock.now());
    countEvents(rest.metrics, "rest", recorded);
    const [view] = await assetEventViews(sql, [(await findAssetEvent(sql, recorded[0].id))!]);
    return view;
  });

  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/upstreamAssetEvents",
    permission: "dags.read",
    tag,
    summary: "List the events that a run has taken, the first 1,000",
    params: z.object({ dag_id: Name, dag_run_id: Name }),
    returns: AssetEventCollection,
  }, async ({ params }) => {
    const run = await requireRun(rest, params.dag_id, params.dag_run_id);
    const events = await assetEventViews(sql, await listTakenEvents(sql, run.id));
    return { asset_events: events, total_entries: events.length };
  });
}

function addMaterialize(book: RouteBook, rest: Rest) {
  const { sql } = rest;
  book.add({
    method: "post",
    path: "/api/v2/assets/{asset_id}/materialize",
    permission: "runs.trigger",
    tag,
    summary: "Start the DAG that publishes an asset",
    params: AssetPath,
    body: MaterializeBody,
    bodyOptional: true,
    returns: DagRunShape,
    event: "asset.materialize",
  }, async ({ params, body, principal, request }) => {
    const { name } = await requireAsset(rest, params.asset_id);
    const dagId = await publisherOf(rest, name);
    const traceParent = request.headers.get("traceparent");
    const run = await trigger(rest, dagId, body, {
      traceParent: parseTraceParent(traceParent) ? traceParent : null,
      runType: "asset_materialization",
    });
    await annotateRun(sql, { id: run.id, note: body.note, userName: principal.name });
    return dagRunView((await findRun(sql, { dagId, runId: run.runId }))!);
  });
}

async function publisherOf({ sql }: Rest, name: string): Promise<string> {
  const dags = (await listAssetDags(sql, [name])).filter((one) => one.publishes.includes(name));
  if (dags.length === 1) return dags[0].dagId;
  throw dags.length === 0
    ? new AppError("NOT_FOUND", `Cannot materialize "${name}": no DAG says that it publishes it`)
    : new AppError(
      "INVALID",
      `Cannot materialize "${name}": ${dags.length} DAGs publish it; start one of them: ` +
        dags.map((one) => one.dagId).join(", "),
    );
}
