/** @module What people do to a run as a whole: set its state, write a note, delete it. */
import type { z } from "zod";
import { AppError } from "../model/errors.ts";
import { isRunFinished } from "../model/run_state.ts";
import { isFinished } from "../model/task_state.ts";
import { forgetRun } from "../store/backfill.ts";
import { annotateRun, type DagRunRow, deleteRun } from "../store/dag_run_query.ts";
import { applyClear, everything, planClear } from "./clear.ts";
import type { Rest } from "./rest.ts";
import { applySet, planSet } from "./set_state.ts";
import type { DagRunPatch } from "./shapes/dag_run.ts";

/** Change a run as a body says, as far as the mask goes. Throws CONFLICT as a clear and a cancel do. */
export async function patchRun(
  rest: Rest,
  run: DagRunRow,
  body: z.output<typeof DagRunPatch>,
  { by, mask }: { by: string; mask?: readonly string[] | null },
): Promise<void> {
  const may = (field: string) => !mask || mask.includes(field);
  if (may("state") && body.state != null) {
    await setState(rest, run, { state: body.state, force: body.force }, by);
  }
  if (may("note") && body.note !== undefined) {
    await annotateRun(rest.sql, { id: run.id, note: body.note });
  }
}

/** Delete a finished run. Throws CONFLICT where it is not, or where it published. */
export async function removeRun({ sql }: Rest, run: DagRunRow): Promise<void> {
  await sql.begin(async (tx) => {
    await forgetRun(tx, run.id);
    await deleteRun(tx, run);
  });
}

async function setState(
  rest: Rest,
  run: DagRunRow,
  { state, force }: { state: "queued" | "success" | "failed"; force: boolean },
  by: string,
) {
  const refuse = (why: string) =>
    new AppError("CONFLICT", `Cannot set run "${run.runId}" to ${state}: ${why}`);
  if (state === "success") return await succeed(rest, run, by);
  if (state === "queued") {
    const plan = await planClear(rest, run, everything, { onLatest: false });
    return await applyClear(rest, plan, { force });
  }
  if (run.state === "failed") return;
  if (isRunFinished(run.state)) throw refuse(`it is ${run.state} already`);
  const { spec } = await rest.versions.get(run.dagVersionId);
  const spared = spec.tasks.filter((task) => task.isTeardown).map((task) => task.taskId);
  await rest.store.cancelRun(run.id, { now: rest.clock.now(), by, spared });
}

/** As in Airflow: its tasks are successes too, but teardowns to come, which still clean up. */
async function succeed(rest: Rest, run: DagRunRow, by: string) {
  const { spec } = await rest.versions.get(run.dagVersionId);
  const plan = await planSet(rest, [run], everything, "success");
  const teardowns = new Set(spec.tasks.filter((t) => t.isTeardown).map((t) => t.taskId));
  const rows = plan.rows.filter(({ state, taskId }) =>
    state !== "skipped" && (isFinished(state) || !teardowns.has(taskId))
  );
  await applySet(rest, { ...plan, rows, clears: [] }, { by });
}
