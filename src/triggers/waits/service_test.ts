import { assert, assertEquals } from "@std/assert";
import { VirtualClock } from "../../base/clock.ts";
import { seededIds } from "../../base/ids.ts";
import { limits } from "../../base/limits.ts";
import { silentLogger } from "../../base/log.ts";
import { seededRandom } from "../../base/random.ts";
import type { TriggerSpec } from "../../model/trigger.ts";
import { SchedulerWorld, specOf } from "../../../tests/support/scheduler_world.ts";
import { type TriggersService, triggersService } from "./mod.ts";

const at = (ms: number): TriggerSpec => ({
  kind: "time",
  at: new Date(Date.parse("2030-01-01T00:00:00Z") + ms).toISOString(),
});

/** A world with one run whose mapped task "wait" has an instance for each trigger. */
async function waiting(triggers: TriggerSpec[]) {
  const world = new SchedulerWorld();
  const spec = specOf("d", { wait: { over: triggers.length } }, { maxActiveTasks: 10_000 });
  world.store.setPool({ name: "default_pool", slots: -1 });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  for (const each of await world.claim()) {
    await world.end(each, { defer: triggers[each.task.mapIndex] });
  }
  await world.settle();
  const states = async () => Object.values(await world.states(run));
  const left = async () => (await states()).filter((state) => state === "deferred").length;
  return { world, run, spec, left };
}

function serviceOn(
  { store, clock }: SchedulerWorld,
  holder: string,
  over: Partial<SchedulerWorld["store"]> = {},
): TriggersService {
  return triggersService({
    store: { ...store, ...over },
    clock,
    ids: seededIds(new VirtualClock(), seededRandom(holder.charCodeAt(0))),
    random: seededRandom(1),
    log: silentLogger,
    holder,
  });
}

/** Let time pass in small steps, so that loops keep up with it. */
async function pass(clock: VirtualClock, ms: number) {
  for (let left = ms; left > 0; left -= 250) {
    clock.advance(Math.min(left, 250));
    for (let i = 0; i < 40; i++) await null;
  }
}

Deno.test("waits of time fire at their instants, without asking the store before", async () => {
  const { world, left } = await waiting([at(1_000), at(2_000), at(2_000), at(90_000)]);
  let asked = 0;
  const lookAt = () => (asked++, Promise.resolve([]));
  const service = serviceOn(world, "a", { lookAt });
  await service.start();
  await pass(world.clock, 900);
  assertEquals(await left(), 4);
  await pass(world.clock, 200);
  assertEquals(await left(), 3);
  await pass(world.clock, 1_000);
  assertEquals(await left(), 1);
  assertEquals(asked, 0);
  assertEquals(service.health().detail?.waits, { time: 1 });
  await service.stop();
});

Deno.test("a wait for a dataset fires at the hint of it; many are one question", async () => {
  const of = (partition: string): TriggerSpec => ({ kind: "dataset", dataset: "x", partition });
  const { world, left } = await waiting(Array.from({ length: 50 }, (_, i) => of(`p${i}`)));
  const questions: number[] = [];
  const service = serviceOn(world, "a", {
    lookAt: (specs) => (questions.push(specs.length), world.store.lookAt(specs)),
  });
  await service.start();
  await pass(world.clock, 500);
  assertEquals(questions, [50]);
  const event = { dataset: "x", partition: "p7", key: null, extra: {} };
  await world.store.recordEvents([event], world.clock.now());
  await world.store.recordEvents([{ ...event, dataset: "y" }], world.clock.now());
  await pass(world.clock, 250);
  assertEquals(await left(), 49);
  assertEquals(questions, [50, 50], "one look for the hint of x, none for y");
  await service.stop();
});

Deno.test("waits for runs and tasks fire when these end as they should", async () => {
  const of = { dagId: "other", runId: "r1" };
  const failed: TriggerSpec = { kind: "run", ...of, states: ["failed"] };
  const ended: TriggerSpec = { kind: "run", ...of, states: ["success", "failed"] };
  const task: TriggerSpec = { kind: "task", ...of, taskId: "a", states: ["success"] };
  const { world, left } = await waiting([failed, ended, task]);
  const service = serviceOn(world, "a");
  await service.start();
  await pass(world.clock, 250);
  const other = specOf("other", { a: {}, b: { upstream: ["a"] } });
  world.addDag(other);
  await world.trigger(other, { runId: "r1" });
  await world.settle();
  await pass(world.clock, limits.sweepMs);
  assertEquals(await left(), 3, "it runs");
  await world.end((await world.claim(1))[0], "succeed");
  await pass(world.clock, 250);
  assertEquals(await left(), 2, "the task has ended");
  await world.work();
  await pass(world.clock, 250);
  assertEquals(await left(), 1, "the run has ended, but has not failed");
  await service.stop();
});

