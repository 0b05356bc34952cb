/** @module Routes of DAGs: list, look, pause, versions, sources, tasks, tags, statistics. */
import { z } from "zod";
import { AppError } from "../../model/errors.ts";
import { runStates } from "../../model/run_state.ts";
import {
  countRuns,
  dagOrders,
  deleteDag,
  findDagSource,
  listDags,
  listDagVersions,
  listTags,
  setPaused,
} from "../../store/dag_query.ts";
import { pageOf, patternOf, requireDag, type Rest, unlessAll } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import {
  many,
  Name,
  paging,
  patternsOf,
  QueryFlag,
  queryInt,
  Text,
  UpdateMask,
} from "../shapes/basic.ts";
import {
  DagCollection,
  DagDetails,
  DagPatch,
  DagShape,
  DagSource,
  DagStats,
  DagTagCollection,
  DagVersionCollection,
  DagVersionShape,
  TaskCollection,
  TaskShape,
} from "../shapes/dag.ts";
import { dagDetailsView, dagVersionView, dagView, taskView } from "../views/dag.ts";

const tag = "DAGs";
const DagPath = z.object({ dag_id: Name });
const filters = {
  tags: many(Text).optional(),
  tags_match_mode: z.enum(["any", "all"]).default("any"),
  owners: many(Text).optional(),
  ...patternsOf("dag_id"),
  ...patternsOf("dag_display_name"),
  exclude_stale: QueryFlag.default(true),
  paused: QueryFlag.optional(),
  has_import_errors: QueryFlag.optional(),
  last_dag_run_state: z.enum(runStates).optional(),
  dag_run_state: many(Text).optional(),
};

/** Add them. */
export function addDagRoutes(book: RouteBook, rest: Rest): void {
  const { sql, clock, hints } = rest;

  const List = z.object({ ...filters, ...paging(dagOrders, "dag_id") });
  const filterOf = (query: z.output<typeof List>) => {
    const { pattern, prefix } = patternOf(query, "dag_id");
    const shown = patternOf(query, "dag_display_name");
    return {
      pattern: pattern ?? shown.pattern,
      prefix: prefix ?? shown.prefix,
      tags: query.tags,
      tagsMatchAll: query.tags_match_mode === "all",
      owners: query.owners,
      isPaused: query.paused,
      isStale: query.exclude_stale ? false : undefined,
      hasImportErrors: query.has_import_errors,
      lastRunState: query.last_dag_run_state,
      runStates: query.dag_run_state,
    };
  };
  const listed = async (query: z.output<typeof List>) => {
    const { items, total } = await listDags(sql, filterOf(query), pageOf(query));
    const now = clock.now();
    return { dags: items.map((dag) => dagView(dag, now)), total_entries: total };
  };

  book.add({
    method: "get",
    path: "/api/v2/dags",
    permission: "dags.read",
    tag,
    summary: "List DAGs",
    query: List,
    returns: DagCollection,
  }, ({ query }) => listed(query));

  book.add({
    method: "patch",
    path: "/api/v2/dags",
    permission: "dags.edit",
    tag,
    summary: "Pause or unpause all DAGs of a list",
    query: List.extend(UpdateMask),
    body: DagPatch,
    returns: DagCollection,
    event: "dag.patch_many",
  }, async ({ query, body }) => {
    const { items } = await listDags(sql, filterOf(query), pageOf(query));
    const dagIds = items.map((dag) => dag.dagId);
    await setPaused(sql, { dagIds, isPaused: body.is_paused });
    if (dagIds.length > 0) hints.publish({ topic: "dags", ids: dagIds });
    const changed = await listDags(sql, { ids: dagIds }, { ...pageOf(query), offset: 0 });
    const now = clock.now();
    return { dags: changed.items.map((dag) => dagView(dag, now)), total_entries: changed.total };
  });

  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}",
    permission: "dags.read",
    tag,
    summary: "Look at a DAG",
    params: DagPath,
    returns: DagShape,
  }, async ({ params }) => dagView(await requireDag(rest, params.dag_id), clock.now()));

  book.add({
    method: "patch",
    path: "/api/v2/dags/{dag_id}",
    permission: "dags.edit",
    tag,
    summary: "Pause or unpause a DAG",
    params: DagPath,
    query: z.object(UpdateMask),
    body: DagPatch,
    returns: DagShape,
    event: "dag.patch",
  }, async ({ params, body }) => {
    await requireDag(rest, params.dag_id);
    await setPaused(sql, { dagIds: [params.dag_id], isPaused: body.is_paused });
    hints.publish({ topic: "dags", ids: [params.dag_id] });
    return dagView(await requireDag(rest, params.dag_id), clock.now());
  });

  book.add({
    method: "delete",
    path: "/api/v2/dags/{dag_id}",
    permission: "dags.delete",
    tag,
    summary: "Delete a DAG whose file is gone, with its runs; one that published stays",
    params: DagPath,
    returns: null,
    event: "dag.delete",
  }, async ({ params }) => {
    const result = await deleteDag(sql, params.dag_id);
    if (result.kind === "missing") await requireDag(rest, params.dag_id);
    if (result.kind === "kept") {
      throw new AppError("CONFLICT", `Cannot delete the DAG "${params.dag_id}": ${result.why}`);
    }
    hints.publish({ topic: "dags", ids: [params.dag_id] });
  });

  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/details",
    permission: "dags.read",
    tag,
    summary: "Look at all of a DAG but its tasks",
    params: DagPath,
    returns: DagDetails,
  }, async ({ params }) => {
    const dag = await requireDag(rest, params.dag_id);
    const counts = await countRuns(sql, [params.dag_id]);
    const activeRuns = counts.filter(({ state }) => state === "queued" || state === "running")
      .reduce((sum, { count }) => sum + count, 0);
    return dagDetailsView(dag, { now: clock.now(), activeRuns });
  });

  addTasks(book, rest);
  addVersions(book, rest);
  addOverviews(book, rest);
}

