import { assertEquals } from "@std/assert";
import { SchedulerWorld, specOf } from "../../tests/support/scheduler_world.ts";
import { seededRandom } from "../base/random.ts";
import type { DeadlineSpec } from "../model/deadline_spec.ts";
import type { NoticeTarget } from "../model/notice_spec.ts";
import { deadlinesOf } from "../timetable/mod.ts";
import { schedulerService } from "./loop.ts";

const HOUR = 3_600_000;
const target: NoticeTarget = {
  kind: "webhook",
  ...{ url: "http://x.org/", connection: null, path: null, format: "cloudevents" },
};
const deadline = (by: DeadlineSpec["by"], name = by.kind): DeadlineSpec => ({
  ...{ name, by, notify: [target] },
});

/** A DAG that is due each hour, with these deadlines. */
const hourly = (...deadlines: DeadlineSpec[]) =>
  specOf("d", { a: {} }, {
    schedule: { kind: "cron", cron: "0 * * * *", timezone: "UTC" },
    start: "2030-01-01T00:00:00Z",
    deadlines,
  });

const misses = (world: SchedulerWorld) =>
  world.store.outbox().map(({ type, subject, data, occurredAt }) =>
    [type.replace("tidewheel.", ""), subject, data.deadline, occurredAt.toISOString().slice(11, 19)]
      .join(" ")
  );

Deno.test("a run that is late is told of at the deadline, once, and one that is done in time is not", async () => {
  const world = new SchedulerWorld();
  world.addDag(hourly(deadline({ kind: "due", withinMs: 600_000 })));
  await world.settle();
  await world.advance(HOUR);
  await world.work();
  await world.advance(HOUR);
  const late = "dag_run.deadline_missed scheduled__2030-01-01T01:00:00+00:00 due 02:10:00";
  assertEquals(misses(world), []);
  await world.advance(599_999);
  assertEquals(misses(world), []);
  await world.advance(1);
  assertEquals(misses(world), [late]);
  await world.advance(600_000);
  assertEquals(misses(world), [late]);
});

Deno.test("a deadline from the start counts from it, and a new leader knows what it must watch", async () => {
  const world = new SchedulerWorld();
  const spec = hourly(deadline({ kind: "started", withinMs: 60_000 }));
  world.addDag({ ...spec, maxActiveRuns: 1 });
  await world.settle();
  await world.advance(HOUR);
  assertEquals(world.store.deadlines().map(({ at }) => at?.toISOString()), [
    "2030-01-01T01:01:00.000Z",
  ]);
  await world.store.releaseLease((await world.store.readLease())!);
  const { store, clock, ids, log } = world;
  const next = schedulerService({
    store,
    clock,
    ids,
    log,
    random: seededRandom(3),
    holder: "next",
  });
  await next.runOnce();
  world.clock.advance(60_000);
  await next.runOnce();
  assertEquals(misses(world).length, 1);
});

Deno.test("after an outage the deadline of a night is told, that of last year is not", async () => {
  const world = new SchedulerWorld();
  const spec = hourly(deadline({ kind: "due", withinMs: 0 }));
  world.addDag({ ...spec, start: "2029-12-01T00:00:00Z", catchup: true, maxActiveRuns: 1000 });
  await world.settle();
  const told = world.store.outbox().map(({ data }) => data.data_interval_end);
  assertEquals(told.length, 25);
  assertEquals(told[0], "2029-12-31T00:00:00.000Z");
});

Deno.test("a task's deadline is missed while its retry waits, though the run may still succeed", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", {
    a: { retry: { retries: 1 }, deadlines: [deadline({ kind: "queued", withinMs: 1_000 })] },
  });
  world.addDag(spec);
  const now = world.clock.now();
  const made = deadlinesOf(spec, { logicalDate: null, runAfter: now }, {
    now,
    newId: () => world.ids.uuid(),
  });
  const run = await world.trigger(spec, made);
  await world.work(() => ({ retryInMs: 5_000 }));
  await world.advance(1_000);
  assertEquals(world.store.outbox().map(({ type }) => type), [
    "tidewheel.task_instance.deadline_missed",
  ]);
  await world.advance(5_000);
  await world.work();
  assertEquals(await world.runState(run), "success");
});
