import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  AppError,
  approval,
  branch,
  dag,
  expand,
  input,
  onDatasets,
  onWebhook,
  rollup,
  sensor,
  sessions,
  task,
} from "tidewheel";
import { collect } from "tidewheel/operators";
import { z } from "zod";
import { runDag } from "./run_dag.ts";

const pipeline = dag({
  id: "pipeline",
  schedule: "@daily",
  start: "2026-01-01",
  params: z.object({ factor: z.number().default(2) }),
}, ({ task }) => {
  const rows = task({ id: "rows", connections: ["vendor"] }, async ({ interval, connection }) => {
    const { host } = await connection("vendor");
    const answer = await fetch(`https://${host}/rows?on=${interval.date}`);
    if (!answer.ok) throw new Error(`the vendor says ${answer.status}`);
    return await answer.json() as number[];
  });
  const sum = task({ id: "sum", inputs: { rows } }, ({ params, log }, { rows }) => {
    log.info("summing", { count: rows.length });
    return rows.reduce((a, b) => a + b, 0) * params.factor;
  });
  task({ id: "say", inputs: { sum } }, (_ctx, { sum }) => `sum ${sum}`);
});

const connections = { vendor: "https://key:secret@vendor.example" };

Deno.test("runDag() runs a DAG on replies, and says states, outputs, logs", async () => {
  const run = await runDag(pipeline, {
    date: "2026-03-02",
    params: { factor: 10 },
    connections,
    http: { "https://vendor.example/rows?on=2026-03-02": Response.json([1, 2, 3]) },
  });

  assertEquals(run.state, "success");
  assertEquals(run.states, { rows: "success", sum: "success", say: "success" });
  assertEquals(run.output("say"), "sum 60");
  assert(
    run.logs.some(({ task, message, fields }) =>
      task === "sum" && message === "summing" && fields.count === 3
    ),
  );
});

Deno.test("runDag() lets no request out: one without an answer is the task's failure", async () => {
  const run = await runDag(pipeline, { date: "2026-03-02", connections });

  assertEquals(run.states, { rows: "failed", sum: "upstream_failed", say: "upstream_failed" });
  assertStringIncludes(
    run.error("rows")!,
    "This test has no answer to GET https://vendor.example/rows?on=2026-03-02",
  );
  assertThrows(() => run.output("sum"), AppError, 'Cannot read the output of task "sum"');
});

Deno.test("runDag() puts recorded outputs in the place of tasks, and can run one task alone", async () => {
  const all = await runDag(pipeline, { inputs: { rows: [4] } });
  assertEquals([all.output("say"), all.tries("rows")], ["sum 8", 1]);
  const one = await runDag(pipeline, { inputs: { rows: [5] }, task: "sum" });
  assertEquals(one.states, { rows: "success", sum: "success" });
  const rest = await runDag(pipeline, { inputs: { rows: [5] }, fromTask: "sum" });
  assertEquals(rest.output("say"), "sum 10");
});

Deno.test("runDag() refuses inputs, params and tasks that do not fit", async () => {
  const message = (options: Parameters<typeof runDag>[1], text: string) =>
    assertRejects(() => runDag(pipeline, options), AppError, text);
  await message({ task: "sum" }, 'it takes the output of "rows", of which none is recorded');
  await message({ task: "some" }, 'DAG "pipeline" has rows, sum, say');
  await message({ inputs: { row: 1 } }, 'DAG "pipeline" has no such task');
  await message({ params: { factor: "two" } }, "Cannot use the conf");
  await message({ date: "02.03.2026" }, "Cannot use the date 02.03.2026");
});

Deno.test("runDag() waits for nothing: sensors, retries and sleeps take no time", async () => {
  let looks = 0;
  let tries = 0;
  const waits = dag({ id: "waits", schedule: "@daily", start: "2026-01-01" }, () => {
    const there = sensor({ id: "there", every: { hours: 1 } }, () => ++looks === 5);
    const slow = task({ id: "slow", after: there }, async ({ clock }) => {
      const from = clock.now().getTime();
      await clock.sleep(3 * 3_600_000);
      return (clock.now().getTime() - from) / 3_600_000;
    });
    task({ id: "flaky", after: slow, retries: 3, retryDelay: { hours: 2 } }, () => {
      if (++tries < 3) throw new Error("not yet");
    });
  });
  const run = await runDag(waits, { date: "2026-03-02" });

  assertEquals(run.state, "success");
  assertEquals([run.output("slow"), run.tries("flaky"), looks], [3, 3, 5]);
});

Deno.test("runDag() ends a run that would wait for ever", async () => {
  const never = dag({ id: "never", schedule: null }, () => {
    sensor({ id: "there", every: { days: 30 } }, () => false);
  });
  await assertRejects(() => runDag(never), AppError, "these still wait: there (up_for_reschedule)");
});