Deno.test("a wait whose hint was lost fires at the next sweep", async () => {
  const { world, left } = await waiting([{ kind: "dataset", dataset: "x", partition: null }]);
  const listen = () => Promise.resolve({ stop: () => Promise.resolve() });
  const service = serviceOn(world, "a", { listen });
  await service.start();
  await pass(world.clock, 500);
  const event = { dataset: "x", partition: null, key: null, extra: {} };
  await world.store.recordEvents([event], world.clock.now());
  await pass(world.clock, limits.sweepMs);
  assertEquals(await left(), 0);
  await service.stop();
});

Deno.test("what a killed process waited for is waited for by another, and fires once", async () => {
  const { world, left } = await waiting([at(1_000), at(20_000), at(30_000)]);
  let isCut = false;
  const cut =
    <Args extends unknown[], R>(call: (...given: Args) => Promise<R>) => (...given: Args) =>
      isCut ? Promise.reject(new Error("killed")) : call(...given);
  const { beatTriggers, fireTriggers, claimTriggers, joinTriggers, leaveTriggers } = world.store;
  const first = serviceOn(world, "a", {
    beatTriggers: cut(beatTriggers),
    fireTriggers: cut(fireTriggers),
    claimTriggers: cut(claimTriggers),
    joinTriggers: cut(joinTriggers),
    leaveTriggers: cut(leaveTriggers),
  });
  await first.start();
  await pass(world.clock, 1_500);
  assertEquals(await left(), 2);
  isCut = true;
  const second = serviceOn(world, "b");
  await second.start();
  await pass(world.clock, 3_000);
  assertEquals(second.health().detail?.waits, {}, "nobody is dead yet");
  await pass(world.clock, limits.leaseMs);
  assertEquals(second.health().detail?.waits, { time: 2 });
  isCut = false;
  await pass(world.clock, 30_000);
  assertEquals(await left(), 0);
  assertEquals(world.store.attempts().length, 3, "each began once so far");
  assertEquals((await world.work()).length, 3, "and goes on once");
  await Promise.all([first.stop(), second.stop()]);
});

Deno.test("what was cancelled is forgotten, and what a lost answer claimed is found", async () => {
  const { world, run, left } = await waiting([at(60_000), at(60_000), at(60_000)]);
  let isLost = true;
  const claimTriggers = async (...given: Parameters<typeof world.store.claimTriggers>) => {
    const claimed = await world.store.claimTriggers(...given);
    if (!isLost) return claimed;
    isLost = false;
    throw new Error("answer lost");
  };
  const service = serviceOn(world, "a", { claimTriggers });
  await service.start();
  await pass(world.clock, 2 * limits.sweepMs);
  assertEquals(service.health().detail?.waits, { time: 3 });
  const { id } = await world.task(run, "wait[1]");
  await world.store.cancelTasks([id], world.clock.now(), "me");
  await pass(world.clock, 2 * limits.sweepMs);
  assertEquals(service.health().detail?.waits, { time: 2 });
  assertEquals(await left(), 2);
  await service.stop();
});

Deno.test("a file is looked for now and then, whoever waits for it once", async () => {
  const folder = await Deno.makeTempDir();
  const file: TriggerSpec = { kind: "file", path: `${folder}/x.csv`, everyMs: 1_000 };
  const { world, left } = await waiting([file, file]);
  const service = serviceOn(world, "a");
  await service.runOnce();
  assertEquals(await left(), 2);
  await Deno.writeTextFile(`${folder}/x.csv`, "1\n");
  world.clock.advance(999);
  await service.runOnce();
  assertEquals(await left(), 2, "not yet time to look");
  world.clock.advance(1);
  await service.runOnce();
  assertEquals(await left(), 0);
  await world.settle();
  const [{ resumption }] = await world.claim(1);
  const { path, size } = resumption!.event as { path: string; size: number };
  assertEquals([path, size], [`${folder}/x.csv`, 2]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a store that is away costs no wait", async () => {
  const { world, left } = await waiting([at(1_000)]);
  let failures = 3;
  const fireTriggers = (...given: Parameters<typeof world.store.fireTriggers>) =>
    failures-- > 0 ? Promise.reject(new Error("away")) : world.store.fireTriggers(...given);
  const service = serviceOn(world, "a", { fireTriggers });
  await service.start();
  await pass(world.clock, 1_250);
  assert(!service.health().ready);
  await pass(world.clock, 5_000);
  assertEquals(await left(), 0);
  assert(service.health().ready);
  await service.stop();
});
