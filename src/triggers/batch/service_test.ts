import { assertEquals } from "@std/assert";
import { apiWorld } from "../../../tests/support/api.ts";
import { limits } from "../../base/limits.ts";
import { silentLogger } from "../../base/log.ts";
import { noMetrics } from "../../metrics/mod.ts";
import { isBulkOpen, workBulk } from "../../store/bulk_work.ts";
import { stepCascades } from "../../store/backfill_cascade.ts";
import { pgBackfillStore } from "../../store/backfill_pg.ts";
import { batchManager } from "./service.ts";

const product = { version: "1.2.3", image: null };
const often = { schedule: { kind: "interval", everyMs: 60_000 } };

Deno.test("the batch manager makes the runs that a backfill has no room for at first", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], often);
  const manager = batchManager({
    backfills: pgBackfillStore(w.parts),
    workBulk: (now) => workBulk({ ...w.parts, product }, {}, now),
    isBulkOpen: () => isBulkOpen(w.parts.sql),
    stepCascades: (now) => stepCascades(w.parts, now),
    listen: (onHint) => w.parts.hints.subscribe(onHint),
    clock: w.parts.clock,
    log: silentLogger,
    metrics: noMetrics,
  });
  assertEquals(await manager.runOnce(), false);
  const { body } = await w.call("POST", "/api/v2/backfills", {
    body: { dag_id: "d", from_date: "2030-01-01", to_date: "2030-01-01T20:00:00Z" },
  });
  assertEquals([body.runs.planned, body.runs.queued], [1201, limits.backfillQueued]);
  await w.parts.sql`
    update dag_run set state = 'success', end_date = now() where state = 'queued'`;
  assertEquals(await manager.runOnce(), true);
  const counts = async () => (await w.call("GET", `/api/v2/backfills/${body.id}`)).body;
  assertEquals((await counts()).runs.queued, 201);
  await w.parts.sql`
    update dag_run set state = 'success', end_date = now() where state = 'queued'`;
  assertEquals(await manager.runOnce(), false);
  const done = await counts();
  assertEquals([done.state, done.runs.success, done.runs.pending], ["completed", 1201, 0]);
});

Deno.test("the batch manager wakes up when a backfill is made, and stops", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }], often);
  const backfills = pgBackfillStore(w.parts);
  let looks = 0;
  const looked: (() => void)[] = [];
  const manager = batchManager({
    backfills: {
      ...backfills,
      isBusy() {
        looks++;
        looked.shift()?.();
        return Promise.resolve(false);
      },
    },
    workBulk: (now) => workBulk({ ...w.parts, product }, {}, now),
    isBulkOpen: () => isBulkOpen(w.parts.sql),
    stepCascades: () => Promise.resolve(),
    listen: (onHint) => w.parts.hints.subscribe(onHint),
    clock: w.parts.clock,
    log: silentLogger,
    metrics: noMetrics,
  });
  const nextLook = () => new Promise<void>((resolve) => looked.push(resolve));
  const first = nextLook();
  await manager.start();
  await first;
  const second = nextLook();
  await w.call("POST", "/api/v2/backfills", {
    body: { dag_id: "d", from_date: "2030-01-01", to_date: "2030-01-01T01:00:00Z" },
  });
  await second;
  assertEquals([looks >= 2, manager.health().ready], [true, true]);
  await manager.stop();
});
