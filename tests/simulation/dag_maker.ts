/** @module Random DAGs, small enough to end and odd enough to find faults. */
import type { Random } from "../../src/base/random.ts";
import {
  type DagSpec,
  type ScheduleSpec,
  type TriggerRule,
  triggerRules,
} from "../../src/model/dag_spec.ts";
import { runDataset } from "../../src/model/watch_spec.ts";
import { withNotices } from "./notice_checkers.ts";
import { type ShortTask, specOf } from "../support/scheduler_world.ts";

/** Draws from a seeded source. */
export class Dice {
  constructor(readonly random: Random) {}

  /** A whole number in [min, max]. */
  int(min: number, max: number): number {
    return min + Math.floor(this.random.next() * (max - min + 1));
  }

  chance(probability: number): boolean {
    return this.random.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)];
  }

  /** Each item with the given probability. */
  some<T>(list: readonly T[], probability: number): T[] {
    return list.filter(() => this.chance(probability));
  }
}

/** A DAG of two to seven tasks. Tasks named `list…` put out arrays, those named
 * `waits…` and `asks…` wait for a trigger or a person. */
export function makeDag(
  dice: Dice,
  dagId: string,
  { schedule, start, canPause }: {
    schedule: ScheduleSpec | null;
    start: string;
    canPause: boolean;
  },
): DagSpec {
  const failFast = dice.chance(0.2);
  const isPausing = dice.chance(0.2) && canPause;
  return withNotices(specOf(dagId, makeTasks(dice, failFast), {
    maxActiveRuns: dice.int(1, 3),
    maxActiveTasks: dice.int(2, 6),
    ...(failFast ? { failFast } : {}),
    ...(dice.chance(0.2)
      ? { retryBudget: { perRun: dice.int(0, 2), perHour: dice.int(1, 4) } }
      : {}),
    ...(isPausing ? { maxConsecutiveFailedDagRuns: dice.int(1, 3) } : {}),
    ...(schedule?.kind === "datasets" ? { schedule, start } : {}),
    ...(schedule && schedule.kind !== "datasets"
      ? { schedule, start, catchup: dice.chance(0.5) }
      : {}),
  }));
}

/** The DAG that waits for datasets. */
export const dataDag = "dag3";

/** The DAG whose runs it may follow. */
export const followedDag = "dag1";

/** Partitions of the events of histories; the last one belongs to none of the groups. */
export const partitions = ["a", "b", "c", "d", "e", "?"] as const;

/** A schedule of datasets: `inside`, which tasks publish, and `outside`, which others tell of. */
export function makeDataSchedule(dice: Dice): ScheduleSpec {
  if (dice.chance(0.2)) {
    const datasets = [runDataset(followedDag)];
    return {
      ...{ kind: "datasets", datasets, anyOf: [datasets], partition: { kind: "each" } },
      watch: { kind: "run", dagId: followedDag, states: ["success"] },
    };
  }
  const anyOf = dice.pick([
    [["outside"]],
    [["inside", "outside"]],
    [["inside"], ["outside"]],
  ]);
  if (dice.chance(0.2)) {
    const time = { kind: "interval" as const, everyMs: 15_000 };
    const at = { time, orAt: null, timezone: "UTC" };
    return { kind: "datasets", datasets: [...new Set(anyOf.flat())].sort(), anyOf, at };
  }
  const groups = { vowels: ["a", "e"], others: ["b", "c", "d"] };
  const partition = dice.pick([
    null,
    { kind: "each" as const },
    { kind: "groups" as const, groups },
  ]);
  return {
    ...{ kind: "datasets", datasets: [...new Set(anyOf.flat())].sort(), anyOf },
    ...(partition ? { partition } : {}),
  };
}

/** The DAG after an edit of its file: other tasks, some of them by the same names. */
export function editDag(dice: Dice, spec: DagSpec): DagSpec {
  const { dagId, tasks: _tasks, ...kept } = spec;
  return withNotices(specOf(dagId, makeTasks(dice, kept.failFast ?? false), kept));
}

