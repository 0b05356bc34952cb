/** @module How attempts end, and that their ends tell the truth. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { systemClock } from "../../src/base/clock.ts";
import type { Run } from "../support/product_api.ts";
import { type Product, startProduct } from "../support/product.ts";
import { until } from "../support/until.ts";

let product: Product;
Deno.test.beforeAll(async () => {
  product = await startProduct({ dags: { "ends.ts": endsDag, "waits.ts": waitsDag } });
});
Deno.test.afterAll(async () => await product[Symbol.asyncDispose]());

const endsDag = `import { dag, FinalError, retryAt, skip, task } from "tidewheel";
export default dag({ id: "ends", schedule: null }, () => {
  task({ id: "returns" }, (ctx) => {
    ctx.log.info("the first line", { rows: 3 });
    console.log("printed", 1n);
    console.error("printed as an error");
    return { rows: 3, at: "2013-03-01" };
  });
  task({ id: "skips" }, () => skip("no session on this day"));
  task({ id: "throws" }, () => { throw new RangeError("no such symbol: XYZ"); });
  task({ id: "throws_final", retries: 3, retryDelay: 0 }, () => {
    throw new FinalError("the vendor is closed for good");
  });
  task({ id: "retries", retries: 2, retryDelay: { milliseconds: 50 }, backoff: "exponential" },
    (ctx) => {
      if (ctx.tryNumber < 3) throw new Error("try " + ctx.tryNumber);
      return "try " + ctx.tryNumber;
    });
  task({ id: "gives_up", retries: 1, retryDelay: { milliseconds: 50 } }, (ctx) => {
    throw new Error("try " + ctx.tryNumber);
  });
  task({ id: "times_out", timeout: { milliseconds: 300 } }, () => new Promise(() => {
    setInterval(() => {}, 1000);
  }));
  task({ id: "spins", timeout: { milliseconds: 300 } }, () => { for (;;); });
  task({ id: "swells", memory: { mib: 200 } }, async () => {
    const all: Uint8Array[] = [];
    for (;;) {
      all.push(new Uint8Array(8 << 20).fill(1));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  task({ id: "heaps", memory: { mib: 200 } }, () => {
    const all: unknown[] = [];
    for (;;) all.push({ row: all.length, text: "row " + all.length });
  });
  task({ id: "exits" }, () => Deno.exit(3));
  task({ id: "rejects_late" }, async () => {
    Promise.reject(new Error("nobody waited for this"));
    await new Promise((resolve) => setTimeout(resolve, 5000));
  });
  task({ id: "no_json" }, () => ({ size: 1n }) as unknown as { size: number });
  task({ id: "asks_later" }, (ctx) => {
    const at = new Date(Number(ctx.params.publishedAtMs));
    return ctx.clock.now() < at ? retryAt(at, "not published yet") : "published";
  });
  task({ id: "large" }, () => ({ rows: Array.from({ length: 20_000 }, (_, i) => "row " + i) }));
});
`;

/** Tasks that end only when somebody ends them. */
const waitsDag = `import { dag, task } from "tidewheel";
export default dag({ id: "waits", schedule: null, defaults: { retryDelay: 0 } }, () => {
  const first = task({ id: "waits", retries: 1 }, async (ctx) => {
    ctx.log.info("pid " + Deno.pid);
    if (ctx.tryNumber > 1) return "second try";
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    return "nobody came";
  });
  task({ id: "deaf", timeout: { minutes: 1 } }, (ctx) => {
    ctx.log.info("pid " + Deno.pid);
    if (ctx.params.deaf) for (;;);
    return 0;
  });
  task({ id: "after", inputs: { first } }, (_ctx, { first }) => first);
});
`;

/** The one run of the first DAG, in which every task ends in its own way. */
let ends: Promise<Run> | null = null;
const ended = () => ends ??= runEnds();

function runEnds(): Promise<Run> {
  const publishedAtMs = systemClock.now().getTime() + 5_000;
  return product.api.runDag("ends", { publishedAtMs }, { withinMs: 60_000 });
}

