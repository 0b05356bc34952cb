/** @module The shipped DAG from vendors to a published dataset, on good days and on bad ones. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type SandboxServer, startSandbox } from "../../src/sandbox/mod.ts";
import type { Run } from "../support/product_api.ts";
import { type Product, startProduct } from "../support/product.ts";
import { until } from "../support/until.ts";
import { connectVendors, shippedDags } from "../support/vendors.ts";

const DAG = "standard_ingestion";
let product: Product;
let sandbox: SandboxServer;
Deno.test.beforeAll(async () => {
  sandbox = await startSandbox({ port: 0 });
  product = await startProduct({ dags: await shippedDags() });
  await connectVendors(product, sandbox);
});
Deno.test.afterAll(async () => {
  await product[Symbol.asyncDispose]();
  await sandbox.stop();
});

interface Version {
  id: string;
  partition: string;
  rows: number;
}

/** Rows of each task of the run, by its attempt that succeeded; each equation must hold. */
async function accountingOf(run: Run): Promise<Record<string, Record<string, number>>> {
  const rows: Record<string, Record<string, number>> = {};
  for (const { task_id, end_reason, accounting } of await product.api.attempts(run)) {
    if (end_reason !== "success") {
      // What did not succeed has no say in what is true.
      assertEquals(accounting, null, `${task_id} ended with ${end_reason}`);
      continue;
    }
    assertEquals(task_id in rows, false, `${task_id} succeeded twice`);
    const { in: taken, generated, out, quarantined, merged_away, filtered } = accounting!;
    assertEquals(taken + generated, out + quarantined + merged_away + filtered, task_id);
    rows[task_id] = accounting!;
  }
  return rows;
}

/** It succeeded, published one version, and no row went missing between any two tasks. */
async function assertWhole(run: Run, day: string): Promise<Version> {
  const ended = await product.api.ended(run, { withinMs: 60_000 });
  assertEquals(ended.state, "success", JSON.stringify(await product.api.states(run)));
  const page = await product.api.get<{ versions: Version[] }>(
    "/api/v2/datasets/prices.daily/versions?limit=100",
  );
  const versions = page.versions.filter(({ partition }) => partition === day);
  assertEquals(versions.length, 1);
  const rows = await accountingOf(run);
  let merged = 0;
  for (const name of ["marketstack", "stooq", "desk"]) {
    const converted = rows[`convert_${name}`]?.out ?? 0;
    assertEquals(rows[`check_${name}`]?.in ?? 0, converted);
    merged += rows[`check_${name}`]?.out ?? 0;
  }
  assertEquals(rows.merge.in, merged);
  assertEquals(rows.publish.in, rows.merge.out);
  assertEquals(versions[0].rows, rows.publish.out);
  assert(versions[0].rows > 50);
  await assertQuarantined(run, rows);
  return versions[0];
}

/** What the tasks say that they quarantined is there, to the row. */
async function assertQuarantined(run: Run, rows: Record<string, Record<string, number>>) {
  const { quarantines } = await product.api.get<{
    quarantines: { run_id: string; task_id: string; rows: number }[];
  }>("/api/v2/quarantine?limit=1000");
  const kept = quarantines.filter(({ run_id }) => run_id === run.dag_run_id);
  const sum = (all: number[]) => all.reduce((total, one) => total + one, 0);
  assertEquals(
    sum(kept.map((quarantine) => quarantine.rows)),
    sum(Object.values(rows).map(({ quarantined }) => quarantined)),
  );
}

/** Every value of one row leads to a line of a stored raw file that has it. */
async function assertTraced({ partition, id }: Version) {
  const lineage = await product.api.get<{
    id: string;
    cells: { column: string; value: unknown; source: string; raw_file: string; raw_row: number }[];
  }>(
    `/api/v2/lineage/prices.daily?partition=${partition}&key=` +
      encodeURIComponent(`symbol=IBM,date=${partition}`),
  );
  assertEquals(lineage.id, id);
  const close = lineage.cells.find(({ column }) => column === "close")!;
  assertEquals(close.source, "desk.bars");
  const raw = await Deno.readTextFile(`${product.home}/objects/${close.raw_file}`);
  const line = raw.split("\n")[close.raw_row];
  assertStringIncludes(line, "IBM");
  assertStringIncludes(line, String(Number(close.value)));
}

/** The vendor's answer stands still in the middle of its body, and the task waits for it. */
async function stalledRun(day: string): Promise<Run> {
  sandbox.sandbox.faults.add({
    fault: { kind: "stall", afterBytes: 500 },
    match: "/marketstack/v1/eod",
  });
  const run = await product.api.trigger(DAG, { date: day });
  await until("the vendor to stall", async () => {
    const { internal_state } = await product.api.task(run, "collect_marketstack");
    return internal_state === "running" && sandbox.sandbox.faults.list().length === 0;
  });
  return run;
}

/** Task processes of the product. */
function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const parent = /^PPid:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${name}/status`))?.[1];
      const isChild = Number(parent) === pid &&
        Deno.readTextFileSync(`/proc/${name}/cmdline`).includes("worker/child/main.ts");
      if (isChild) children.push(Number(name));
    } catch {
      // It ended meanwhile.
    }
  }
  return children;
}

Deno.test("standard_ingestion publishes one version, and every row is accounted for", async () => {
  const run = await product.api.trigger(DAG);

  const version = await assertWhole(run, "2013-03-01");

  const rows = await accountingOf(run);
  assertEquals([rows.convert_stooq.in, rows.convert_desk.in, rows.publish.out], [126, 27, 125]);
  await assertTraced(version);
});

Deno.test("SIGKILL of a task's process in the middle: tried again, one version, sums that add up", async () => {
  const run = await stalledRun("2013-02-28");

  for (const pid of childrenOf(product.pid)) Deno.kill(pid, "SIGKILL");

  await assertWhole(run, "2013-02-28");
  const [killed, again] = await product.api.attempts(run, "collect_marketstack");
  assertEquals([killed.end_reason, again.end_reason], ["child_killed", "success"]);
});

Deno.test("SIGKILL of the service in the middle: the next start finishes it, with one version", async () => {
  const run = await stalledRun("2013-02-27");

  await product.end("SIGKILL");
  await product.start();

  await assertWhole(run, "2013-02-27");
  const [lost, again] = await product.api.attempts(run, "collect_marketstack");
  assertEquals([lost.end_reason, again.end_reason], ["worker_lost", "success"]);
  assertEquals(again.try_number, 1);
});

Deno.test("SIGKILL of PostgreSQL in the middle: the run finishes, with one version", async () => {
  const run = await product.api.trigger(DAG, { date: "2013-02-26" });
  await until("a conversion to run", async () => {
    const states = await product.api.states(run);
    return Object.entries(states).some(([task, state]) =>
      task.startsWith("convert_") && state === "running"
    );
  }, { everyMs: 5 });

  Deno.kill(await product.postgresPid(), "SIGKILL");

  await assertWhole(run, "2013-02-26");
});

Deno.test("SIGKILL of PostgreSQL while it publishes: one version, whichever way it went", async () => {
  const run = await product.api.trigger(DAG, { date: "2013-02-25" });
  await until("the publication to begin", async () => {
    const { publish, merge } = await product.api.states(run);
    return publish === "running" || publish === "success" || merge === "success";
  }, { everyMs: 2 });

  Deno.kill(await product.postgresPid(), "SIGKILL");

  await assertWhole(run, "2013-02-25");
});
