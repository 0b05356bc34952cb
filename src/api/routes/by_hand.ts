/** @module Routes of what people do to task instances: run them again, set their states. */
import { z } from "zod";
import { AppError, messageOf } from "../../model/errors.ts";
import { annotateTaskInstances } from "../../store/task_instance_query.ts";
import { chooseRuns } from "../choose_runs.ts";
import { applyClears, planClears } from "../clear.ts";
import { statusOf } from "../errors.ts";
import { requireDag, type Rest, touchedInstances } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { applySet, planSet, requireWaiting } from "../set_state.ts";
import { Name, queryInt, UpdateMask } from "../shapes/basic.ts";
import { BulkAnswer, ClearBody, TaskInstanceBulk, TaskInstancePatch } from "../shapes/by_hand.ts";
import { TaskInstanceCollection } from "../shapes/task_instance.ts";
import { requireTaskInstance, TaskPath } from "./task_instances.ts";

const tag = "Task instances";
const RunPath = z.object({ dag_id: Name, dag_run_id: Name });
const base = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances";
const MapIndex = queryInt({ min: -1 });

/** Add them. */
export function addByHandRoutes(book: RouteBook, rest: Rest): void {
  addClear(book, rest);
  addPatches(book, rest);
  addBulk(book, rest);
}

function addClear(book: RouteBook, rest: Rest) {
  book.add({
    method: "post",
    path: "/api/v2/dags/{dag_id}/clearTaskInstances",
    permission: "tasks.clear",
    tag,
    summary: "Run task instances again; by default only say which",
    params: z.object({ dag_id: Name }),
    body: ClearBody,
    returns: TaskInstanceCollection,
    event: "task_instance.clear",
    audited: ["dry_run", "task_ids", "only_failed", "run_on_latest_version", "ignore_dependencies"],
  }, async ({ params, body }) => {
    const { spec } = await requireDag(rest, params.dag_id);
    const onLatest = body.run_on_latest_version ?? spec.rerunWithLatestVersion ?? false;
    const runs = await chooseRuns(rest, params.dag_id, {
      runId: body.dag_run_id ?? null,
      includePast: body.include_past,
      includeFuture: body.include_future,
      startDate: body.start_date,
      endDate: body.end_date,
    });
    const plans = await planClears(rest, runs, {
      tasks: body.task_ids?.map((task) =>
        typeof task === "string"
          ? { taskId: task, mapIndex: null }
          : { taskId: task[0], mapIndex: task[1] }
      ) ?? null,
      includeUpstream: body.include_upstream,
      includeDownstream: body.include_downstream,
      onlyFailed: body.only_failed ?? !(body.only_running || body.ignore_dependencies),
      onlyRunning: body.only_running,
    }, { onLatest });
    const ids = plans.flatMap((plan) => plan.rows.map((row) => row.id));
    if (!body.dry_run) {
      await applyClears(rest, plans, {
        preventRunning: body.prevent_running_task,
        force: body.force || onLatest,
        keepRunStates: !body.reset_dag_runs,
        ignoreDependencies: body.ignore_dependencies,
      });
      if (body.note !== undefined) await annotateTaskInstances(rest.sql, { ids, note: body.note });
    }
    return await touchedInstances(rest, ids);
  });
}

/** What one patch asks for. */
type Patch = z.output<typeof TaskInstancePatch>;
interface Target {
  path: z.output<typeof TaskPath>;
  /** null: all instances of the task. */
  mapIndex: number | null;
}

