/** @module Routes of task instances: list, look, tries, attempts, outputs. */
import { z } from "zod";
import { AppError } from "../../model/errors.ts";
import {
  findAttempt,
  findTaskInstance,
  isMapped,
  listAttemptsOf,
  listAttemptsOfRun,
  listOutputs,
  listTaskInstances,
  taskInstanceOrders,
  type TaskInstanceRow,
} from "../../store/task_instance_query.ts";
import { boundsOf, pageOf, requireRun, type Rest, taskInstanceViews, unlessAll } from "../rest.ts";
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
} from "../shapes/basic.ts";
import {
  AttemptCollection,
  AttemptShape,
  TaskInstanceCollection,
  TaskInstanceHistory,
  TaskInstanceHistoryCollection,
  TaskInstancesBatch,
  TaskInstanceShape,
  XComCollection,
  XComValue,
} from "../shapes/task_instance.ts";
import { attemptView, statesShownAs, tryView, xcomView } from "../views/dag_run.ts";

const tag = "Task instances";
const RunPath = z.object({ dag_id: Name, dag_run_id: Name });
/** A task in a run. */
export const TaskPath = RunPath.extend({ task_id: Name });
const MapIndex = queryInt({ min: -1 });
const base = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances";

const listQuery = {
  state: many(Text).optional().meta({ doc: "As Airflow names them; none for those without" }),
  task_id: Text.optional(),
  ...patternsOf("task_display_name"),
  pool: many(Text).optional(),
  queue: many(Text).optional(),
  try_number: many(queryInt()).optional(),
  map_index: many(MapIndex).optional(),
  ...rangeOf("run_after", Instant),
  ...rangeOf("logical_date", Instant),
  ...rangeOf("start_date", Instant),
  ...rangeOf("end_date", Instant),
};

/** The task instance, or NOT_FOUND. */
export async function requireTaskInstance(
  rest: Rest,
  path: z.output<typeof TaskPath>,
  mapIndex: number,
): Promise<TaskInstanceRow> {
  const key = { dagId: path.dag_id, runId: path.dag_run_id, taskId: path.task_id };
  const found = await findTaskInstance(rest.sql, { ...key, mapIndex });
  if (found) return found;
  await requireRun(rest, path.dag_id, path.dag_run_id);
  const hint = mapIndex < 0 && await isMapped(rest.sql, key)
    ? ": it is mapped, so give a map_index"
    : "";
  throw new AppError(
    "NOT_FOUND",
    `Cannot find task "${path.task_id}"${mapIndex < 0 ? "" : `[${mapIndex}]`} in run ` +
      `"${path.dag_run_id}" of DAG "${path.dag_id}"${hint}`,
  );
}

/** Add them. */
export function addTaskInstanceRoutes(book: RouteBook, rest: Rest): void {
  addLists(book, rest);
  addAttempts(book, rest);
  addOutputs(book, rest);
  addInstances(book, rest);
}

