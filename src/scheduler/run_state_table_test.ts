/**
 * @module How runs end, over every small graph and every way its tasks can have ended: the scheduler
 * against an oracle in the words of Airflow's rules.
 */
import { assert, assertEquals } from "@std/assert";
import { VirtualClock } from "../base/clock.ts";
import { seededIds } from "../base/ids.ts";
import { silentLogger } from "../base/log.ts";
import { seededRandom } from "../base/random.ts";
import { specOf } from "../../tests/support/scheduler_world.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import type { DagRun, TaskInstance } from "../model/rows.ts";
import type { TaskState } from "../model/task_state.ts";
import { decideRunState } from "./decide_run_state.ts";
import { decidePass } from "./pass.ts";
import { makePlan, type Plan } from "./plan.ts";
import { EngineState } from "./state.ts";

const now = new Date("2030-01-01T00:00:00Z");
const clock = new VirtualClock(now.toISOString());
const ids = seededIds(clock, seededRandom(1));

/** A plain task, a teardown, or a teardown whose failure fails the run. */
type Kind = "plain" | "teardown" | "strict";
const allKinds: Kind[] = ["plain", "teardown", "strict"];

interface Graph {
  kinds: Kind[];
  /** Upstreams by task. */
  upstream: number[][];
}

/** Every graph of `size` tasks whose edges lead from lower to higher numbers. */
function* graphs(size: number): Generator<Graph> {
  const pairs = Array.from({ length: size }, (_, to) => to)
    .flatMap((to) => Array.from({ length: to }, (_, from) => [from, to]));
  for (let edges = 0; edges < 2 ** pairs.length; edges++) {
    const upstream = Array.from({ length: size }, (): number[] => []);
    pairs.forEach(([from, to], i) => edges >> i & 1 && upstream[to].push(from));
    for (const kinds of words<Kind>(size, allKinds)) yield { kinds, upstream };
  }
}
/** Every list of `size` letters. */
function* words<T>(size: number, letters: readonly T[]): Generator<T[]> {
  if (size === 0) return yield [];
  for (const first of letters) for (const rest of words(size - 1, letters)) yield [first, ...rest];
}

function planOf({ kinds, upstream }: Graph, some: Partial<DagSpec> = {}): Plan {
  const tasks = kinds.map((kind, i) => [`t${i}`, {
    upstream: upstream[i].map((up) => `t${up}`),
    ...(kind === "plain"
      ? {}
      : { isTeardown: true, triggerRule: "all_done_setup_success" as const }),
    ...(kind === "strict" ? { onFailureFailDagRun: true } : {}),
  }]);
  return makePlan("v", specOf("d", Object.fromEntries(tasks), some));
}

/** What the scheduler makes of a running run whose tasks stand so. */
function decided(plan: Plan, states: readonly TaskState[]): string {
  const state = new EngineState();
  state.putRun({ run: runRow, tasks: states.map(taskRow) }, plan);
  const { writes } = decidePass(state, { now, ids, log: silentLogger });
  return writes.runMoves[0]?.to ?? "running";
}

const runRow: DagRun = {
  ...{ id: "r", dagId: "d", runId: "r", runType: "manual", state: "running" },
  ...{ logicalDate: null, dataIntervalStart: null, dataIntervalEnd: null, partitionKey: null },
  ...{ runAfter: now, queuedAt: now, startDate: now, endDate: null, conf: {}, dagVersionId: "v" },
  ...{ backfillId: null, cancelRequestedAt: null, traceParent: null },
};

function taskRow(state: TaskState, i: number): TaskInstance {
  return {
    ...{ id: `i${i}`, dagRunId: "r", taskId: `t${i}`, mapIndex: -1, state, attemptId: "a" },
    ...{ tryNumber: 1, maxTries: 0, infraLosses: 0, nextTryAt: null, outputLength: null },
    ...{ chosen: null, isForced: false, queuedAt: now, startDate: now, endDate: now },
  };
}

/**
 * Airflow: take out the teardowns whose failure does not count; what has nothing after it then
 * decides. Where nothing is left, the graph as it is.
 */
function decisive({ kinds, upstream }: Graph): number[] {
  const all = kinds.map((_, i) => i);
  const kept = all.filter((i) => kinds[i] !== "teardown");
  const among = kept.length > 0 ? kept : all;
  return among.filter((i) => !among.some((other) => upstream[other].includes(i)));
}

