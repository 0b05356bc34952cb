/** @module Setup and teardown: what authors say, and what of it can be. */
import type { TaskSpec, TriggerRule } from "../model/dag_spec.ts";
import { broken } from "./broken.ts";
import type { TaskRef } from "./ref.ts";

/** What a teardown cleans up, and whether its failure matters; see {@link TaskOptions.teardown}. */
export interface TeardownOptions {
  /** The tasks that prepared what it cleans up; they become setups, and it comes after them. */
  setups?: TaskRef | readonly TaskRef[];
  /** Its failure fails the run; false (default): the run ends as the tasks before it say. */
  onFailureFailDagRun?: boolean;
}

/** What a task's options say of its part in a setup and teardown. */
export interface SetupTeardown {
  fields: Pick<TaskSpec, "isSetup" | "isTeardown" | "onFailureFailDagRun">;
  triggerRule: TriggerRule | undefined;
  /** Refs to its setups, not yet looked at. */
  setups: readonly unknown[];
}

/** Read the options; throws DAG_BROKEN, "Cannot `what`: …". */
export function setupTeardownOf(
  { setup, teardown, triggerRule }: {
    setup?: boolean;
    teardown?: TeardownOptions;
    triggerRule?: TriggerRule;
  },
  isBranch: boolean,
  what: string,
): SetupTeardown {
  if (!setup && teardown === undefined) return { fields: {}, triggerRule, setups: [] };
  if (setup && teardown !== undefined) {
    throw broken(what, "it is a setup and a teardown; make two tasks of it");
  }
  if (isBranch) {
    throw broken(
      what,
      "a task that chooses what goes on is neither setup nor teardown; let another task be it",
    );
  }
  if (teardown === undefined) return { fields: { isSetup: true }, triggerRule, setups: [] };
  if (typeof teardown !== "object" || teardown === null) {
    throw broken(
      what,
      "teardown is not an object; give { setups: … }, or {} for one without setups",
    );
  }
  if (triggerRule !== undefined && triggerRule !== teardownRule) {
    throw broken(
      what,
      `a teardown has the trigger rule ${teardownRule}, not ${triggerRule}; leave triggerRule out`,
    );
  }
  const { setups = [], onFailureFailDagRun = false } = teardown;
  return {
    fields: { isTeardown: true, ...(onFailureFailDagRun ? { onFailureFailDagRun } : {}) },
    triggerRule: teardownRule,
    setups: [setups].flat(),
  };
}

/** Runs once all before it have ended, if one of its setups succeeded. */
export const teardownRule = "all_done_setup_success" satisfies TriggerRule;

/** What is wrong with the setups and teardowns of a whole DAG; null when nothing is. */
export function wrongSetups(tasks: readonly TaskSpec[]): string | null {
  const byId = new Map(tasks.map((task) => [task.taskId, task]));
  for (const task of tasks) {
    if (task.isSetup && task.isTeardown) {
      return `task "${task.taskId}" is a teardown, and another teardown names it as its setup`;
    }
    if (task.isSetup && task.isBranch) {
      return `task "${task.taskId}" chooses what goes on, and a teardown names it as its setup; ` +
        `let another task be the setup`;
    }
    const setup = task.upstream.find((id) => byId.get(id)!.isSetup);
    if (setup === undefined || task.isTeardown || task.triggerRule === "all_success") continue;
    return `task "${task.taskId}" comes right after the setup "${setup}" by the trigger rule ` +
      `${task.triggerRule}; what a setup prepares is used by tasks with all_success, so that they ` +
      `run only when it is there`;
  }
  return null;
}