async function pidOf(run: Run, taskId: string): Promise<number> {
  return Number((await product.api.said(run, taskId, "pid ")).slice(4));
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

/** End reason and message of the last of so many attempts. */
async function endOf(taskId: string, attempts: number) {
  const all = await product.api.attempts(await ended(), taskId);
  assertEquals(all.length, attempts);
  const { end_reason, evidence } = all.at(-1)!;
  return { reason: end_reason, message: evidence.message ?? "", evidence };
}

Deno.test("a run with failed tasks fails, and its other tasks end as they do", async () => {
  const run = await ended();

  assertEquals(run.state, "failed");
  const { returns, skips, throws, retries, large } = await product.api.states(run);
  assertEquals({ returns, skips, throws, retries, large }, {
    returns: "success",
    skips: "skipped",
    throws: "failed",
    retries: "success",
    large: "success",
  });
});

Deno.test("the log of a task begins with its first line, and has what it printed", async () => {
  const lines = await product.api.log(await ended(), "returns");

  const said = lines.filter(({ logger }) => logger === "task").map(({ event, level }) =>
    `${level.toUpperCase()} ${event}`
  );
  assertEquals(said, ["INFO the first line", "INFO printed 1n", "ERROR printed as an error"]);
});

Deno.test("a task that throws fails with the message, and the stack names its file", async () => {
  const { reason, message, evidence } = await endOf("throws", 1);

  assertEquals(reason, "task_error");
  assertEquals(message, "RangeError: no such symbol: XYZ");
  assertStringIncludes(String((evidence as { stack?: string }).stack), "ends.ts:");
  const log = await product.api.log(await ended(), "throws");
  assertStringIncludes(log.at(-1)!.event, "no such symbol: XYZ");
});

Deno.test("a task is tried again as often as it says, after a wait, and no more", async () => {
  const tries = await product.api.attempts(await ended(), "retries");

  assertEquals(tries.map(({ try_number }) => try_number), [1, 2, 3]);
  assertEquals(tries.map(({ end_reason }) => end_reason), ["task_error", "task_error", "success"]);
  assertEquals(await product.api.output(await ended(), "retries"), "try 3");
  assertEquals((await endOf("gives_up", 2)).message, "try 2");
  const [first, second] = await product.api.attempts(await ended(), "gives_up");
  assert(Date.parse(second.start_date!) - Date.parse(first.end_date!) >= 45);
});

Deno.test("a final error is not tried again", async () => {
  const { reason, message } = await endOf("throws_final", 1);

  assertEquals(reason, "task_error");
  assertStringIncludes(message, "the vendor is closed for good");
});

for (const taskId of ["times_out", "spins"]) {
  Deno.test(`a task that ${taskId.replace("_", " ")} past its timeout is ended by it`, async () => {
    const { reason, message } = await endOf(taskId, 1);

    assertEquals(reason, "timeout");
    assertStringIncludes(message, "300 ms");
  });
}

for (const taskId of ["swells", "heaps"]) {
  Deno.test(`a task that ${taskId} past its memory limit is ended by it`, async () => {
    const { reason, message } = await endOf(taskId, 1);

    assertEquals(reason, "memory_limit");
    assertStringIncludes(message, "200 MiB");
  });
}

Deno.test("a task that ends its own process has failed with the exit code", async () => {
  const { reason, evidence } = await endOf("exits", 1);

  assertEquals(reason, "child_exit");
  assertEquals(evidence.exitCode, 3);
});

Deno.test("a rejection that nobody waits for fails the task with its message", async () => {
  const { message } = await endOf("rejects_late", 1);

  assertStringIncludes(message, "nobody waited for this");
});

Deno.test("an output that is no JSON fails the task and says where", async () => {
  const { reason, message } = await endOf("no_json", 1);

  assertEquals(reason, "invalid_outcome");
  assertStringIncludes(message, "size");
});

Deno.test("a task that asks to be started again later is, without using up a try", async () => {
  const attempts = await product.api.attempts(await ended(), "asks_later");

  assertEquals(attempts.map(({ end_reason }) => end_reason), ["rescheduled", "success"]);
  assertEquals((await product.api.task(await ended(), "asks_later")).try_number, 1);
});

Deno.test("an output that is too large for the database arrives whole", async () => {
  const { rows } = await product.api.output<{ rows: string[] }>(await ended(), "large");

  assertEquals(rows.length, 20_000);
  assertEquals(rows.at(-1), "row 19999");
});

Deno.test("a child that somebody kills is named as killed, and the task is tried again", async () => {
  const run = await product.api.trigger("waits");
  Deno.kill(await pidOf(run, "waits"), "SIGKILL");

  assertEquals((await product.api.ended(run)).state, "success");

  const [killed, second] = await product.api.attempts(run, "waits");
  assertEquals(killed.end_reason, "child_killed");
  assertEquals(killed.evidence.signal, "SIGKILL");
  assertEquals(second.end_reason, "success");
  assertEquals(await product.api.output(run, "after"), "second try");
});

Deno.test("cancelling a run ends its processes, and says so", async () => {
  const run = await product.api.trigger("waits", { deaf: true });
  const pids = [await pidOf(run, "waits"), await pidOf(run, "deaf")];
  const path = `/api/v2/dags/waits/dagRuns/${run.dag_run_id}`;

  await product.api.send("PATCH", path, { state: "failed" });

  const now = await product.api.ended(run);
  assertEquals([now.state, now.end_reason], ["failed", "cancelled"]);
  assertEquals(pids.map(isAlive), [false, false]);
  assertEquals(await product.api.states(run), {
    waits: "cancelled",
    deaf: "cancelled",
    after: "cancelled",
  });
  for (const attempt of await product.api.attempts(run)) {
    assertEquals(attempt.end_reason, "cancelled");
  }
  // Airflow's own words for it.
  assertEquals((await product.api.task(run, "waits")).state, "failed");
});

Deno.test("clearing a running task ends its process and starts it again", async () => {
  const run = await product.api.trigger("waits");
  const pid = await pidOf(run, "waits");

  await product.api.send("POST", "/api/v2/dags/waits/clearTaskInstances", {
    dry_run: false,
    only_failed: false,
    dag_run_id: run.dag_run_id,
    task_ids: ["waits"],
  });

  const second = await until(
    "a new process",
    async () => {
      const attempts = await product.api.attempts(run, "waits");
      return attempts.length > 1 && attempts;
    },
  );
  assertEquals(second[0].end_reason, "cleared");
  assertEquals(isAlive(pid), false);
  assertEquals((await product.api.ended(run)).state, "success");
});

Deno.test("the log of a running task can be followed", async () => {
  const run = await product.api.trigger("waits");
  const path = `/api/v2/dags/waits/dagRuns/${run.dag_run_id}`;
  const response = await fetch(`${product.url}${path}/taskInstances/waits/logs/1?follow=true`, {
    headers: { authorization: `Bearer ${product.token}`, accept: "text/plain" },
  });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();

  let text = "";
  while (!text.includes("pid ")) text += (await reader.read()).value ?? "";
  await product.api.send("PATCH", path, { state: "failed" });
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    text += piece.value;
  }

  assertMatch(text, /pid \d+/);
  assertStringIncludes(text, "cancelled");
});