/** All have ended: one that decides failed, or none did. */
function oracle(graph: Graph, states: readonly TaskState[]): string {
  const bad = ["failed", "upstream_failed", "cancelled"];
  return decisive(graph).some((i) => bad.includes(states[i])) ? "failed" : "success";
}

const ends: TaskState[] = [
  "success",
  "skipped",
  "failed",
  "upstream_failed",
  "cancelled",
  "removed",
];

Deno.test("a run whose tasks have all ended ends as those say that decide, in every small graph", () => {
  let cases = 0;
  for (const size of [1, 2, 3]) {
    for (const graph of graphs(size)) {
      const plan = planOf(graph);
      for (const states of words(size, ends)) {
        const what = `${JSON.stringify(graph)} with ${states.join(", ")}`;
        assertEquals(decided(plan, states), oracle(graph, states), what);
        cases++;
      }
    }
  }
  assert(cases > 40_000, `${cases} cases`);
});

Deno.test("the tasks that decide are Airflow's in every graph of four", () => {
  for (const graph of graphs(4)) {
    const found = planOf(graph).tasks.filter((task) => task.isLeaf).map((task) => task.index);
    assertEquals(found, decisive(graph), JSON.stringify(graph));
  }
});

Deno.test("a run that fails fast is failed by any failure that counts", () => {
  for (const size of [1, 2, 3]) {
    for (const graph of graphs(size)) {
      const plan = planOf(graph, { failFast: true });
      for (const states of words<TaskState>(size, ["success", "skipped", "failed"])) {
        const isFailed = states.some((state, i) =>
          state === "failed" && graph.kinds[i] !== "teardown"
        );
        const wanted = isFailed ? "failed" : oracle(graph, states);
        assertEquals(decided(plan, states), wanted, `${JSON.stringify(graph)} ${states}`);
      }
    }
  }
});

Deno.test("a run goes on while anything of it is under way", () => {
  const underWay: TaskState[] = ["queued", "running", "cancelling"];
  for (const graph of graphs(2)) {
    const plan = planOf(graph);
    for (const states of words(2, [...ends, ...underWay])) {
      if (!states.some((state) => underWay.includes(state))) continue;
      assertEquals(decided(plan, states), "running", `${JSON.stringify(graph)} ${states}`);
    }
  }
});

Deno.test("decideRunState() agrees with the rules in words, whatever the counters", () => {
  const flags = [false, true];
  const each = { state: ["queued", "running", "success", "failed"] as const, counts: [0, 1, 2] };
  for (const state of each.state) {
    for (const [isCancelled, waitsForPast, isFailedFast, hasTasks] of words(4, flags)) {
      for (const [unfinished, idle, failedLeaves] of words(3, each.counts)) {
        if (idle > unfinished || unfinished > 0 && !hasTasks) continue;
        const figures = { state, isCancelled, unfinished, idle, waitsForPast, failedLeaves };
        const found = decideRunState({ ...figures, isFailedFast, hasTasks });
        const text = found === null ? "goes on" : "why" in found ? found.why : found.to;
        assertEquals(
          text,
          inWords({ ...figures, isFailedFast, hasTasks }),
          JSON.stringify(figures),
        );
      }
    }
  }
});

function inWords(run: Parameters<typeof decideRunState>[0]): string {
  const isLive = run.state === "queued" || run.state === "running";
  const rules: [boolean, string][] = [
    [!isLive, "goes on"],
    // Nothing is left of a run that was cancelled, be it that it never started.
    [run.isCancelled && run.unfinished === 0, "cancelled"],
    // It waits for its turn, unless people have said of all of its tasks how they ended.
    [run.state === "queued" && !(run.hasTasks && run.unfinished === 0), "goes on"],
    [run.unfinished === 0 && (run.failedLeaves > 0 || run.isFailedFast), "task_failure"],
    [run.unfinished === 0, "success"],
    // Unfinished tasks, of which none can run, and none waits for another run.
    [run.unfinished === run.idle && !run.waitsForPast, "deadlock"],
    [true, "goes on"],
  ];
  return rules.find(([applies]) => applies)![1];
}
