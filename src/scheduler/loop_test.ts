import { assert, assertEquals } from "@std/assert";
import type { VirtualClock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { seededRandom } from "../base/random.ts";
import { AppError } from "../model/errors.ts";
import { HandOver } from "../store/hand_over.ts";
import type { Claimed, EngineStore, TickWrites } from "../store/port.ts";
import { endingOf, SchedulerWorld, specOf } from "../../tests/support/scheduler_world.ts";
import { type SchedulerService, schedulerService } from "./loop.ts";

/** Let everything that waits for nothing but promises go on. */
async function flush() {
  for (let i = 0; i < 200; i++) await null;
}

/** Move a virtual clock in steps, as sleepers wake. */
async function pass(clock: VirtualClock, ms: number) {
  const until = new Date(clock.now().getTime() + ms);
  await flush();
  for (let next = clock.nextWakeAt(); next && next <= until; next = clock.nextWakeAt()) {
    clock.advanceTo(next);
    await flush();
  }
  clock.advanceTo(until);
  await flush();
}

/** A scheduler on a world's store, seen through `change`. */
function schedulerOn(
  world: SchedulerWorld,
  change: Partial<EngineStore> = {},
  { holder = "other", handOver }: { holder?: string; handOver?: HandOver } = {},
): SchedulerService {
  return schedulerService({
    store: { ...world.store, ...change },
    clock: world.clock,
    ids: world.ids,
    random: seededRandom(3),
    log: world.log,
    holder,
    ...(handOver ? { handOver } : {}),
  });
}

const chain = specOf("d", { a: {}, b: { upstream: ["a"] } });

Deno.test("the loop goes on at a hint, without time passing", async () => {
  const world = new SchedulerWorld();
  world.addDag(chain);
  await world.scheduler.start();
  await flush();
  const run = await world.trigger(chain);
  await flush();
  await world.end((await world.claim())[0], "succeed");
  await flush();
  await world.end((await world.claim())[0], "succeed");
  await flush();
  assertEquals(await world.runState(run), "success");
  assertEquals(world.clock.now(), new Date("2030-01-01T00:00:00Z"));
  await world.scheduler.stop();
});

Deno.test("what becomes ready starts with a claim that waits, and is queued where none does", async () => {
  const world = new SchedulerWorld();
  world.addDag(chain);
  const handOver = new HandOver();
  const told: string[] = [];
  const place = () => ({
    claimer: { workerId: "w", hostname: "h", pid: 1 },
    queues: new Set(["default"]),
    slots: 1,
    deliver: (started: readonly Claimed[]) => void told.push(...started.map((s) => s.task.taskId)),
  });
  handOver.open(place());
  let isAway = true;
  const applyTick: EngineStore["applyTick"] = (...given) =>
    isAway
      ? Promise.reject(new AppError("UNAVAILABLE", "Cannot write"))
      : world.store.applyTick(...given);
  const scheduler = schedulerOn(world, { applyTick }, { handOver });
  await scheduler.start();
  await world.trigger(chain);
  await flush();
  assertEquals(told, [], "a write that failed starts nothing");
  isAway = false;
  handOver.open(place());
  await pass(world.clock, 1_000);
  assertEquals(told, ["a"]);
  assertEquals(await world.claim(), [], "it was never queued");
  const [{ id }] = world.store.attempts();
  await world.store.endAttempts([endingOf(id, "succeed", world.clock.now())], world.clock.now());
  await flush();
  assertEquals((await world.claim()).map((each) => each.task.taskId), ["b"]);
  await scheduler.stop();
});

Deno.test("the end of a task queues the next in one write, and nothing need be read", async () => {
  const world = new SchedulerWorld();
  world.addDag(chain);
  const calls: string[] = [];
  const counted = Object.fromEntries(
    Object.entries(world.store).map(([name, call]) => [name, (...given: never[]) => {
      calls.push(name);
      return (call as (...given: never[]) => unknown)(...given);
    }]),
  ) as unknown as EngineStore;
  const scheduler = schedulerOn(world, counted);
  await scheduler.start();
  await world.trigger(chain);
  await flush();
  const [claimed] = await world.claim();
  calls.length = 0;
  await world.end(claimed, "succeed");
  await flush();
  assertEquals(calls, ["applyTick"]);
  await scheduler.stop();
});

Deno.test("hints that come during a pass go into the next one together", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { each: { over: 8 }, sum: { upstream: ["each"] } });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  const claimed = await world.claim();
  await world.scheduler.stop();
  let open = () => {};
  let reads = 0;
  const scheduler = schedulerOn(world, {
    listen: (onHint) =>
      world.store.listen((hint) =>
        onHint(hint.topic === "runs" ? { ...hint, ended: undefined } : hint)
      ),
    async loadTasks(ids) {
      reads++;
      const rows = await world.store.loadTasks(ids);
      await new Promise<void>((resolve) => open = resolve);
      return rows;
    },
  });
  const lease = await world.store.readLease();
  await world.store.releaseLease(lease!);
  await scheduler.start();
  await flush();
  open();
  await flush();
  reads = 0;
  for (const each of claimed) {
    await world.end(each, "succeed");
    await flush();
  }
  open();
  await flush();
  open();
  await flush();
  assertEquals(reads, 2);
  assertEquals((await world.states(run)).sum, "queued");
  await scheduler.stop();
});

