/** @module Routes of DAG runs: list, start, look, cancel, clear, delete, wait. */
import { z } from "zod";
import { AppError } from "../../model/errors.ts";
import { runStates, runTypes } from "../../model/run_state.ts";
import { parseTraceParent } from "../../metrics/trace.ts";
import { annotateRun, type DagRunRow, listRuns, runOrders } from "../../store/dag_run_query.ts";
import { applyClear, everything, planClear } from "../clear.ts";
import { patchRun, removeRun } from "../run_by_hand.ts";
import {
  boundsOf,
  pageOf,
  patternOf,
  requireDag,
  requireRun,
  type Rest,
  touchedInstances,
  unlessAll,
} from "../rest.ts";
import type { RouteBook } from "../route.ts";
import {
  Instant,
  many,
  Name,
  paging,
  patternsOf,
  queryInt,
  rangeOf,
  Text,
  UpdateMask,
} from "../shapes/basic.ts";
import {
  DagRunClear,
  DagRunCollection,
  DagRunPatch,
  DagRunsBatch,
  DagRunShape,
  TriggerBody,
} from "../shapes/dag_run.ts";
import { TaskInstanceShape } from "../shapes/task_instance.ts";
import { trigger } from "../trigger.ts";
import { dagRunView } from "../views/dag_run.ts";
import { waitForRun } from "../wait.ts";

const tag = "DAG runs";
const DagPath = z.object({ dag_id: Name });
const RunPath = DagPath.extend({ dag_run_id: Name });

const List = z.object({
  state: many(z.enum(runStates)).optional(),
  run_type: many(z.enum(runTypes)).optional(),
  dag_version: many(queryInt()).optional(),
  bundle_version: Text.optional(),
  ...patternsOf("run_id"),
  ...patternsOf("dag_id"),
  ...patternsOf("triggering_user_name"),
  ...rangeOf("run_after", Instant),
  ...rangeOf("logical_date", Instant),
  ...rangeOf("start_date", Instant),
  ...rangeOf("end_date", Instant),
  ...paging(runOrders, "id"),
});

/** A clear's dry run: instances, and tasks that a newer version adds. */
const ClearedShape = z.union([
  z.object({
    task_instances: z.array(
      z.union([
        TaskInstanceShape,
        z.object({ task_id: z.string(), task_display_name: z.string() }),
      ]),
    ),
    total_entries: z.int(),
  }),
  DagRunShape,
]);

