/**
 * @module Every graph of three tasks, of setups, teardowns and some trigger rules, run to its end by
 * the scheduler in every way that its tasks can end: against an oracle that knows no time.
 */
import { assertEquals, fail } from "@std/assert";
import { VirtualClock } from "../base/clock.ts";
import { seededIds } from "../base/ids.ts";
import { silentLogger } from "../base/log.ts";
import { seededRandom } from "../base/random.ts";
import { type ShortTask, specOf } from "../../tests/support/scheduler_world.ts";
import type { DagRun, TaskInstance } from "../model/rows.ts";
import type { TaskState } from "../model/task_state.ts";
import { decidePass, settle } from "./pass.ts";
import { makePlan } from "./plan.ts";
import { EngineState } from "./state.ts";

const now = new Date("2030-01-01T00:00:00Z");
const clock = new VirtualClock(now.toISOString());
const ids = seededIds(clock, seededRandom(1));

const kinds = [
  "all_success",
  "all_done",
  "one_failed",
  "none_failed",
  "setup",
  "teardown",
] as const;
type Kind = (typeof kinds)[number];
type End = "success" | "failed" | "skipped";
const ends: End[] = ["success", "failed", "skipped"];

function shortTask(kind: Kind, upstream: string[]): ShortTask {
  if (kind === "setup") return { upstream, isSetup: true };
  if (kind === "teardown") {
    return { upstream, isTeardown: true, triggerRule: "all_done_setup_success" };
  }
  return { upstream, triggerRule: kind };
}

/** How the tasks of a run end when each that starts ends as told. */
function scheduled(graph: readonly number[][], kindOf: readonly Kind[], told: readonly End[]) {
  const tasks = kindOf.map((kind, i) => [`t${i}`, shortTask(kind, graph[i].map((up) => `t${up}`))]);
  const plan = makePlan("v", specOf("d", Object.fromEntries(tasks)));
  const state = new EngineState();
  state.putDag({
    ...{ dagId: "d", isPaused: false, isStale: false, dagVersionId: "v", spec: plan.spec },
    ...{ lastInterval: null, nextRunAt: null },
  });
  state.putPools([{ name: "default_pool", slots: 128 }]);
  const run = state.putRun({ run: { ...runRow }, tasks: told.map((_, i) => taskRow(i)) }, plan)!;
  for (let passes = 0; passes < 10 && run.state === "running"; passes++) {
    const pass = decidePass(state, { now, ids, log: silentLogger });
    const { newRuns, runMoves, taskMoves } = pass.writes;
    const idsOf = (list: readonly { id: string }[]) => list.map(({ id }) => id);
    settle(state, pass, {
      ...{ newRuns: idsOf(newRuns), runMoves: idsOf(runMoves), taskMoves: idsOf(taskMoves) },
      ...{ expansions: [], started: [] },
    });
    for (const { id, to } of taskMoves) {
      if (to !== "queued") continue;
      const { row } = state.instances.get(id)!;
      state.putInstance({ ...row, state: told[Number(id.slice(1))] });
    }
  }
  return run.tasks.map((task) => task.instances[0].state);
}

const runRow: DagRun = {
  ...{ id: "r", dagId: "d", runId: "r", runType: "manual", state: "running" },
  ...{ logicalDate: null, dataIntervalStart: null, dataIntervalEnd: null, partitionKey: null },
  ...{ runAfter: now, queuedAt: now, startDate: now, endDate: null, conf: {}, dagVersionId: "v" },
  ...{ backfillId: null, cancelRequestedAt: null, traceParent: null },
};

function taskRow(i: number): TaskInstance {
  return {
    ...{ id: `i${i}`, dagRunId: "r", taskId: `t${i}`, mapIndex: -1, state: "none" },
    ...{ attemptId: null, tryNumber: 0, maxTries: 0, infraLosses: 0, nextTryAt: null },
    ...{
      outputLength: null,
      chosen: null,
      isForced: false,
      queuedAt: null,
      startDate: null,
      endDate: null,
    },
  };
}