Deno.test("a lost hint costs at most a sweep", async () => {
  const world = new SchedulerWorld();
  const scheduler = schedulerOn(world, {
    listen: () => Promise.resolve({ stop: () => Promise.resolve() }),
  });
  await scheduler.start();
  await flush();
  world.addDag(chain);
  const run = await world.trigger(chain);
  await pass(world.clock, limits.sweepMs);
  await world.end((await world.claim())[0], "succeed");
  await pass(world.clock, limits.sweepMs);
  await world.end((await world.claim())[0], "succeed");
  await pass(world.clock, limits.sweepMs);
  assertEquals(await world.runState(run), "success");
  const stopped = await world.trigger(chain);
  await pass(world.clock, limits.sweepMs);
  await world.store.cancelRun(stopped, { now: world.clock.now(), by: "someone" });
  await pass(world.clock, 2 * limits.sweepMs);
  assertEquals(await world.runState(stopped), "failed");
  await scheduler.stop();
});

Deno.test("a standby takes over from a leader that renews no longer, and goes on", async () => {
  const world = new SchedulerWorld();
  world.addDag(chain);
  const leader = schedulerOn(world, { renewLease: () => new Promise(() => {}) }, {
    holder: "first",
  });
  const standby = schedulerOn(world, {}, { holder: "second" });
  await leader.start();
  await flush();
  await standby.start();
  const run = await world.trigger(chain);
  await pass(world.clock, limits.leaseMs - 1);
  assertEquals(standby.health().detail?.role, "standby");
  await pass(world.clock, 2 * limits.leaseRenewMs);
  assertEquals(standby.health().detail?.role, "leader");
  await world.end((await world.claim())[0], "succeed");
  await pass(world.clock, limits.sweepMs);
  assertEquals(leader.health().detail?.role, "standby");
  await world.end((await world.claim())[0], "succeed");
  await flush();
  assertEquals(await world.runState(run), "success");
  await standby.stop();
});

Deno.test("a leader that stops gives its lease to the standby at once", async () => {
  const world = new SchedulerWorld();
  const [first, second] = [
    schedulerOn(world, {}, { holder: "first" }),
    schedulerOn(world, {}, { holder: "second" }),
  ];
  await first.start();
  await flush();
  await second.start();
  await flush();
  await first.stop();
  await pass(world.clock, limits.leaseRenewMs);
  assertEquals(second.health().detail?.role, "leader");
  await second.stop();
});

Deno.test("an attempt whose worker is silent is lost, and one being cancelled is cancelled", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {}, b: {}, c: {} });
  world.addDag(spec);
  await world.scheduler.start();
  const run = await world.trigger(spec);
  await flush();
  const claimed = await world.claim();
  const of = (taskId: string) => claimed.find(({ task }) => task.taskId === taskId)!;
  await world.store.cancelTasks([of("b").task.id], world.clock.now(), "someone");
  for (let ms = 0; ms < limits.heartbeatTimeoutMs + 2 * limits.sweepMs; ms += 1_000) {
    await pass(world.clock, 1_000);
    await world.store.heartbeat([of("c").attempt.id]);
  }
  assertEquals(await world.states(run), { a: "queued", b: "cancelled", c: "running" });
  const lost = world.store.attempts().find((attempt) => attempt.id === of("a").attempt.id)!;
  assertEquals(lost.endReason, "worker_lost");
  assert(lost.evidence.message?.includes("sent no heartbeat"));
  await world.scheduler.stop();
});

Deno.test("a store that fails is tried again, and everything is read anew", async () => {
  const world = new SchedulerWorld();
  let isDown = false;
  const scheduler = schedulerOn(world, {
    applyTick(epoch: number, writes: TickWrites, now: Date) {
      if (isDown) return Promise.reject(new AppError("UNAVAILABLE", "The database is away"));
      return world.store.applyTick(epoch, writes, now);
    },
  });
  await scheduler.start();
  world.addDag(chain);
  await flush();
  isDown = true;
  const run = await world.trigger(chain);
  await pass(world.clock, 3_000);
  assertEquals(scheduler.health().ready, false);
  assertEquals(scheduler.health().detail?.error, "The database is away");
  isDown = false;
  await pass(world.clock, limits.sweepMs);
  assertEquals(scheduler.health().ready, true);
  assertEquals((await world.states(run)).a, "queued");
  await scheduler.stop();
});

Deno.test("a move that came too late is seen, and its run read anew", async () => {
  const world = new SchedulerWorld();
  const spec = specOf("d", { a: {}, b: {} });
  world.addDag(spec);
  const run = await world.trigger(spec);
  const scheduler = schedulerOn(world, {
    async applyTick(epoch, writes, now) {
      const move = writes.taskMoves.find((each) => each.to === "queued");
      if (move) await world.store.cancelTasks([move.id], now, "someone");
      return await world.store.applyTick(epoch, writes, now);
    },
    listen: () => Promise.resolve({ stop: () => Promise.resolve() }),
  });
  while (await scheduler.runOnce());
  assertEquals(Object.values(await world.states(run)).toSorted(), ["cancelled", "queued"]);
});
