/** @module Cascades through DAGs that datasets start. */
import { assertEquals } from "@std/assert";
import { type ApiWorld, apiWorld } from "../../../tests/support/api.ts";
import { stepCascades } from "../../store/backfill_cascade.ts";
import { pgBackfillStore } from "../../store/backfill_pg.ts";

const daily = { schedule: { kind: "cron", cron: "0 0 * * *", timezone: "UTC" } };
const on = (datasets: string[], partition?: object) => ({
  schedule: { kind: "datasets", datasets, anyOf: [datasets], ...(partition ? { partition } : {}) },
});
const days = ["2029-12-29", "2029-12-30", "2029-12-31"];

/** prices → each day, the month, three days together, and whatever there is; each day → the last. */
async function world(): Promise<ApiWorld> {
  const w = await apiWorld();
  const dag = (id: string, some: object) =>
    w.addDag(id, [{ taskId: "t" }], { ...some, datasets: [id] });
  await dag("prices", daily);
  await dag("each", on(["prices"], { kind: "each" }));
  await dag("month", on(["prices"], { kind: "rollup", over: "month", sessions: null }));
  await dag("turn", on(["prices"], { kind: "groups", groups: { "of-year": days } }));
  await dag("any", on(["prices"]));
  await dag("last", on(["each"], { kind: "each" }));
  return w;
}

const name = (at: string) => `${at}T00:00:00Z`;
const start = (w: ApiWorld, some: object = {}, path = "") =>
  w.call("POST", `/api/v2/backfills${path}`, {
    body: {
      dag_id: "prices",
      from_date: name("2029-12-29"),
      to_date: name("2029-12-31"),
      reprocess_behavior: "completed",
      cascade: true,
      ...some,
    },
  });

async function look(w: ApiWorld) {
  const now = w.parts.clock.now();
  await stepCascades(w.parts, now);
  await pgBackfillStore(w.parts).fill({}, now);
  await pgBackfillStore(w.parts).complete(now);
  await stepCascades(w.parts, now);
}

/** End a run: with a version of its DAG's dataset, or as failed. */
async function end(w: ApiWorld, dagId: string, runId: string, partition: string | null) {
  await w.moveRun(dagId, runId, "running");
  if (partition !== null) {
    const [workload] = await w.start(dagId, runId, ["t"]);
    const intent = {
      ...{ dataset: dagId, partition, kind: "table", schema: null, rows: 1, lineageFiles: [] },
      files: [{ key: `x/${dagId}-${partition}.parquet`, bytes: 10, sha256: "0".repeat(64) }],
      ...{ inputs: [], columns: [], metrics: {} },
    };
    await w.end(workload, { outcome: { kind: "done", effects: { publish: [intent] } } });
  }
  await w.moveRun(dagId, runId, partition === null ? "failed" : "success");
  await look(w);
}

async function endDate(w: ApiWorld, dagId: string, day: string, isGood = true) {
  const { body: { dag_runs } } = await w.call("GET", `/api/v2/dags/${dagId}/dagRuns?state=queued`);
  const run = dag_runs.find((one: { logical_date: string }) => one.logical_date.startsWith(day));
  await end(w, dagId, run.dag_run_id, isGood ? day : null);
}

/** What waits for each of the DAGs, as the scheduler sees it. */
async function pending(w: ApiWorld): Promise<Record<string, string>> {
  const dags = await w.parts.store.loadDags();
  return Object.fromEntries(
    dags.flatMap(({ dagId, pending }) =>
      pending && pending.length > 0
        ? [[dagId, pending.map(({ partition }) => partition.slice(8)).join(" ") || "some"]]
        : []
    ),
  );
}

/** The run that the scheduler makes of what waits. */
async function take(w: ApiWorld, dagId: string, partitions: string[] | null, key: string | null) {
  const { store, clock, ids } = w.parts;
  const [dag] = (await store.loadDags()).filter((one) => one.dagId === dagId);
  const runId = `by_data_${key}_${ids.uuid()}`;
  const made = await w.makeRun({
    ...{ id: ids.uuid(), dagId, runId, runType: "asset_triggered", logicalDate: null },
    ...{ dataIntervalStart: null, dataIntervalEnd: null, runAfter: clock.now(), conf: {} },
    ...{ dagVersionId: dag.dagVersionId, backfillId: null, traceParent: null },
    tasks: [{ id: ids.uuid(), taskId: "t", maxTries: 0 }],
    partitionKey: key,
    takes: { partitions, isRequired: true },
  });
  assertEquals(made.length, 1);
  return runId;
}

