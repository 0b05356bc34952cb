/** @module Only some of a DAG's tasks, where the others stand on what they put out before. */
import type { DagSpec, TaskSpec } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";

/** Which tasks of a DAG run. */
export interface Choice {
  /** The DAG without the tasks that nothing chosen comes after. */
  spec: DagSpec;
  /** Tasks of `spec` that do not run: they put out what was recorded of them, or nothing. */
  standIns: ReadonlySet<string>;
}

/**
 * Choose one task, or one and all that comes after it. Throws NOT_FOUND for a task that is none, and
 * INVALID where a chosen task needs the output of one that is not and `recorded` does not have it.
 */
export function chooseTasks(
  spec: DagSpec,
  { task, fromTask }: { task?: string; fromTask?: string },
  recorded: ReadonlySet<string>,
): Choice {
  const stood = spec.tasks.map(({ taskId }) => taskId).filter((id) => recorded.has(id));
  const chosenId = task ?? fromTask;
  if (chosenId === undefined) return { spec, standIns: new Set(stood) };
  if (task !== undefined && fromTask !== undefined) {
    throw new AppError("INVALID", "Cannot choose both one task and a task to go on from");
  }
  const byId = new Map(spec.tasks.map((one) => [one.taskId, one]));
  if (!byId.has(chosenId)) {
    throw new AppError(
      "NOT_FOUND",
      `Cannot run task "${chosenId}": DAG "${spec.dagId}" has ${[...byId.keys()].join(", ")}`,
    );
  }
  const chosen = task !== undefined ? new Set([task]) : withDownstream(spec.tasks, chosenId);
  const kept = withUpstream(byId, chosen);
  const standIns = new Set([...kept].filter((id) => !chosen.has(id)));
  for (const id of chosen) checkInputs(byId.get(id)!, standIns, recorded);
  return {
    spec: { ...spec, tasks: spec.tasks.filter(({ taskId }) => kept.has(taskId)) },
    standIns,
  };
}

/** Tasks are in the order of their edges. */
function withDownstream(tasks: readonly TaskSpec[], first: string): Set<string> {
  const found = new Set([first]);
  for (const { taskId, upstream } of tasks) {
    if (upstream.some((id) => found.has(id))) found.add(taskId);
  }
  return found;
}

function withUpstream(byId: ReadonlyMap<string, TaskSpec>, chosen: ReadonlySet<string>) {
  const found = new Set<string>();
  const queue = [...chosen];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    queue.push(...byId.get(id)!.upstream);
  }
  return found;
}

function checkInputs(
  { taskId, inputs }: TaskSpec,
  standIns: ReadonlySet<string>,
  recorded: ReadonlySet<string>,
): void {
  for (const input of Object.values(inputs)) {
    const source = "taskId" in input ? input.taskId : null;
    if (source === null || !standIns.has(source) || recorded.has(source)) continue;
    throw new AppError(
      "INVALID",
      `Cannot run task "${taskId}" by itself: it takes the output of "${source}", of which none is ` +
        `recorded; record a whole run with --record DIR, then give --inputs DIR`,
    );
  }
}
