import { assert, assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import { VirtualClock } from "../base/clock.ts";
import { silentLogger } from "../base/log.ts";
import { AppError } from "../model/errors.ts";
import { type Dag, dag } from "./dag.ts";
import { runTask, type TaskServices, type TaskWorkload } from "./execute.ts";
import { operator, type TaskOutcome } from "./operator.ts";
import { done, retryAt, skip } from "./outcome.ts";
import { expand, expandKwargs } from "./structure.ts";
import { branch, task } from "./task.ts";

const services: TaskServices = {
  log: silentLogger,
  signal: new AbortController().signal,
  clock: new VirtualClock(),
  workDir: "/work",
  connection: (id) => Promise.reject(new Error(id)),
  files: { open: () => Promise.reject(), put: () => Promise.reject() },
  engine: { run: () => Promise.reject() },
  dataset: () => Promise.resolve(null),
  variable: (key) => Promise.resolve(`value of ${key}`),
  object: (key) =>
    Promise.resolve(key === "links" ? [0, { $object: "big" }] : [`${key}/0`, `${key}/1`]),
};

function workload(of: Dag, taskId: string, over: Partial<TaskWorkload> = {}): TaskWorkload {
  const { spec } = of.task(taskId);
  return {
    attemptId: "00000000-0000-7000-8000-000000000001",
    taskInstanceId: "00000000-0000-7000-8000-000000000002",
    dagId: of.id,
    runId: "manual__1",
    dagRunId: "00000000-0000-7000-8000-000000000003",
    mapIndex: -1,
    tryNumber: 1,
    maxTries: 1,
    task: spec,
    run: {
      runType: "scheduled",
      logicalDate: "2026-07-01T04:00:00Z",
      dataIntervalStart: "2026-07-01T04:00:00Z",
      dataIntervalEnd: "2026-07-02T04:00:00Z",
      runAfter: "2026-07-02T04:00:00Z",
      conf: {},
      timezone: "America/New_York",
      previousSuccess: null,
    },
    inputs: {},
    state: {},
    ...over,
  };
}

/** Run the task "t" of a DAG of one declaration. */
function run(
  declare: () => void,
  over: Partial<TaskWorkload> = {},
  more: Partial<TaskServices> = {},
) {
  const of = dag({ id: "d", schedule: null }, declare);
  return runTask({ default: of }, workload(of, "t", over), { ...services, ...more });
}

const echo = operator({
  name: "test.echo",
  summary: "Put out what it was given",
  params: z.object({ text: z.string(), times: z.int().default(1), fake: z.json().optional() }),
  inputs: { from: z.string().optional(), each: z.array(z.int()).optional() },
  output: z.object({ text: z.string(), times: z.int(), from: z.string().nullable() }),
  load: () => Promise.resolve({ run: runEcho }),
});

type EchoParams = { text: string; times: number; fake?: unknown };
type Echoed = { text: string; times: number; from: string | null };

function runEcho(
  { params, inputs }: { params: EchoParams; inputs: { from?: string } },
): Promise<TaskOutcome<Echoed>> {
  const { fake, ...rest } = params;
  if (fake !== undefined) return Promise.resolve(fake as never);
  return Promise.resolve({ kind: "done", output: { ...rest, from: inputs.from ?? null } });
}

Deno.test("runTask() resolves an operator's parameters from facts and inputs", async () => {
  const outcome = await run(() => {
    const s = task({ id: "s" }, () => ({ word: "hi" }));
    const u = task({ id: "u" }, () => "x");
    echo({
      id: "t",
      text: s.value((v, { interval }) => `${v.word} ${interval.date}`),
      times: ({ mapIndex }) => -mapIndex,
      from: u,
    });
  }, { inputs: { "param:text": { word: "hi" }, from: "x" } });
  assertEquals(outcome, { kind: "done", output: { text: "hi 2026-07-01", times: 1, from: "x" } });
});

Deno.test("runTask() names the parameter that does not fit, before the operator runs", async () => {
  const error = await assertRejects(
    () => run(() => void echo({ id: "t", text: () => 5 as never })),
    AppError,
    "Cannot use the parameters of test.echo: text: Invalid input: expected string",
  );
  assertEquals([error.code, error.detail.endReason], ["INVALID", undefined]);
});

Deno.test("runTask() names the task whose output is missing or does not fit", async () => {
  const declare = () => {
    const s = task({ id: "s" }, () => "x");
    echo({ id: "t", text: "x", from: s, triggerRule: "all_done" });
  };
  await assertRejects(
    () => run(declare, { inputs: { from: null } }),
    AppError,
    'Cannot use the input "from" of task "t": task "s" put nothing out',
  );
  await assertRejects(
    () => run(declare, { inputs: { from: 7 } }),
    AppError,
    'Cannot use the input "from" of task "t": Invalid input',
  );
});

Deno.test("runTask() refuses what is no outcome and rows that do not add up", async () => {
  const refused = async (fake: z.infer<ReturnType<typeof z.json>>, message: string) => {
    const error = await assertRejects(
      () => run(() => void echo({ id: "t", text: "x", fake })),
      AppError,
      message,
    );
    assertEquals([error.code, error.detail.endReason], ["INVALID", "invalid_outcome"]);
  };
  const output = { text: "x", times: 1, from: null };
  await refused("done", 'returned "done", which is no outcome');
  await refused({ kind: "done", output: { text: 1 } }, "the output does not fit");
  await refused({ kind: "retryAt", at: "soon", reason: "x" }, "give a Date");
  await refused(
    { kind: "done", output, effects: { accounting: { in: 3, out: 2 } } },
    "its rows do not add up: in 3 + generated 0 is not out 2",
  );
});

Deno.test("runTask() turns a function's return into an outcome", async () => {
  const at = new Date("2026-07-03T00:00:00Z");
  const outcomeOf = (result: unknown) => run(() => void task({ id: "t" }, () => result as null));
  assertEquals(await outcomeOf({ a: 1, b: undefined }), { kind: "done", output: { a: 1 } });
  assertEquals(await outcomeOf(undefined), { kind: "done", output: null });
  assertEquals(await outcomeOf({ kind: "skip" }), { kind: "done", output: { kind: "skip" } });
  assertEquals(await outcomeOf(skip("no session")), { kind: "skip", reason: "no session" });
  assertEquals(await outcomeOf(retryAt(at, "late")), {
    kind: "retryAt",
    at: at.toISOString(),
    reason: "late",
  });
  assertEquals(await outcomeOf(done(1, { metrics: { requests: 2 } })), {
    kind: "done",
    output: 1,
    effects: { metrics: { requests: 2 } },
  });
  await assertRejects(
    () => outcomeOf({ rows: [{ at }] }),
    AppError,
    'the output of task "t" at rows[0].at is a Date',
  );
  await assertRejects(() => outcomeOf([{ $object: "k" }]), AppError, "a reserved form");
});

Deno.test("runTask() checks a function's output by its schema", async () => {
  const of = (result: { n: number }) =>
    run(() => void task({ id: "t", output: z.object({ n: z.int() }) }, () => result));
  assertEquals(await of({ n: 1 }), { kind: "done", output: { n: 1 } });
  await assertRejects(
    () => of({ n: 1.5 }),
    AppError,
    "the output does not fit what is declared: n:",
  );
});

Deno.test("runTask() gives a function its inputs by name, and null for those that are missing", async () => {
  let seen: unknown;
  await run(() => {
    const a = task({ id: "a" }, () => 1);
    const b = task({ id: "b" }, () => 2);
    task({ id: "t", inputs: { a, both: [a, b] }, triggerRule: "all_done" }, (_ctx, inputs) => {
      seen = inputs;
    });
  }, { inputs: { both: [2] } });
  assertEquals(seen, { a: null, both: [2] });
});

Deno.test("runTask() gives a mapped task its item, also where parameters are made of it", async () => {
  const outcome = await run(() => {
    expand(["a"], (item) => echo({ id: "t", text: item.value((i) => i + i), from: item }));
  }, { mapIndex: 0, inputs: { from: "a" } });
  assertEquals(outcome, { kind: "done", output: { text: "aa", times: 1, from: "a" } });
});

Deno.test("runTask() says what an instance is shown by; a label that cannot be made fails no task", async () => {
  const labels: string[] = [];
  const label = (text: string) => Promise.resolve(void labels.push(text));
  const inputs = { n: 7, $label0: { n: 7, name: "x" } };
  const outcome = await run(
    () => {
      expandKwargs(
        [{ n: 7, name: "x" }],
        ({ n }) => task({ id: "t", inputs: { n } }, (_ctx, { n }) => n),
        {
          label: (row) => row.name,
        },
      );
    },
    { mapIndex: 0, inputs },
    { label },
  );
  assertEquals([outcome, labels], [{ kind: "done", output: 7 }, ["x"]]);
  const bad = await run(
    () => {
      expand([1], (n) => task({ id: "t", inputs: { n } }, () => 1), {
        label: () => {
          throw new Error("no");
        },
      });
    },
    { mapIndex: 0, inputs: { n: 1 } },
    { label },
  );
  assertEquals([bad, labels.length], [{ kind: "done", output: 1 }, 1]);
});

Deno.test("runTask() fetches inputs that were too large to travel", async () => {
  const seen: unknown[] = [];
  const inputs = {
    all: { $object: "big" },
    list: ["x", { $object: "p" }],
    links: { $object: "links" },
    own: { $object: "big", more: 1 },
  };
  await run(() => {
    const a = task({ id: "a" }, () => "x");
    const names = { all: a, list: [a], links: a, own: a };
    task({ id: "t", inputs: names }, (_ctx, given) => void seen.push(given));
  }, { inputs });
  assertEquals(seen, [{
    all: ["big/0", "big/1"],
    list: ["x", ["p/0", "p/1"]],
    links: [0, ["big/0", "big/1"]],
    own: { $object: "big", more: 1 },
  }]);
});

Deno.test("runTask() gives a branch's choice as ids of tasks", async () => {
  const choose = (choice: unknown) =>
    run(() => {
      const a = task({ id: "a" }, () => 1);
      const many = [task({ id: "b" }, () => 1), task({ id: "c" }, () => 1)];
      branch({ id: "t", to: { a, many } }, () => choice as "a");
    });
  assertEquals(await choose("many"), { kind: "done", output: ["many"], chosen: ["b", "c"] });
  assertEquals(await choose(["a", "many"]), {
    kind: "done",
    output: ["a", "many"],
    chosen: ["a", "b", "c"],
  });
  assertEquals(await choose(null), { kind: "done", output: [], chosen: [] });
  await assertRejects(() => choose("d"), AppError, 'the branch chose "d"; its choices are a, many');
});

Deno.test("runTask() gives the DAG's params with the run's conf over the defaults", async () => {
  let seen: unknown;
  const of = dag({
    id: "d",
    schedule: null,
    params: z.object({ symbol: z.string().default("IBM"), depth: z.int().default(3) }),
  }, ({ task }) => {
    task({ id: "t" }, ({ params }) => void (seen = params));
  });
  const withConf = (conf: Record<string, never>) => {
    const load = workload(of, "t");
    return runTask({ of }, { ...load, run: { ...load.run, conf } }, services);
  };
  await withConf({ depth: 5 as never });
  assertEquals(seen, { symbol: "IBM", depth: 5 });
  await assertRejects(
    () => withConf({ depth: "deep" as never }),
    AppError,
    'Cannot use the conf of this run of DAG "d": depth: Invalid input',
  );
});

Deno.test("runTask() writes state with success only, reads its own writes, and removes by null", async () => {
  const declare = (end: () => null) => () =>
    void task({ id: "t" }, ({ state }) => {
      state.set("cursor", { page: 2 });
      state.set("old", null);
      assertEquals(state.get("cursor"), { page: 2 });
      assertEquals(state.get("old"), undefined);
      assertEquals(state.get("kept"), 1);
      return end();
    });
  const state = { cursor: { page: 1 }, old: 1, kept: 1 };
  assertEquals(await run(declare(() => null), { state }), {
    kind: "done",
    output: null,
    effects: { state: { cursor: { page: 2 }, old: null } },
  });
  assertEquals(await run(declare(() => skip() as never), { state }), { kind: "skip" });
});

Deno.test("the context has the run's facts, in the DAG's time zone", async () => {
  await run(() => {
    task({ id: "t" }, async (ctx) => {
      assertEquals(ctx.interval.date, "2026-07-01");
      assertEquals(ctx.interval.end.toISOString(), "2026-07-02T04:00:00.000Z");
      assertEquals([ctx.dagId, ctx.runId, ctx.taskId, ctx.tryNumber], ["d", "manual__1", "t", 1]);
      assertEquals(await ctx.variable("x"), "value of x");
      assertEquals(ctx.previousSuccess, null);
    });
  });
});

Deno.test("a run without an interval has the empty one at its runAfter", async () => {
  const of = dag({ id: "d", schedule: null }, () => {
    task({ id: "t" }, ({ interval, logicalDate, previousSuccess }) => {
      assertEquals(interval.start, interval.end);
      assertEquals([interval.date, logicalDate], ["2026-07-02", null]);
      assert(previousSuccess?.dataIntervalEnd === null);
    });
  });
  const load = workload(of, "t");
  const facts = { logicalDate: null, dataIntervalStart: null, dataIntervalEnd: null };
  const previousSuccess = { runId: "r", logicalDate: null, dataIntervalEnd: null };
  await runTask({ of }, { ...load, run: { ...load.run, ...facts, previousSuccess } }, services);
});

Deno.test("runTask() says which DAGs a module has", async () => {
  const of = dag({ id: "d", schedule: null }, () => void task({ id: "t" }, () => 1));
  const error = await assertRejects(
    () => runTask({ of }, { ...workload(of, "t"), dagId: "other" }, services),
    AppError,
    'its module exports no DAG "other", only "d"',
  );
  assertEquals(error.code, "NOT_FOUND");
});
