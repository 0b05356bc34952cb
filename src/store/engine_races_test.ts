import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { chainSpec } from "../../tests/conformance/engine_store_world.ts";
import { testDatabase } from "../../tests/support/database.ts";
import { VirtualClock } from "../base/clock.ts";
import { seededIds } from "../base/ids.ts";
import { limits } from "../base/limits.ts";
import { seededRandom } from "../base/random.ts";
import { claim } from "./engine_claim.ts";
import { pgEngineStore } from "./engine_pg.ts";
import { localHintBus } from "./hints.ts";
import type { AttemptEnding } from "./port.ts";

/** A run of the chain whose task `a` is queued. */
async function queued() {
  const db = await testDatabase();
  const clock = new VirtualClock();
  const ids = seededIds(clock, seededRandom(3));
  const store = pgEngineStore({ sql: db.sql, hints: localHintBus(), ids, clock });
  const [now, dagVersionId, runId, attemptId] = [clock.now(), ids.uuid(), ids.uuid(), ids.uuid()];
  await db.sql`
    insert into dag (dag_id, fileloc, created_at, last_parsed_at)
    values ('chain', 'x.ts', ${now}, ${now})`;
  await db.sql`
    insert into dag_version
      (id, dag_id, version_number, meaning_hash, bundle_hash, entry, spec, created_at)
    values (${dagVersionId}, 'chain', 1, '0', '0', 'x.ts', '{}', ${now})`;
  const tasks = ["a", "b", "c"].map((taskId) => ({ id: ids.uuid(), taskId, maxTries: 1 }));
  await store.createRun({
    ...{ id: runId, dagId: "chain", runId: "r1", runType: "manual", logicalDate: null },
    ...{ dataIntervalStart: null, dataIntervalEnd: null, runAfter: now, conf: {}, dagVersionId },
    ...{ backfillId: null, traceParent: null, tasks },
  });
  const { epoch } = (await store.takeLease("me", null, now))!;
  const queue = { attemptId, tryNumber: 1, queue: "q", pool: "p", poolSlots: 1, priorityWeight: 1 };
  await store.applyTick(epoch, {
    ...{ newRuns: [], runMoves: [], expansions: [], nextRuns: [] },
    taskMoves: [{ id: tasks[0].id, from: "none", to: "queued", queue }],
  }, now);
  const request = { workerId: "w", hostname: "h", pid: 1, queues: ["q"], slots: 1 };
  return { db, store, ids, now, runId, attemptId, a: tasks[0].id, request };
}

const success: Omit<AttemptEnding, "attemptId" | "endDate"> = {
  ...{ endReason: "success", evidence: {}, result: "succeed", nextTryAt: null, output: null },
  ...{ outputKey: null, outputLength: null, chosen: null, effects: null },
  ...{ rssBytesMax: null, cpuMs: null },
};

