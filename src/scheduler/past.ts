/** @module Which runs wait for the run before them, and whether their tasks may go on. */
import { dependsOnPast } from "../model/dag_spec.ts";
import type { PastRun } from "../store/port.ts";
import type { Run, RunTask } from "./instance.ts";

/** Runs whose plan has tasks with `dependsOnPast`, and the runs that these wait for. */
export class PastRuns {
  /** Ids of runs whose run before is to be read. */
  readonly wanted = new Set<string>();
  readonly #dependent = new Map<string, Set<Run>>();
  /** Runs by the id of the run before them. */
  readonly #followers = new Map<string, Set<Run>>();

  /** A run is there now, or has changed as a whole: what is known of its place is void. */
  add(run: Run): void {
    if (run.plan.pastDependents.length === 0 || run.row.logicalDate === null) return;
    const { dagId } = run.row;
    let runs = this.#dependent.get(dagId);
    if (!runs) this.#dependent.set(dagId, runs = new Set());
    runs.add(run);
    this.#want(run);
  }

  /** Have the later runs of its DAG look for their run before anew. */
  disturb({ dagId, logicalDate }: Run["row"]): void {
    if (logicalDate === null) return;
    for (const run of this.#dependent.get(dagId) ?? []) {
      if (run.row.logicalDate! > logicalDate) this.#want(run);
    }
  }

  remove(run: Run): void {
    this.disturb(run.row);
    this.#unfollow(run);
    this.wanted.delete(run.row.id);
    const runs = this.#dependent.get(run.row.dagId);
    if (runs?.delete(run) && runs.size === 0) this.#dependent.delete(run.row.dagId);
  }

  /** Have every run look anew: hints may have been lost. */
  disturbAll(): void {
    for (const runs of this.#dependent.values()) for (const run of runs) this.#want(run);
  }

  /** Take in the run before a run. */
  put(run: Run, { previousId, unmet }: PastRun): void {
    this.#unfollow(run);
    this.wanted.delete(run.row.id);
    run.past = { previousId, unmet: new Set(unmet) };
    if (previousId === null) return;
    let followers = this.#followers.get(previousId);
    if (!followers) this.#followers.set(previousId, followers = new Set());
    followers.add(run);
  }

  /** Runs that wait for this one. */
  followersOf(run: Run): Iterable<Run> {
    return this.#followers.get(run.row.id) ?? [];
  }

  #want(run: Run) {
    this.#unfollow(run);
    run.past = null;
    this.wanted.add(run.row.id);
  }

  #unfollow(run: Run) {
    const previousId = run.past?.previousId;
    const followers = previousId ? this.#followers.get(previousId) : undefined;
    if (followers?.delete(run) && followers.size === 0) this.#followers.delete(previousId!);
  }
}

/**
 * Does the run before let the task go on? A run without a logical date has none before it, and a
 * task that the run before did not have is the first of its kind: both may.
 */
export function pastAllows(runs: ReadonlyMap<string, Run>, { run, plan }: RunTask): boolean {
  if (!dependsOnPast(plan.spec) || run.row.logicalDate === null) return true;
  if (run.past === null) return false;
  const { previousId, unmet } = run.past;
  if (previousId === null) return true;
  const live = runs.get(previousId);
  const isMet = (taskId: string) => live ? isMetBy(live, taskId) : !unmet.has(taskId);
  const after = plan.spec.waitForDownstream ? plan.downstream : [];
  return [plan.index, ...after].every((index) => isMet(run.plan.tasks[index].spec.taskId));
}

function isMetBy(live: Run, taskId: string): boolean {
  const index = live.plan.indexOf.get(taskId);
  if (index === undefined) return true;
  const { counts } = live.tasks[index];
  return counts.of("success") + counts.of("skipped") + counts.of("removed") === counts.total;
}