/**
 * In words: the ways in which a task may end by its own rule, given how all before it ended. Two
 * where it depends on which of those ended first: a failure and a skip each decide at once.
 */
function byRule(
  kind: Kind,
  ups: readonly TaskState[],
  setups: readonly TaskState[],
  told: End,
): TaskState[] {
  if (ups.length === 0) return [told];
  const any = (...states: TaskState[]) => ups.some((up) => states.includes(up));
  const anyFailed = any("failed", "upstream_failed");
  switch (kind) {
    case "all_success":
    case "setup":
      return bySuccess(ups) ?? [told];
    case "all_done":
      return [told];
    case "one_failed":
      return [anyFailed ? told : "skipped"];
    case "none_failed":
      return [anyFailed ? "upstream_failed" : told];
    case "teardown":
      if (setups.length === 0 || setups.includes("success")) return [told];
      return [setups.every((setup) => setup === "skipped") ? "skipped" : "upstream_failed"];
  }
}

/** Where all of these must have succeeded: how a task ends for want of that; null: they have. */
function bySuccess(states: readonly TaskState[]): TaskState[] | null {
  const found = new Set<TaskState>();
  for (const state of states) {
    if (state === "failed" || state === "upstream_failed") found.add("upstream_failed");
    if (state === "skipped") found.add("skipped");
  }
  return found.size > 0 ? [...found] : null;
}

/** Does a way lead from one task to the other? */
function leads(graph: readonly number[][], from: number, to: number): boolean {
  return graph[to].some((up) => up === from || leads(graph, from, up));
}

/** For each task the ends that are right. */
function oracle(graph: readonly number[][], kindOf: readonly Kind[], states: readonly TaskState[]) {
  return (i: number, told: End): TaskState[] => {
    const isSetup = (up: number) => kindOf[up] === "setup";
    const ups = graph[i].map((up) => states[up]);
    const own = byRule(kindOf[i], ups, graph[i].filter(isSetup).map((up) => states[up]), told);
    if (kindOf[i] === "teardown" || ups.length === 0) return own;
    const needed = kindOf.flatMap((_, setup) => {
      if (!isSetup(setup) || graph[i].includes(setup) || !leads(graph, setup, i)) return [];
      const teardowns = kindOf.flatMap((kind, t) =>
        kind === "teardown" && graph[t].includes(setup) ? [t] : []
      );
      const isServed = teardowns.length === 0 || teardowns.some((t) => leads(graph, i, t));
      return isServed ? [states[setup]] : [];
    });
    // The setups keep it from starting; its own rule may still end it first.
    const verdict = bySuccess(needed);
    return verdict === null ? own : [...verdict, ...own.filter((state) => state !== told)];
  };
}

Deno.test("every graph of three tasks ends as the rules in words say, however its tasks end", () => {
  let cases = 0;
  for (let edges = 0; edges < 8; edges++) {
    const graph = [[], edges & 1 ? [0] : [], [
      ...(edges & 2 ? [0] : []),
      ...(edges & 4 ? [1] : []),
    ]];
    for (const kindOf of words(3, kinds)) {
      for (const told of words(3, ends)) {
        const states = scheduled(graph, kindOf, told);
        const right = oracle(graph, kindOf, states);
        states.forEach((state, i) => {
          if (right(i, told[i]).includes(state)) return;
          const what = `${JSON.stringify(graph)} ${kindOf} told ${told} came to ${states}`;
          fail(`t${i} should be ${right(i, told[i]).join(" or ")}: ${what}`);
        });
        cases++;
      }
    }
  }
  assertEquals(cases, 8 * 6 ** 3 * 3 ** 3);
});

function* words<T>(size: number, letters: readonly T[]): Generator<T[]> {
  if (size === 0) return yield [];
  for (const first of letters) for (const rest of words(size - 1, letters)) yield [first, ...rest];
}
