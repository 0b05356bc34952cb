/**
 * @module What one task costs the scheduler in CPU, without any store: a fan-out of 10,000 mapped
 * instances and a chain, decided in passes of a few changed instances.
 *
 *     deno run -A bench/scheduler_decide.ts [instances] [ends per pass]
 */
import { systemClock } from "../src/base/clock.ts";
import { systemIds } from "../src/base/ids.ts";
import { silentLogger } from "../src/base/log.ts";
import type { DagSpec } from "../src/model/dag_spec.ts";
import type { DagRun, TaskInstance } from "../src/model/rows.ts";
import { instanceRow } from "../src/scheduler/decide_runs.ts";
import { decidePass, type Pass, settle } from "../src/scheduler/pass.ts";
import { makePlan } from "../src/scheduler/plan.ts";
import { EngineState } from "../src/scheduler/state.ts";
import { specOf } from "../tests/support/scheduler_world.ts";

const instances = Number(Deno.args[0] ?? 10_000);
const endsPerPass = Number(Deno.args[1] ?? 4);
const options = { ids: systemIds(), log: silentLogger };

/** Decide as if every write took effect at once. */
function decide(state: EngineState): Pass {
  const pass = decidePass(state, { ...options, now: systemClock.now() });
  settle(state, pass, {
    started: [],
    newRuns: pass.writes.newRuns.map(({ id }) => id),
    expansions: pass.writes.expansions.map(({ id }) => id),
    taskMoves: pass.writes.taskMoves.map(({ id }) => id),
    runMoves: pass.writes.runMoves.map(({ id }) => id),
  });
  return pass;
}

function startRun(state: EngineState, spec: DagSpec) {
  const now = systemClock.now();
  const run: DagRun = {
    id: options.ids.uuid(),
    dagId: spec.dagId,
    runId: "bench",
    runType: "manual",
    state: "queued",
    partitionKey: null,
    logicalDate: null,
    dataIntervalStart: null,
    dataIntervalEnd: null,
    runAfter: now,
    queuedAt: now,
    startDate: null,
    endDate: null,
    conf: {},
    dagVersionId: "v",
    backfillId: null,
    cancelRequestedAt: null,
    traceParent: null,
  };
  const tasks = spec.tasks.map(({ taskId }) =>
    instanceRow(run.id, { id: options.ids.uuid(), taskId, mapIndex: -1, maxTries: 0 })
  );
  state.putRun({ run, tasks }, makePlan("v", spec));
}

/** Run a DAG to its end, `endsPerPass` instances a pass; prints microseconds per task. */
function measure(name: string, spec: DagSpec, ends: number) {
  const state = new EngineState();
  state.putPools([{ name: "default_pool", slots: 128 }]);
  const startedMs = systemClock.monotonicMs();
  startRun(state, spec);
  const running: TaskInstance[] = [];
  let passes = 0;
  let tasks = 0;
  const pass = () => {
    passes++;
    for (const { id, to } of decide(state).writes.taskMoves) {
      const instance = to === "queued" ? state.instances.get(id) : undefined;
      if (!instance) continue;
      const { mapIndex, task } = instance;
      const { taskId } = task.plan.spec;
      running.push({
        ...instanceRow(task.run.row.id, { id, taskId, mapIndex, maxTries: 0 }),
        state: "success",
      });
    }
  };
  pass();
  while (running.length > 0) {
    const ended = running.splice(0, ends);
    tasks += ended.length;
    for (const row of ended) state.putInstance(row);
    pass();
  }
  const tookMs = systemClock.monotonicMs() - startedMs;
  if (state.runs.size > 0) throw new Error(`The ${name} did not end`);
  console.log(
    `${name}: ${tasks} tasks in ${passes} passes, ${
      (1000 * tookMs / tasks).toFixed(1)
    } µs a task, ` +
      `${(1000 * tookMs / passes).toFixed(1)} µs a pass`,
  );
}

const fanOut = specOf("fan_out", { each: { over: instances }, sum: { upstream: ["each"] } });
const chain = specOf(
  "chain",
  Object.fromEntries(
    Array.from({ length: 1000 }, (_, i) => [`t${i}`, { upstream: i ? [`t${i - 1}`] : [] }]),
  ),
);
for (let round = 0; round < 3; round++) {
  measure(`fan-out of ${instances}`, fanOut, endsPerPass);
  measure("chain of 1000", chain, 1);
}