async function states(w: ApiWorld, id: number): Promise<Record<string, string>> {
  const { body } = await w.call("GET", `/api/v2/backfills/${id}/cascade`);
  return {
    all: body.state,
    ...Object.fromEntries(
      body.backfills.map((each: { backfill: { dag_id: string; state: string } }) => [
        each.backfill.dag_id,
        each.backfill.state,
      ]),
    ),
  };
}

Deno.test("a dry run says for which partitions DAGs by datasets will run, and after what", async () => {
  await using w = await world();
  const { body } = await start(w, {}, "/dry_run");
  assertEquals(
    body.cascade.map((one: Record<string, unknown>) => [
      one.dag_id,
      one.kind,
      one.partitions,
      one.waits_for,
    ]),
    [
      ["any", "events", [], "all above"],
      ["each", "events", days, "what each needs"],
      ["month", "events", ["2029-12"], "what each needs"],
      ["turn", "events", ["of-year"], "what each needs"],
      ["last", "events", days, "what each needs"],
    ],
  );
});

Deno.test("partitions of a cascade run once all that they need is done, and a failure keeps only those", async () => {
  await using w = await world();
  const { body: { id } } = await start(w);
  await endDate(w, "prices", "2029-12-30");
  // The day goes on at once; the month and what goes by no partitions wait for the other days.
  assertEquals(await pending(w), { each: "30" });
  await endDate(w, "prices", "2029-12-29", false);
  assertEquals(await pending(w), { each: "30" });
  await endDate(w, "prices", "2029-12-31");
  assertEquals(await pending(w), { any: "some", each: "30 31" });

  for (const day of ["2029-12-30", "2029-12-31"]) {
    await end(w, "each", await take(w, "each", [day], day), day);
  }
  assertEquals(await pending(w), { any: "some", last: "30 31" });
  await end(w, "any", await take(w, "any", null, null), "all");
  for (const day of ["2029-12-30", "2029-12-31"]) {
    await end(w, "last", await take(w, "last", [day], day), day);
  }
  assertEquals(await states(w, id), {
    ...{ all: "failed", prices: "completed", any: "completed", each: "upstream_failed" },
    ...{ month: "upstream_failed", turn: "upstream_failed", last: "upstream_failed" },
  });

  const rerun = await w.call("POST", `/api/v2/backfills/${id}/rerun_failed`, { body: {} });
  assertEquals(rerun.status, 200);
  await look(w);
  await endDate(w, "prices", "2029-12-29");
  // All three days are there for those that need them; the month lacks others of December.
  assertEquals(await pending(w), {
    ...{ any: "some", each: "29", month: "30 31 29", turn: "30 31 29" },
  });
  await end(w, "turn", await take(w, "turn", days, "of-year"), "of-year");
  await end(w, "each", await take(w, "each", ["2029-12-29"], "2029-12-29"), "2029-12-29");
  await end(w, "any", await take(w, "any", null, null), "all");
  await end(w, "last", await take(w, "last", ["2029-12-29"], "2029-12-29"), "2029-12-29");
  assertEquals(await states(w, id), {
    ...{ all: "completed", prices: "completed", any: "completed", each: "completed" },
    ...{ month: "completed", turn: "completed", last: "completed" },
  });
  const month = (await w.call("GET", `/api/v2/backfills/${id}/cascade`)).body.backfills.find(
    (one: { backfill: { dag_id: string } }) => one.backfill.dag_id === "month",
  );
  assertEquals(month.backfill.runs.left_out_by, { "waits for others": 1 });
  const { body: { dates } } = await w.call("GET", `/api/v2/backfills/${month.backfill.id}/dates`);
  assertEquals(dates.map((one: Record<string, unknown>) => [one.logical_date, one.partition_key]), [
    [null, "2029-12"],
  ]);
});

Deno.test("a cascade keeps no events of others, and a cancel lets those go that it kept", async () => {
  await using w = await world();
  const { body: { id } } = await start(w, { to_date: name("2029-12-30") });
  await endDate(w, "prices", "2029-12-30");
  const live = await w.trigger("prices", { logical_date: name("2030-01-05") });
  await end(w, "prices", live, "2030-01-05");
  assertEquals(await pending(w), { any: "some", each: "30 05", month: "05", turn: "05" });
  await w.call("PUT", `/api/v2/backfills/${id}/cancel`, { body: {} });
  await look(w);
  assertEquals(await pending(w), {
    ...{ any: "some", each: "30 05", month: "05 30", turn: "05 30" },
  });
  await end(w, "each", await take(w, "each", ["2029-12-30"], "2029-12-30"), "2029-12-30");
  assertEquals((await pending(w)).last, "30");
});
