/** @module Which tasks of a run may start, and which end without running. */
import type { Ids } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import type { TaskState } from "../model/task_state.ts";
import type { TaskExpansion } from "../store/port.ts";
import { decideGroup, endOf, type GroupFacts } from "./decide_group.ts";
import { decideMapping, type ExpansionRoom, type Mapping } from "./decide_mapping.ts";
import type { Instance, Run, RunTask } from "./instance.ts";
import { failedFastBy } from "./fail_fast.ts";
import { isLeftOutByBranch } from "./left_out.ts";
import { pastAllows } from "./past.ts";
import type { EngineState } from "./state.ts";
import { countInstances } from "./upstream_counts.ts";
import { decideSetups, decideTrigger, type UpstreamCounts, type Verdict } from "./trigger_rule.ts";

/** What {@link decideTasks} made beside moves. */
export interface TaskWrites {
  expansions: TaskExpansion[];
  /** Instances that may start now, in order. */
  ready: Instance[];
  /** Instances that have an attempt and are to be stopped. */
  cancels: Cancel[];
}

/** An instance to be stopped, and why. */
export interface Cancel {
  instance: Instance;
  by: string;
}

/**
 * Look at every task of a running run whose upstreams changed, in topological order: what ends
 * without running spreads to the tasks after it within the same call.
 */
export function decideTasks(
  state: EngineState,
  run: Run,
  { ids, log, room }: { ids: Ids; log: Logger; room: ExpansionRoom },
): TaskWrites {
  const writes: TaskWrites = { expansions: [], ready: [], cancels: [] };
  removeVanished(state, run);
  if (run.row.cancelRequestedAt) {
    cancelWaiting(state, run);
    for (const index of run.plan.teardowns) run.markDirty(index);
  }
  if (run.state !== "running") return writes;
  const failed = failedFastBy(run);
  const deciding = { ids, log, room, writes, failed };
  decideDirty(state, run, deciding);
  if (failed === null) return writes;
  writes.cancels = failFast(state, run, failed);
  for (const index of run.plan.teardowns) run.markDirty(index);
  decideDirty(state, run, deciding);
  return writes;
}

function decideDirty(state: EngineState, run: Run, deciding: Deciding) {
  for (let task = run.nextDirty(); task; task = run.nextDirty()) {
    if (task.idle.size > 0) decideTask(state, task, deciding);
  }
}

interface Deciding {
  ids: Ids;
  log: Logger;
  room: ExpansionRoom;
  writes: TaskWrites;
  /** The task for which the run is being ended. */
  failed: string | null;
}

function decideTask(state: EngineState, task: RunTask, deciding: Deciding) {
  const isStopping = task.run.row.cancelRequestedAt !== null || deciding.failed !== null;
  if (isStopping && task.plan.spec.isTeardown && isInUse(task)) return;
  startForced(state, task, deciding);
  if (task.idle.size === 0) return;
  const mayGoOn = pastAllows(state.runs, task);
  const maySkip = mayGoOn || !task.plan.spec.waitForPastDependsBeforeSkipping;
  if (task.plan.spec.mappedGroup !== undefined) {
    const isEnding = deciding.failed !== null && !task.plan.spec.isTeardown;
    if (decideInGroup(state, task, deciding, { mayGoOn, maySkip, isEnding })) return;
  }
  if (isLeftOutByBranch(task)) return maySkip ? endIdle(state, task, "skipped") : undefined;
  const counts = countInstances(task.run, task.plan.upstream);
  const rule = task.plan.spec.triggerRule;
  if (counts.removed > 0 && task.isExpanded) {
    // Only here can instances of one task differ: by their map index.
    for (const instance of [...task.idle]) {
      const own = decideTrigger(rule, counts, instance.mapIndex);
      if (own === "remove") state.move(instance, "removed");
    }
  }
  const verdict = verdictOf(task, counts);
  if (verdict === "wait" || verdict === "run" && !mayGoOn || verdict === "skip" && !maySkip) return;
  // Where the run is being ended, what could start is skipped with the rest.
  if (verdict === "run" && deciding.failed !== null && !task.plan.spec.isTeardown) return;
  if (verdict === "run") start(state, task, deciding);
  else endIdle(state, task, endOf[verdict]);
}

/** What somebody asked for alone: its upstreams, the run before and branches have no say. */
function startForced(state: EngineState, task: RunTask, { writes }: Deciding) {
  // A mapped task that is not expanded stands for instances that nobody knows yet.
  if (task.plan.lengthFrom && !task.isExpanded) return;
  for (const instance of [...task.idle]) {
    if (!instance.row.isForced) continue;
    state.makeReady(instance);
    writes.ready.push(instance);
  }
}

/**
 * Does anything before it still run? In a run that is being stopped a teardown's direct upstreams
 * can have ended while a task further up is not gone yet.
 */