Deno.test("clearTasks() stops an attempt that a worker claims at the same moment", async () => {
  const { db, store, now, runId, attemptId, a, request } = await queued();
  await using _db = db;
  const [isClaimed, mayCommit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const claiming = db.sql.begin(async (tx) => {
    await claim(tx as unknown as typeof db.sql, request, now);
    isClaimed.resolve();
    await mayCommit.promise;
  });
  await isClaimed.promise;
  const clearing = store.clearTasks(runId, [a], { spec: chainSpec }, now);
  await waitsForLock(db.sql);
  mayCommit.resolve();
  await Promise.all([claiming, clearing]);

  assertEquals((await store.loadTasks([a]))[0].state, "cancelling");
  assertEquals(await store.heartbeat([attemptId]), ["cancelling"]);
  const ended = { ...success, attemptId, endDate: now };
  assertEquals((await store.endAttempts([ended], now))[0].result, "ok");
  assertEquals((await store.loadTasks([a]))[0].state, "none");
});

Deno.test("endAttempts() keeps who cancelled beside what the worker saw", async () => {
  const { db, store, now, attemptId, a, request } = await queued();
  await using _db = db;
  await store.claim(request, now);
  await store.cancelTasks([a], now, "ann");
  const seen = { endReason: "cancelled", evidence: { signal: "SIGKILL" } } as const;
  await store.endAttempts([{ ...success, ...seen, result: "fail", attemptId, endDate: now }], now);
  const [{ evidence }] = await db.sql`select evidence from attempt where id = ${attemptId}`;
  assertEquals(evidence, { by: "ann", signal: "SIGKILL" });
});

Deno.test("endAttempts() refuses state that has grown too large over attempts, and keeps the old", async () => {
  const { db, store, now, attemptId, request } = await queued();
  await using _db = db;
  await db.sql`
    insert into task_state (dag_id, task_id, map_index, key, value, updated_at)
    values ('chain', 'a', -1, 'old', to_jsonb(repeat('x', ${limits.stateBytes - 100})), ${now})`;
  await store.claim(request, now);
  const effects = { state: { more: "y".repeat(100) } };
  const ended = { ...success, effects, attemptId, endDate: now };
  const error = await store.endAttempts([ended], now).catch((error) => error);
  assertEquals(error.code, "TOO_LARGE");
  assertStringIncludes(error.message, "set keys that are not needed any more to null");
  assertEquals(Object.keys(await store.loadTaskState("chain", "a", -1)), ["old"]);
});

Deno.test("endAttempts() lets only one of two take the last retry of a budget, and says so", async () => {
  const { db, store, ids, now, runId, attemptId, a, request } = await queued();
  await using _db = db;
  const [, { id: b }] = await db.sql<{ id: string }[]>`
    select id from task_instance where dag_run_id = ${runId} order by task_id`;
  const second = ids.uuid();
  const { epoch } = (await store.readLease())!;
  const queue = { attemptId: second, tryNumber: 1, queue: "q", pool: "p", poolSlots: 1 };
  await store.applyTick(epoch, {
    ...{ newRuns: [], runMoves: [], expansions: [], nextRuns: [] },
    taskMoves: [{ id: b, from: "none", to: "queued", queue: { ...queue, priorityWeight: 1 } }],
  }, now);
  await store.claim({ ...request, slots: 2 }, now);
  const failed = {
    ...success,
    ...{ endReason: "task_error", result: "retry", nextTryAt: now, endDate: now } as const,
    retryBudget: { perRun: 1, perHour: null },
  };
  await Promise.all([
    store.endAttempts([{ ...failed, attemptId }], now),
    store.endAttempts([{ ...failed, attemptId: second }], now),
  ]);

  const rows = await db.sql<{ state: string; note: string | null }[]>`
    select state, note from task_instance where id in (${a}, ${b}) order by state`;
  assertEquals(rows.map((row) => [row.state, row.note]), [
    ["failed", "Not tried again: the run has used up its retry budget of 1"],
    ["up_for_retry", null],
  ]);
});

/** Resolves once a statement of the test's own database waits for another's lock. */
async function waitsForLock(sql: Awaited<ReturnType<typeof testDatabase>>["sql"]) {
  for (;;) {
    const [{ waiting }] = await sql`
      select count(*)::int as waiting from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    if (waiting > 0) return;
  }
}

Deno.test("of runs that take the same events at one time, one by hand among them, one gets each", async () => {
  const { db, store, ids, now } = await queued();
  await using _db = db;
  const schedule = {
    kind: "datasets",
    datasets: ["d"],
    anyOf: [["d"]],
    partition: { kind: "each" },
  };
  await db.sql`update dag_version set spec = ${JSON.stringify({ schedule })}::text::jsonb`;
  await db.sql`update dag set dag_version_id = (select id from dag_version)`;
  const [{ id: dagVersionId }] = await db.sql<{ id: string }[]>`select id from dag_version`;
  const partitions = Array.from({ length: 20 }, (_, i) => `p${i}`);
  await store.recordEvents(
    partitions.map((partition) => ({ dataset: "d", partition, key: partition, extra: {} })),
    now,
  );
  const runOf = (name: string, isRequired: boolean) => ({
    ...{ id: ids.uuid(), dagId: "chain", runId: name, runType: "asset_triggered" as const },
    ...{ logicalDate: null, dataIntervalStart: null, dataIntervalEnd: null, runAfter: now },
    ...{ conf: {}, dagVersionId, backfillId: null, traceParent: null, tasks: [] },
    takes: { partitions, isRequired },
  });
  const { epoch } = (await store.readLease())!;
  const writes = { runMoves: [], taskMoves: [], expansions: [], nextRuns: [] };
  const [{ newRuns }, ...byHand] = await Promise.all([
    store.applyTick(epoch, { ...writes, newRuns: [runOf("tick", true)] }, now),
    ...["h1", "h2", "h3"].map((name) => store.createRun(runOf(name, false))),
  ]);
  const runs = [...newRuns, ...byHand.map(({ id }) => id)];
  const taken = await Promise.all(runs.map((id) => store.loadDatasetEvents(id)));
  assertEquals(taken.flat().map(({ key }) => key!).sort(), partitions.toSorted());
  assert(newRuns.every((_, i) => taken[i].length > 0), "a run that needs an event has one");
  const [again] = await store.recordEvents(
    [{ dataset: "d", partition: "p1", key: "p1", extra: {} }],
    now,
  );
  assertEquals([again.isNew, again.waitingDags], [false, []]);
});
