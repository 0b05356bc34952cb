/** @module The route that changes and deletes many runs in one call, as in Airflow. */
import { z } from "zod";
import { AppError, messageOf } from "../../model/errors.ts";
import { authorize } from "../auth.ts";
import { statusOf } from "../errors.ts";
import { requireRun, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { patchRun, removeRun } from "../run_by_hand.ts";
import { Name } from "../shapes/basic.ts";
import { BulkAnswer } from "../shapes/by_hand.ts";
import { DagRunBulk } from "../shapes/dag_run.ts";

type Entity = { dag_run_id: string; dag_id?: string | null };
type Answered = NonNullable<z.input<typeof BulkAnswer>["update"]>;

/** Add it. */
export function addDagRunBulk(book: RouteBook, rest: Rest): void {
  book.add({
    method: "patch",
    path: "/api/v2/dags/{dag_id}/dagRuns",
    permission: "runs.edit",
    tag: "DAG runs",
    summary: "Set the states of many runs, or, with runs.delete, delete them " +
      "(~: the DAG is given with each)",
    params: z.object({ dag_id: Name }),
    body: DagRunBulk,
    returns: BulkAnswer,
    event: "dag_run.bulk",
    audited: ["actions"],
  }, async ({ params, body, principal }) => {
    if (body.actions.some(({ action }) => action === "delete")) {
      authorize(principal, "runs.delete");
    }
    const answer: { update: Answered | null; delete: Answered | null } = {
      update: null,
      delete: null,
    };
    for (const action of body.actions) {
      const into = answer[action.action] ??= { success: [], errors: [] };
      const isSkipped = action.action_on_non_existence === "skip";
      for (const given of action.entities) {
        const entity: Entity = typeof given === "string" ? { dag_run_id: given } : given;
        await each(into, isSkipped, async () => {
          const run = await requireRun(rest, placeOf(params.dag_id, entity), entity.dag_run_id);
          if (action.action === "delete") await removeRun(rest, run);
          else {
            await patchRun(rest, run, given as (typeof action.entities)[number], {
              by: principal.name,
              mask: action.update_mask,
            });
          }
          return `${run.dagId}.${run.runId}`;
        });
      }
    }
    return { create: null, ...answer };
  });
}

/** One that is refused does not keep the others. */
async function each(into: Answered, isSkipped: boolean, change: () => Promise<string>) {
  try {
    into.success.push(await change());
  } catch (error) {
    const status_code = statusOf(error);
    if (status_code === 404 && isSkipped) return;
    if (status_code >= 500) throw error;
    into.errors.push({ error: messageOf(error), status_code });
  }
}

/** Of the entity, or of the path. */
function placeOf(inPath: string, { dag_id, dag_run_id }: Entity): string {
  const place = dag_id ?? inPath;
  if (place !== "~" && (inPath === "~" || place === inPath)) return place;
  throw new AppError(
    "INVALID",
    place === "~"
      ? `Cannot change run "${dag_run_id}" without its dag_id`
      : `Cannot change run "${dag_run_id}" of DAG "${place}" by way of DAG "${inPath}"`,
  );
}