function isInUse({ run, plan }: RunTask): boolean {
  return run.tasks.some((other) =>
    other.counts.unfinished > 0 && run.plan.descendants(other.plan.index).has(plan.index)
  );
}

/** By the setups that serve it, then by its rule. */
function verdictOf(task: RunTask, counts: UpstreamCounts): Verdict {
  const { spec, setups, upstream } = task.plan;
  const mapIndex = task.isExpanded ? 0 : -1;
  const own = () => decideTrigger(spec.triggerRule, counts, mapIndex);
  if (setups.length === 0 || upstream.length === 0 || spec.triggerRule === "always") return own();
  const bySetups = decideSetups(countInstances(task.run, setups), mapIndex);
  if (bySetups === "run") return own();
  if (bySetups !== "wait") return bySetups;
  const verdict = own();
  return verdict === "run" ? "wait" : verdict;
}

function start(state: EngineState, task: RunTask, deciding: Deciding) {
  if (!task.plan.lengthFrom) return startAll(state, [...task.idle], deciding);
  const mapping = decideMapping(state, task, deciding);
  if (mapping.kind === "wait") return;
  if (mapping.kind === "end") return endUnmapped(state, task, mapping, deciding);
  if (mapping.expansion) deciding.writes.expansions.push(mapping.expansion);
  startAll(state, mapping.kind === "expanding" ? mapping.ready : [...task.idle], deciding);
}

function startAll(state: EngineState, ready: readonly Instance[], { writes }: Deciding) {
  for (const instance of ready) {
    state.makeReady(instance);
    writes.ready.push(instance);
  }
}

function endUnmapped(
  state: EngineState,
  task: RunTask,
  { state: to, reason }: Extract<Mapping, { kind: "end" }>,
  { log }: Deciding,
) {
  if (reason) {
    log.error(reason, { dagRunId: task.run.row.id });
    for (const instance of task.idle) instance.note = reason;
  }
  endIdle(state, task, to);
}

/**
 * Decide on a task of a mapped group, which gets its instances as soon as their number is known. False
 * while that is open: until then it is decided on as any other task.
 */
function decideInGroup(
  state: EngineState,
  task: RunTask,
  deciding: Deciding,
  facts: Omit<GroupFacts, "mapping">,
): boolean {
  const mapping = decideMapping(state, task, deciding);
  if (mapping.kind === "end") {
    if (mapping.state === "skipped" && !facts.maySkip) return true;
    endUnmapped(state, task, mapping, deciding);
    return true;
  }
  if (mapping.kind === "wait" && task.unexpanded) return false;
  if (mapping.kind !== "wait" && mapping.expansion) {
    deciding.writes.expansions.push(mapping.expansion);
  }
  const { ready, ends } = decideGroup(task, { mapping, ...facts });
  for (const { instance, to } of ends) state.move(instance, to);
  startAll(state, ready, deciding);
  return true;
}

function endIdle(state: EngineState, task: RunTask, to: TaskState) {
  for (const instance of [...task.idle]) state.move(instance, to);
}

/** Of a cancelled run, or one that fails fast: what these end, teardowns are left out of. */
const waitingStates: readonly TaskState[] = [
  "none",
  "scheduled",
  "up_for_retry",
  "up_for_reschedule",
  "deferred",
  "awaiting_input",
];

/** Teardowns of a run that was under way are left to their rule: what was set up is cleaned up. */
function cancelWaiting(state: EngineState, run: Run) {
  for (const task of run.tasks) {
    if (task.plan.spec.isTeardown && run.state === "running") continue;
    if (waitingStates.every((each) => task.counts.of(each) === 0)) continue;
    for (const instance of task.instances) {
      if (waitingStates.includes(instance.state)) state.move(instance, "cancelled");
    }
  }
}

/** Skip what waits; returns what has an attempt, for the store to stop it. */
function failFast(state: EngineState, run: Run, failed: string): Cancel[] {
  const by = `fail-fast: task "${failed}" failed`;
  const cancels: Cancel[] = [];
  for (const { counts, instances, plan } of run.tasks) {
    if (counts.unfinished === 0 || plan.spec.isTeardown) continue;
    for (const instance of instances) {
      if (waitingStates.includes(instance.state)) {
        instance.note = `Skipped: task "${failed}" failed, and the DAG fails fast`;
        state.move(instance, "skipped");
      } else if (instance.state === "queued" || instance.state === "running") {
        cancels.push({ instance, by });
      }
    }
  }
  return cancels;
}

const held: ReadonlySet<TaskState> = new Set(["queued", "running", "cancelling", "removed"]);

/** A re-run on a version without these tasks: they go once nothing runs them. */
function removeVanished(state: EngineState, run: Run) {
  for (const { instances } of run.vanished) {
    for (const instance of instances) {
      if (!held.has(instance.state)) state.move(instance, "removed");
    }
  }
}