function addLists(book: RouteBook, rest: Rest) {
  const { sql } = rest;
  const Query = z.object({ ...listQuery, ...paging(taskInstanceOrders, "map_index") });
  const filterOf = (query: z.output<typeof Query>) => ({
    states: query.state?.flatMap(statesShownAs),
    taskIds: query.task_id === undefined ? undefined : [query.task_id],
    taskPattern: (query as Record<string, unknown>).task_display_name_pattern as string,
    pools: query.pool,
    queues: query.queue,
    tryNumbers: query.try_number,
    mapIndexes: query.map_index,
    runAfter: boundsOf(query, "run_after"),
    logicalDate: boundsOf(query, "logical_date"),
    startDate: boundsOf(query, "start_date"),
    endDate: boundsOf(query, "end_date"),
  });

  book.add({
    method: "get",
    path: base,
    permission: "tasks.read",
    tag,
    summary: "List task instances of a run (~: of all runs, of all DAGs; newest first by default)",
    params: RunPath,
    query: Query,
    returns: TaskInstanceCollection,
  }, async ({ params, query, url }) => {
    const [dagIds, runIds] = [unlessAll(params.dag_id), unlessAll(params.dag_run_id)];
    const isOrdered = runIds !== null || url.searchParams.has("order_by");
    const run = dagIds && runIds ? await requireRun(rest, params.dag_id, params.dag_run_id) : null;
    const { items, total } = await listTaskInstances(sql, {
      ...filterOf(query),
      ...(run ? { dagRunIds: [run.id] } : { dagIds, runIds }),
    }, isOrdered ? pageOf(query) : { ...pageOf(query), orderBy: ["-id"] });
    return { task_instances: await taskInstanceViews(rest, items), total_entries: total };
  });

  book.add({
    method: "post",
    path: `${base}/list`,
    permission: "tasks.read",
    tag,
    summary: "List task instances by filters in the body",
    params: RunPath,
    body: TaskInstancesBatch,
    returns: TaskInstanceCollection,
  }, async ({ params, body }) => {
    const order = z.enum(taskInstanceOrders.flatMap((field) => [field, `-${field}`])).safeParse(
      body.order_by ?? "id",
    );
    if (!order.success) {
      throw new AppError("INVALID", `Cannot order task instances by "${body.order_by}"`);
    }
    const { items, total } = await listTaskInstances(sql, {
      dagIds: body.dag_ids ?? unlessAll(params.dag_id),
      runIds: body.dag_run_ids ?? unlessAll(params.dag_run_id),
      taskIds: body.task_ids,
      states: body.state?.flatMap((state) => statesShownAs(state ?? "none")),
      pools: body.pool,
      queues: body.queue,
    }, { limit: body.page_limit, offset: body.page_offset, orderBy: [order.data] });
    return { task_instances: await taskInstanceViews(rest, items), total_entries: total };
  });

  book.add({
    method: "get",
    path: `${base}/{task_id}/listMapped`,
    permission: "tasks.read",
    tag,
    summary: "List the instances of a mapped task",
    params: TaskPath,
    query: Query,
    returns: TaskInstanceCollection,
  }, async ({ params, query }) => {
    const run = await requireRun(rest, params.dag_id, params.dag_run_id);
    const { items, total } = await listTaskInstances(sql, {
      ...filterOf(query),
      dagRunIds: [run.id],
      taskIds: [params.task_id],
      mappedOnly: true,
    }, pageOf(query));
    return { task_instances: await taskInstanceViews(rest, items), total_entries: total };
  });
}

function addAttempts(book: RouteBook, rest: Rest) {
  const { sql } = rest;

  const tries = async (path: z.output<typeof TaskPath>, mapIndex: number) => {
    const row = await requireTaskInstance(rest, path, mapIndex);
    const [[instance], attempts] = await Promise.all([
      taskInstanceViews(rest, [row]),
      listAttemptsOf(sql, row.id),
    ]);
    return attempts.map((attempt) => tryView(attempt, instance, attempt.id === row.attemptId));
  };
  const tryOf = async (path: z.output<typeof TaskPath>, mapIndex: number, number: number) => {
    const found = (await tries(path, mapIndex)).findLast((each) => each.try_number === number);
    if (found) return found;
    throw new AppError("NOT_FOUND", `Cannot find try ${number} of task "${path.task_id}"`);
  };
  const Try = { task_try_number: queryInt() };
  const Mapped = { map_index: MapIndex };

  for (const mapped of [false, true]) {
    const path = mapped ? `${base}/{task_id}/{map_index}/tries` : `${base}/{task_id}/tries`;
    const params = mapped ? TaskPath.extend(Mapped) : TaskPath;
    const query = mapped ? z.object({}) : z.object({ map_index: MapIndex.default(-1) });
    const indexOf = (call: { params: object; query: object }) =>
      ((mapped ? call.params : call.query) as { map_index: number }).map_index;
    book.add({
      method: "get",
      path,
      permission: "tasks.read",
      tag,
      summary: "List the tries of a task instance",
      params,
      query,
      returns: TaskInstanceHistoryCollection,
    }, async (call) => {
      const all = await tries(call.params, indexOf(call));
      return { task_instances: all, total_entries: all.length };
    });
    book.add({
      method: "get",
      path: `${path}/{task_try_number}`,
      permission: "tasks.read",
      tag,
      summary: "Look at a try",
      params: params.extend(Try),
      query,
      returns: TaskInstanceHistory,
    }, (call) => tryOf(call.params, indexOf(call), call.params.task_try_number));
  }

  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/attempts",
    permission: "tasks.read",
    tag,
    summary: "List attempts of a run: end reasons, evidence, row accounting, metrics",
    params: RunPath,
    query: z.object({ task_id: Text.optional(), ...paging(["queued_at"], "queued_at") }),
    returns: AttemptCollection,
  }, async ({ params, query }) => {
    const run = await requireRun(rest, params.dag_id, params.dag_run_id);
    const { items, total } = await listAttemptsOfRun(
      sql,
      { dagRunId: run.id, taskId: query.task_id },
      pageOf(query),
    );
    return { attempts: items.map(attemptView), total_entries: total };
  });

  book.add({
    method: "get",
    path: "/api/v2/attempts/{attempt_id}",
    permission: "tasks.read",
    tag,
    summary: "Look at an attempt",
    params: z.object({ attempt_id: z.uuid() }),
    returns: AttemptShape,
  }, async ({ params }) => {
    const found = await findAttempt(sql, params.attempt_id);
    if (found) return attemptView(found);
    throw new AppError("NOT_FOUND", `Cannot find the attempt "${params.attempt_id}"`);
  });
}