function addTasks(book: RouteBook, rest: Rest) {
  const specOf = async (dagId: string) => {
    const dag = await requireDag(rest, dagId);
    return (await rest.versions.get(dag.versionId)).spec;
  };

  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/tasks",
    permission: "dags.read",
    tag,
    summary: "List the tasks of a DAG's newest version",
    params: DagPath,
    query: z.object({
      order_by: z.enum(["task_id", "-task_id", "topological"]).default("task_id"),
    }),
    returns: TaskCollection,
  }, async ({ params, query }) => {
    const spec = await specOf(params.dag_id);
    const tasks = spec.tasks.map((task) => taskView(task, spec));
    if (query.order_by !== "topological") {
      tasks.sort((a, b) => (a.task_id < b.task_id ? -1 : 1));
      if (query.order_by === "-task_id") tasks.reverse();
    }
    return { tasks, total_entries: tasks.length };
  });

  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/tasks/{task_id}",
    permission: "dags.read",
    tag,
    summary: "Look at a task",
    params: DagPath.extend({ task_id: Name }),
    returns: TaskShape,
  }, async ({ params }) => {
    const spec = await specOf(params.dag_id);
    const task = spec.tasks.find((each) => each.taskId === params.task_id);
    if (task) return taskView(task, spec);
    throw new AppError(
      "NOT_FOUND",
      `Cannot find the task "${params.task_id}" of DAG "${params.dag_id}"`,
    );
  });
}

function addVersions(book: RouteBook, rest: Rest) {
  const { sql } = rest;

  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/dagVersions",
    permission: "dags.read",
    tag,
    summary: "List versions of a DAG (~: of all)",
    params: DagPath,
    query: z.object({
      version_number: queryInt().optional(),
      bundle_name: Text.optional(),
      bundle_version: Text.optional(),
      ...paging(["id", "version_number", "created_at", "dag_id"], "id"),
    }),
    returns: DagVersionCollection,
  }, async ({ params, query }) => {
    const [dagId = null] = unlessAll(params.dag_id) ?? [];
    if (dagId !== null) await requireDag(rest, dagId);
    const { items, total } = await listDagVersions(sql, {
      dagId,
      versionNumber: query.version_number,
      bundleVersion: query.bundle_version,
    }, pageOf(query));
    return { dag_versions: items.map(dagVersionView), total_entries: total };
  });

  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/dagVersions/{version_number}",
    permission: "dags.read",
    tag,
    summary: "Look at a version of a DAG",
    params: DagPath.extend({ version_number: queryInt() }),
    returns: DagVersionShape,
  }, async ({ params }) => {
    const { items: [version] } = await listDagVersions(
      sql,
      { dagId: params.dag_id, versionNumber: params.version_number },
      { limit: 1, offset: 0, orderBy: [] },
    );
    if (version) return dagVersionView(version);
    await requireDag(rest, params.dag_id);
    throw new AppError(
      "NOT_FOUND",
      `Cannot find version ${params.version_number} of DAG "${params.dag_id}"`,
    );
  });

  book.add({
    method: "get",
    path: "/api/v2/dagSources/{dag_id}",
    permission: "dags.read",
    tag,
    summary: "Read the file of a DAG, as it was at a version",
    params: DagPath,
    query: z.object({ version_number: queryInt().optional() }),
    returns: DagSource,
    alsoReturns: ["text/plain"],
  }, async ({ params, query, request }) => {
    const dag = await requireDag(rest, params.dag_id);
    const found = await findDagSource(sql, {
      dagId: dag.dagId,
      versionNumber: query.version_number ?? null,
    });
    if (!found) {
      throw new AppError(
        "NOT_FOUND",
        `Cannot find the source of version ${query.version_number} of DAG "${dag.dagId}"`,
      );
    }
    if (request.headers.get("accept")?.startsWith("text/plain")) {
      return new Response(found.source, {
        headers: { "content-type": "text/plain; charset=utf-8" },
      });
    }
    return {
      content: found.source,
      dag_id: dag.dagId,
      version_number: found.versionNumber,
      dag_display_name: dag.dagId,
    };
  });
}

function addOverviews(book: RouteBook, { sql }: Rest) {
  book.add({
    method: "get",
    path: "/api/v2/dagStats",
    permission: "runs.read",
    tag,
    summary: "Count runs by DAG and state",
    query: z.object({ dag_ids: many(Text).optional() }),
    returns: DagStats,
  }, async ({ query }) => {
    const counts = await countRuns(sql, query.dag_ids ?? null);
    const byDag = Map.groupBy(counts, ({ dagId }) => dagId);
    const dags = [...byDag].map(([dagId, ofDag]) => ({
      dag_id: dagId,
      dag_display_name: dagId,
      stats: runStates.map((state) => ({
        state,
        count: ofDag.find((each) => each.state === state)?.count ?? 0,
      })),
    }));
    return { dags, total_entries: dags.length };
  });

  book.add({
    method: "get",
    path: "/api/v2/dagTags",
    permission: "dags.read",
    tag,
    summary: "List tags of DAGs",
    query: z.object({ ...patternsOf("tag_name"), ...paging(["name"], "name") }),
    returns: DagTagCollection,
  }, async ({ query }) => {
    const { items, total } = await listTags(sql, patternOf(query, "tag_name"), pageOf(query));
    return { tags: items, total_entries: total };
  });
}