/** The instances that a patch is about, changed or only named. */
async function patch(
  rest: Rest,
  { path, mapIndex }: Target,
  body: Omit<Patch, "only_waiting"> & { only_waiting?: boolean },
  { isDry, by, mask }: { isDry: boolean; by: string; mask?: readonly string[] | null },
) {
  const may = (field: string) => !mask || mask.includes(field);
  if (mapIndex !== null) await requireTaskInstance(rest, path, mapIndex);
  const runs = await chooseRuns(rest, path.dag_id, {
    runId: path.dag_run_id,
    includePast: body.include_past,
    includeFuture: body.include_future,
  });
  const to = may("new_state") ? body.new_state ?? null : null;
  const plan = await planSet(rest, runs, {
    tasks: [{ taskId: path.task_id, mapIndex }],
    includeUpstream: body.include_upstream,
    includeDownstream: body.include_downstream,
  }, to ?? "success");
  if (!plan.chosen.some((row) => row.taskId === path.task_id)) {
    await requireTaskInstance(rest, path, -1);
  }
  const touched = to === null || !isDry ? plan.chosen : plan.rows;
  const ids = touched.map((row) => row.id);
  if (isDry) return ids;
  if (to !== null) {
    if (body.only_waiting) requireWaiting(plan, { runId: path.dag_run_id });
    await applySet(rest, plan, { by, note: may("note") ? body.note : null });
  } else if (may("note") && body.note !== undefined) {
    await annotateTaskInstances(rest.sql, { ids, note: body.note });
  }
  return ids;
}

function addPatches(book: RouteBook, rest: Rest) {
  for (const isMapped of [false, true]) {
    const path = isMapped ? `${base}/{task_id}/{map_index}` : `${base}/{task_id}`;
    const params = isMapped ? TaskPath.extend({ map_index: MapIndex }) : TaskPath;
    const query = z.object({
      ...UpdateMask,
      ...(isMapped ? {} : { map_index: MapIndex.optional() }),
    });
    for (const isDry of [false, true]) {
      book.add({
        method: "patch",
        path: isDry ? `${path}/dry_run` : path,
        permission: "tasks.edit",
        tag,
        summary: isDry
          ? "Say whose state a patch would change"
          : `Set the state of ${isMapped ? "one instance" : "a task"} by hand, or write a note`,
        params,
        query,
        body: TaskInstancePatch,
        returns: TaskInstanceCollection,
        ...(isDry ? {} : { event: "task_instance.patch", audited: ["new_state", "note"] }),
      }, async (call) => {
        const given = { ...call.query, ...call.params } as { map_index?: number };
        const ids = await patch(
          rest,
          { path: call.params, mapIndex: given.map_index ?? null },
          call.body,
          { isDry, by: call.principal.name, mask: call.query.update_mask },
        );
        return await touchedInstances(rest, ids);
      });
    }
  }
}

function addBulk(book: RouteBook, rest: Rest) {
  book.add({
    method: "patch",
    path: base,
    permission: "tasks.edit",
    tag,
    summary: "Set the states of many task instances (~: DAG and run are given with each)",
    params: RunPath,
    body: TaskInstanceBulk,
    returns: BulkAnswer,
    event: "task_instance.bulk",
    audited: ["actions"],
  }, async ({ params, body, principal }) => {
    const success: string[] = [];
    const errors: { error: string; status_code: number }[] = [];
    for (const action of body.actions) {
      for (const { task_id, map_index, dag_id, dag_run_id, ...entity } of action.entities) {
        try {
          const path = {
            dag_id: placeOf("dag_id", params.dag_id, dag_id),
            dag_run_id: placeOf("dag_run_id", params.dag_run_id, dag_run_id),
            task_id,
          };
          const name = `${path.dag_id}.${path.dag_run_id}.${task_id}[${map_index ?? -1}]`;
          await patch(rest, { path, mapIndex: map_index ?? null }, entity, {
            isDry: false,
            by: principal.name,
            mask: action.update_mask,
          });
          success.push(name);
        } catch (error) {
          const status_code = statusOf(error);
          if (status_code === 404 && action.action_on_non_existence === "skip") continue;
          if (status_code >= 500) throw error;
          errors.push({ error: messageOf(error), status_code });
        }
      }
    }
    return { create: null, update: { success, errors }, delete: null };
  });

  /** Of the path, or with `~` there of the entity. */
  function placeOf(name: string, inPath: string, given: string | null | undefined): string {
    if (inPath !== "~") return inPath;
    if (given) return given;
    throw new AppError("INVALID", `Cannot change a task instance without its ${name}`);
  }
}
