/** @module What branches and short circuits leave out. */
import type { Run, RunTask } from "./instance.ts";
import type { PlanTask } from "./plan.ts";

/** What a task before chose; null while that is open, or where it is no branch. */
type ChosenBy = (task: RunTask) => string[] | null;

/** Has a branch before the task gone elsewhere, and no chosen task leads here? */
export function isLeftOutByBranch({ run, plan }: RunTask): boolean {
  return isLeftOut(run, plan, plan, chosenBy);
}

/** The same by the branches outside of the task's mapped group: it goes for all indexes. */
export function isLeftOutFromOutside({ run, plan }: RunTask): boolean {
  return isLeftOut(run, plan, plan.outside, chosenBy);
}

/** The same by the branches of its mapped group, for one index of it. */
export function isLeftOutAt({ run, plan }: RunTask, mapIndex: number): boolean {
  return isLeftOut(run, plan, plan.inside, (task) => chosenAt(task, mapIndex));
}

function isLeftOut(
  run: Run,
  plan: PlanTask,
  before: Pick<PlanTask, "upstream" | "gates">,
  chosenOf: ChosenBy,
): boolean {
  // Whatever its setups prepared is cleaned up all the same.
  if (plan.spec.isTeardown) return false;
  if (before.gates.some((gate) => chosenOf(run.tasks[gate])?.length === 0)) return true;
  return before.upstream.some((up) => {
    const chosen = chosenOf(run.tasks[up]);
    if (chosen === null) return false;
    return !chosen.some((taskId) => {
      const index = run.plan.indexOf.get(taskId);
      return index !== undefined &&
        (index === plan.index || run.plan.descendants(index).has(plan.index));
    });
  });
}

/** The tasks that a branch chose, by any of its instances; null while that is open. */
function chosenBy(task: RunTask): string[] | null {
  if (!task.plan.spec.isBranch || task.counts.unfinished > 0) return null;
  const decided = task.instances.filter((each) => each.state === "success" && each.row.chosen);
  return decided.length === 0 ? null : decided.flatMap((each) => each.row.chosen!);
}

function chosenAt(task: RunTask, mapIndex: number): string[] | null {
  if (!task.plan.spec.isBranch) return null;
  const instance = task.at(mapIndex);
  return instance?.state === "success" ? instance.row.chosen : null;
}