function makeTasks(dice: Dice, failFast: boolean): Record<string, ShortTask> {
  const tasks: Record<string, ShortTask> = {};
  const count = dice.int(2, 7);
  for (let i = 0; i < count; i++) {
    const names = Object.keys(tasks);
    const kind = dice.pick([
      ...["plain", "plain", "plain", "list", "mapped", "branch"] as const,
      ...["waits", "asks"] as const,
    ]);
    const [taskId, task] = makeTask(dice, i, names, kind);
    joinGroup(dice, tasks, taskId, task);
    if (failFast || task.upstream!.some((up) => tasks[up].isSetup)) {
      task.triggerRule = "all_success";
    }
    tasks[taskId] = dice.chance(0.15) && kind !== "branch" ? { ...task, isSetup: true } : task;
  }
  addTeardowns(dice, tasks);
  return tasks;
}

/** Some setups get a teardown behind some of the other tasks; now and then one stands alone. */
function addTeardowns(dice: Dice, tasks: Record<string, ShortTask>) {
  const names = Object.keys(tasks);
  const setups = names.filter((name) => tasks[name].isSetup && dice.chance(0.8));
  if (setups.length === 0 && dice.chance(0.9)) return;
  const rule = { isTeardown: true, triggerRule: "all_done_setup_success" } as const;
  const upstream = [...new Set([...setups, ...dice.some(names, 0.5)])];
  tasks.down = { ...rule, upstream, retry: { retries: 1 }, pool: "large" };
  if (dice.chance(0.3)) tasks.down.onFailureFailDagRun = true;
  if (dice.chance(0.3)) {
    tasks.after = {
      upstream: ["down", dice.pick(names.filter((name) => !tasks[name].isSetup).concat("down"))],
      pool: "large",
    };
  }
}

/** A mapped task begins a mapped group now and then, and others come into one that there is. */
function joinGroup(dice: Dice, tasks: Record<string, ShortTask>, taskId: string, task: ShortTask) {
  if (task.over !== undefined) {
    if (dice.chance(0.6)) task.mappedGroup = taskId;
    return;
  }
  const heads = Object.keys(tasks).filter((name) => tasks[name].mappedGroup === name);
  if (heads.length === 0 || taskId.startsWith("list") || dice.chance(0.3)) return;
  const head = tasks[dice.pick(heads)];
  const members = Object.keys(tasks).filter((name) => tasks[name].mappedGroup === head.mappedGroup);
  const source = typeof head.over === "string" ? [head.over] : [];
  task.upstream = [...new Set([...task.upstream!, ...source, ...dice.some(members, 0.6)])];
  Object.assign(task, { mappedGroup: head.mappedGroup, over: head.over });
}

function makeTask(
  dice: Dice,
  index: number,
  names: readonly string[],
  kind: "plain" | "list" | "mapped" | "branch" | "waits" | "asks",
): [string, ShortTask] {
  const upstream = dice.some(names, 0.4);
  const rule: TriggerRule = dice.chance(0.6) ? "all_success" : dice.pick(triggerRules);
  const task: ShortTask = {
    upstream,
    triggerRule: rule,
    pool: dice.pick(["small", "large"]),
    poolSlots: dice.int(1, 2),
    priorityWeight: dice.int(1, 3),
    retry: { retries: dice.int(0, 2) },
  };
  const lists = names.filter((name) => name.startsWith("list") || name.startsWith("mapped"));
  if (kind === "mapped") {
    const source = lists.length > 0 && dice.chance(0.7) ? dice.pick(lists) : dice.int(1, 3);
    if (typeof source === "string" && !upstream.includes(source)) upstream.push(source);
    return [`mapped${index}`, { ...task, over: source }];
  }
  return [`${kind}${index}`, kind === "branch" ? { ...task, isBranch: true } : task];
}