Deno.test("runDag() begins at the end of the interval, that of a session by its trade date", async () => {
  const closes = dag({ id: "closes", schedule: sessions("XNYS", { after: "close" }) }, () => {
    task({ id: "at" }, ({ clock, interval }) => ({
      at: clock.now().toISOString().slice(0, 13),
      date: interval.date,
    }));
  });
  const run = await runDag(closes, { date: "2026-03-09" });
  assertEquals(run.output("at"), { at: "2026-03-09T20", date: "2026-03-09" });
  await assertRejects(
    () => runDag(closes, { date: "2026-12-25" }),
    AppError,
    "XNYS has no session on that day",
  );
});

Deno.test("runDag() gives outputs of mapped tasks as arrays, and goes by a branch's choice", async () => {
  const shapes = dag({ id: "shapes", schedule: null }, () => {
    const list = task({ id: "list" }, () => [1, 2, 3]);
    const twice = list.expand((item) =>
      task({ id: "twice", inputs: { item } }, (_ctx, { item }) => item * 2)
    );
    const [a, b] = [task({ id: "a" }, () => 1), task({ id: "b" }, () => 2)];
    branch(
      { id: "which", inputs: { twice }, to: { a, b } },
      (_ctx, { twice }) => twice.length > 2 ? "a" : "b",
    );
    expand([1], (item) => task({ id: "lit", inputs: { item } }, (_ctx, { item }) => item));
  });
  const run = await runDag(shapes);
  assertEquals(run.output("twice"), [2, 4, 6]);
  assertEquals([run.states.a, run.states.b, run.states["twice[2]"]], [
    "success",
    "skipped",
    "success",
  ]);
  const stood = await runDag(shapes, { inputs: { list: [7], twice: [70] } });
  assertEquals([stood.output("twice"), stood.states.b], [[70], "success"]);
});

Deno.test("runs at one time keep their answers apart", async () => {
  const runs = await Promise.all([1, 2, 3].map((n) =>
    runDag(pipeline, {
      date: "2026-03-02",
      connections,
      http: async (request) => (await request.text(), Response.json([n])),
    })
  ));
  assertEquals(runs.map((run) => run.output("say")), ["sum 2", "sum 4", "sum 6"]);
});

Deno.test("runDag() asks again where a source throttles, without waiting", async () => {
  const quotes = dag({ id: "quotes", schedule: null }, () => {
    collect.http({ id: "get", source: "v.q", url: "https://v.example/q", format: "json" });
  });
  const busy = () => new Response("slow down", { status: 429, headers: { "retry-after": "600" } });
  let asked = 0;
  const run = await runDag(quotes, {
    http: () => ++asked < 3 ? busy() : { rows: [1] },
  });
  assertEquals([run.state, asked], ["success", 3]);
  assertEquals(run.output<{ files: unknown[] }>("get").files.length, 1);
});

Deno.test("runDag() runs a DAG for a partition, or for an event that somebody sent", async () => {
  const monthly = dag({
    id: "monthly",
    schedule: onDatasets("prices", { partition: rollup("month", { sessions: "XNYS" }) }),
  }, () => {
    task({ id: "say" }, ({ partition, interval }) => `${partition} from ${interval.date}`);
  });
  assertEquals(
    (await runDag(monthly, { partition: "2026-01" })).output("say"),
    "2026-01 from 2026-01-01",
  );

  const fills = dag({
    id: "fills",
    schedule: onWebhook({ name: "fills", secret: "s", signature: "github", key: "$.id" }),
  }, () => {
    task({ id: "say" }, ({ partition, event }) => [partition, event?.payload, event?.extra.id]);
  });
  const run = await runDag(fills, { partition: "7", event: { id: 7 } });
  assertEquals(run.output("say"), ["7", { id: 7 }, 7]);
  await assertRejects(
    () => runDag(pipeline, { partition: "x" }),
    AppError,
    "waits for neither datasets nor events",
  );
});

Deno.test("runDag() answers what tasks ask people, and says where an answer does not fit", async () => {
  const asking = dag({ id: "asking", schedule: null }, () => {
    const lines = task({ id: "lines" }, () => 3);
    const form = input({
      id: "form",
      subject: "how many?",
      params: z.object({ limit: z.number().default(1) }),
    });
    const checked = approval({ id: "check", subject: "go on?", inputs: { lines } });
    task({ id: "load", inputs: { form }, after: [checked] }, (_ctx, { form }) => form.params.limit);
  });
  const answers = { check: { options: ["approve"] }, form: { params: { limit: 5 } } };
  const run = await runDag(asking, { answers });
  assertEquals([run.state, run.output("load")], ["success", 5]);
  const no = await runDag(asking, { answers: { ...answers, check: { options: ["Reject"] } } });
  assertEquals(no.states.load, "skipped");
  await assertRejects(
    () => runDag(asking, { answers: { lines: { options: ["x"] } } }),
    AppError,
    'Cannot answer "lines" of DAG "asking": it asks nobody; those that do are form, check',
  );
  await assertRejects(
    () => runDag(asking, { answers: { ...answers, check: { options: ["perhaps"] } } }),
    AppError,
    '"perhaps" is no option of it; choose of Approve, Reject',
  );
});