/** Add them. */
export function addDagRunRoutes(book: RouteBook, rest: Rest): void {
  const { sql } = rest;
  const shown = async (run: Pick<DagRunRow, "dagId" | "runId">) =>
    dagRunView(await requireRun(rest, run.dagId, run.runId));

  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/dagRuns",
    permission: "runs.read",
    tag,
    summary: "List runs of a DAG (~: of all)",
    params: DagPath,
    query: List,
    returns: DagRunCollection,
  }, async ({ params, query }) => {
    const dagIds = unlessAll(params.dag_id);
    const { items, total } = await listRuns(sql, {
      dagIds,
      states: query.state,
      runTypes: query.run_type,
      versionNumbers: query.dag_version,
      bundleVersion: query.bundle_version,
      runId: patternOf(query, "run_id"),
      dagId: patternOf(query, "dag_id"),
      userName: patternOf(query, "triggering_user_name"),
      runAfter: boundsOf(query, "run_after"),
      logicalDate: boundsOf(query, "logical_date"),
      startDate: boundsOf(query, "start_date"),
      endDate: boundsOf(query, "end_date"),
    }, pageOf(query));
    if (total === 0 && dagIds) await requireDag(rest, params.dag_id);
    return { dag_runs: items.map(dagRunView), total_entries: total };
  });

  book.add({
    method: "post",
    path: "/api/v2/dags/{dag_id}/dagRuns/list",
    permission: "runs.read",
    tag,
    summary: "List runs by filters in the body",
    params: DagPath,
    body: DagRunsBatch,
    returns: DagRunCollection,
  }, async ({ params, body }) => {
    const order = z.enum(runOrders.flatMap((field) => [field, `-${field}`])).safeParse(
      body.order_by ?? "id",
    );
    if (!order.success) {
      throw new AppError("INVALID", `Cannot order runs by "${body.order_by}"`);
    }
    const { items, total } = await listRuns(sql, {
      dagIds: body.dag_ids ?? unlessAll(params.dag_id),
      states: body.states?.filter((state) => state !== null),
      runAfter: boundsOf(body, "run_after"),
      logicalDate: boundsOf(body, "logical_date"),
      startDate: boundsOf(body, "start_date"),
      endDate: boundsOf(body, "end_date"),
    }, { limit: body.page_limit, offset: body.page_offset, orderBy: [order.data] });
    return { dag_runs: items.map(dagRunView), total_entries: total };
  });

  book.add({
    method: "post",
    path: "/api/v2/dags/{dag_id}/dagRuns",
    permission: "runs.trigger",
    tag,
    summary: "Start a run",
    params: DagPath,
    body: TriggerBody,
    bodyOptional: true,
    returns: DagRunShape,
    event: "dag_run.trigger",
  }, async ({ params, body, principal, request }) => {
    const parent = parseTraceParent(request.headers.get("traceparent"));
    return await rest.tracer.span(
      "dag_run.trigger",
      { "tidewheel.dag_id": params.dag_id },
      parent,
      async (span) => {
        const run = await trigger(rest, params.dag_id, body, {
          traceParent: span.traceParent,
        });
        await annotateRun(sql, { id: run.id, note: body.note, userName: principal.name });
        rest.metrics.inc("tidewheel_dagrun_created_total", { run_type: "manual" });
        return await shown(run);
      },
    );
  });

  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}",
    permission: "runs.read",
    tag,
    summary: "Look at a run",
    params: RunPath,
    returns: DagRunShape,
  }, ({ params }) => shown({ dagId: params.dag_id, runId: params.dag_run_id }));

  book.add({
    method: "patch",
    path: "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}",
    permission: "runs.edit",
    tag,
    summary: "Set a run's state (failed: cancel it; queued: run it again; success), write a note",
    params: RunPath,
    query: z.object(UpdateMask),
    body: DagRunPatch,
    returns: DagRunShape,
    event: "dag_run.patch",
    audited: ["state", "note"],
  }, async ({ params, query, body, principal }) => {
    const run = await requireRun(rest, params.dag_id, params.dag_run_id);
    await patchRun(rest, run, body, { by: principal.name, mask: query.update_mask });
    return await shown(run);
  });

  book.add({
    method: "delete",
    path: "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}",
    permission: "runs.delete",
    tag,
    summary: "Delete a finished run; one that published stays, with what it published",
    params: RunPath,
    returns: null,
    event: "dag_run.delete",
  }, async ({ params }) => {
    await removeRun(rest, await requireRun(rest, params.dag_id, params.dag_run_id));
  });

  book.add({
    method: "post",
    path: "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/clear",
    permission: "runs.edit",
    tag,
    summary: "Run a run's tasks again; by default only say which",
    params: RunPath,
    body: DagRunClear,
    bodyOptional: true,
    returns: ClearedShape,
    event: "dag_run.clear",
    audited: ["dry_run", "only_failed", "only_new", "run_on_latest_version"],
  }, async ({ params, body }) => {
    const run = await requireRun(rest, params.dag_id, params.dag_run_id);
    const { spec } = await requireDag(rest, params.dag_id);
    const isAsked = body.run_on_latest_version ?? spec.rerunWithLatestVersion ?? false;
    const plan = await planClear(rest, run, {
      ...everything,
      tasks: body.only_new ? [] : null,
      onlyFailed: body.only_failed,
    }, { onLatest: body.run_on_latest_version ?? (isAsked || body.only_new) });
    if (!body.dry_run) {
      await applyClear(rest, plan, { force: body.force || isAsked });
      if (body.note !== undefined) await annotateRun(sql, { id: run.id, note: body.note });
      return await shown(run);
    }
    const { task_instances, total_entries } = await touchedInstances(
      rest,
      plan.rows.map((row) => row.id),
    );
    return {
      task_instances: [
        ...task_instances,
        ...plan.newTasks.map((id) => ({ task_id: id, task_display_name: id })),
      ],
      total_entries: total_entries + plan.newTasks.length,
    };
  });

  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/wait",
    permission: "runs.read",
    tag,
    summary: "Wait for a run's end; as NDJSON a line at each change, as JSON its last state",
    params: RunPath,
    query: z.object({
      interval: z.coerce.number().positive().max(3600).default(1).meta({
        doc: "Seconds between two looks at most; changes are told at once",
      }),
      result: many(Text).optional().meta({ doc: "Tasks whose outputs come with the end" }),
    }),
    returns: z.object({ state: z.enum(runStates) }).loose(),
    alsoReturns: ["application/x-ndjson"],
  }, async ({ params, query, request }) => {
    const run = await requireRun(rest, params.dag_id, params.dag_run_id);
    return waitForRun(rest, run, {
      intervalMs: query.interval * 1000,
      results: query.result ?? [],
      request,
    });
  });
}