function addOutputs(book: RouteBook, rest: Rest) {
  const { sql, objects } = rest;

  book.add({
    method: "get",
    path: `${base}/{task_id}/xcomEntries`,
    permission: "outputs.read",
    tag,
    summary: "List outputs (~ for run and task: of all)",
    params: TaskPath,
    query: z.object({
      xcom_key: Text.optional(),
      map_index: MapIndex.optional(),
      ...paging(["run_after"], "-run_after"),
    }),
    returns: XComCollection,
  }, async ({ params, query }) => {
    const none = query.xcom_key !== undefined && query.xcom_key !== "return_value";
    const all = (id: string) => unlessAll(id)?.[0] ?? null;
    const { items, total } = none ? { items: [], total: 0 } : await listOutputs(sql, {
      dagId: all(params.dag_id),
      runId: all(params.dag_run_id),
      taskId: all(params.task_id),
      mapIndex: query.map_index,
    }, pageOf(query));
    return { xcom_entries: items.map(xcomView), total_entries: total };
  });

  book.add({
    method: "get",
    path: `${base}/{task_id}/xcomEntries/{xcom_key}`,
    permission: "outputs.read",
    tag,
    summary: "Read the output of a task; its key is return_value",
    params: TaskPath.extend({ xcom_key: Name }),
    query: z.object({
      map_index: MapIndex.default(-1),
      deserialize: Text.optional().meta({ doc: "Taken for Airflow's sake: outputs are JSON" }),
      stringify: Text.optional().meta({ doc: "true: the value as text of JSON" }),
    }),
    returns: XComValue,
  }, async ({ params, query }) => {
    const instance = await requireTaskInstance(rest, params, query.map_index);
    const { items: [found] } = params.xcom_key === "return_value"
      ? await listOutputs(sql, {
        dagId: instance.dagId,
        runId: instance.runId,
        taskId: instance.taskId,
        mapIndex: instance.mapIndex,
      }, { limit: 1, offset: 0, orderBy: [] })
      : { items: [] };
    if (!found) {
      throw new AppError(
        "NOT_FOUND",
        `Cannot find "${params.xcom_key}" of task "${params.task_id}": it put out nothing of that ` +
          "name; an output's key is return_value",
      );
    }
    const value = found.outputKey === null
      ? found.output
      : JSON.parse(new TextDecoder().decode(await objects.get(found.outputKey)));
    const asText = query.stringify === "true" || query.stringify === "True";
    return { ...xcomView(found), value: asText ? JSON.stringify(value) : value };
  });
}

function addInstances(book: RouteBook, rest: Rest) {
  const one = async (path: z.output<typeof TaskPath>, mapIndex: number) =>
    (await taskInstanceViews(rest, [await requireTaskInstance(rest, path, mapIndex)]))[0];

  book.add({
    method: "get",
    path: `${base}/{task_id}`,
    permission: "tasks.read",
    tag,
    summary: "Look at a task instance",
    params: TaskPath,
    returns: TaskInstanceShape,
  }, ({ params }) => one(params, -1));

  book.add({
    method: "get",
    path: `${base}/{task_id}/{map_index}`,
    permission: "tasks.read",
    tag,
    summary: "Look at one instance of a mapped task",
    params: TaskPath.extend({ map_index: MapIndex }),
    returns: TaskInstanceShape,
  }, ({ params }) => one(params, params.map_index));
}
