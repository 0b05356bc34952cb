import { assert, assertEquals } from "@std/assert";
import { limits } from "../base/limits.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import type { TaskInstance } from "../model/rows.ts";
import {
  nameOf,
  SchedulerWorld,
  type ShortTask,
  specOf,
  type Told,
} from "../../tests/support/scheduler_world.ts";

const inGroup = { mappedGroup: "g" };

/** A world with a run of these tasks, settled. */
async function started(tasks: Record<string, ShortTask>, some: Partial<DagSpec> = {}) {
  const world = new SchedulerWorld();
  const spec = specOf("d", tasks, some);
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  return { world, spec, run };
}

/** Tell tasks by name. */
const told = (by: Record<string, Told>) => (task: TaskInstance) => by[nameOf(task)] ?? "succeed";

Deno.test("each index of a mapped group goes on by itself", async () => {
  const { world, run } = await started({
    a: { ...inGroup, over: 3 },
    b: { ...inGroup, over: 3, upstream: ["a"] },
    sum: { upstream: ["b"] },
  });
  const first = await world.claim();
  assertEquals(first.map(({ task }) => nameOf(task)), ["a[0]", "a[1]", "a[2]"]);
  await world.end(first[2], "succeed");
  await world.settle();
  const [second] = await world.claim();
  assertEquals(nameOf(second.task), "b[2]");
  await world.end(second, "succeed");
  await world.settle();
  assertEquals((await world.states(run)).sum, "none");
  await world.end(first[0], "succeed");
  await world.end(first[1], "fail");
  await world.settle();
  await world.work();
  assertEquals(await world.states(run), {
    ...{ "a[0]": "success", "a[1]": "failed", "a[2]": "success" },
    ...{ "b[0]": "success", "b[1]": "upstream_failed", "b[2]": "success" },
    sum: "upstream_failed",
  });
});

Deno.test("trigger rules inside a mapped group count the own index only", async () => {
  const { world, run } = await started({
    a: { ...inGroup, over: 2 },
    fix: { ...inGroup, over: 2, upstream: ["a"], triggerRule: "one_failed" },
    end: { ...inGroup, over: 2, upstream: ["a", "fix"], triggerRule: "none_failed" },
    all: { upstream: ["end"], triggerRule: "all_done" },
  });
  await world.work(told({ "a[1]": "fail" }));
  assertEquals(await world.states(run), {
    ...{ "a[0]": "success", "a[1]": "failed", "fix[0]": "skipped", "fix[1]": "success" },
    ...{ "end[0]": "success", "end[1]": "upstream_failed", all: "success" },
  });
});

Deno.test("a branch in a mapped group leaves out tasks of its own index only", async () => {
  const { world, run } = await started({
    which: { ...inGroup, over: 3, isBranch: true },
    left: { ...inGroup, over: 3, upstream: ["which"] },
    right: { ...inGroup, over: 3, upstream: ["which"] },
    join: {
      ...inGroup,
      over: 3,
      upstream: ["left", "right"],
      triggerRule: "none_failed_min_one_success",
    },
  });
  await world.work(told({
    "which[0]": { chosen: ["left"] },
    "which[1]": { chosen: ["right"] },
    "which[2]": { chosen: [] },
  }));
  const states = await world.states(run);
  assertEquals([0, 1, 2].map((i) => [states[`left[${i}]`], states[`right[${i}]`]]), [
    ["success", "skipped"],
    ["skipped", "success"],
    ["skipped", "skipped"],
  ]);
  assertEquals([0, 1, 2].map((i) => states[`join[${i}]`]), ["success", "success", "skipped"]);
});

Deno.test("a short circuit in a mapped group stops its own index, whatever the rules after it", async () => {
  const { world, run } = await started({
    gate: { ...inGroup, over: 2, isBranch: true, ignoreDownstreamTriggerRules: true },
    next: { ...inGroup, over: 2, upstream: ["gate"] },
    last: { ...inGroup, over: 2, upstream: ["next"], triggerRule: "all_done" },
    after: { upstream: ["last"], triggerRule: "all_done" },
  });
  await world.work(told({ "gate[0]": { chosen: [] }, "gate[1]": { chosen: ["next"] } }));
  const states = await world.states(run);
  assertEquals([states["next[0]"], states["last[0]"]], ["skipped", "skipped"]);
  assertEquals([states["next[1]"], states["last[1]"], states.after], [
    "success",
    "success",
    "success",
  ]);
});

Deno.test("a mapped group over an output: skipped when empty, upstream_failed when that failed", async () => {
  const tasks = {
    list: {},
    a: { ...inGroup, over: "list", upstream: ["list"] },
    b: { ...inGroup, over: "list", upstream: ["list", "a"], triggerRule: "all_done" },
  } as const;
  const short = (spec: Record<string, unknown>) => spec as Record<string, ShortTask>;
  for (
    const [end, state] of [[{ length: 0 }, "skipped"], ["fail", "upstream_failed"], [
      "skip",
      "skipped",
    ]] as [Told, string][]
  ) {
    const { world, run } = await started(short(tasks));
    await world.work(told({ list: end }));
    const { a, b } = await world.states(run);
    assertEquals([a, b], [state, state]);
  }
});

Deno.test("a re-run over a shorter list removes the surplus of the whole group", async () => {
  const { world, spec, run } = await started({
    list: {},
    a: { ...inGroup, over: "list", upstream: ["list"] },
    b: { ...inGroup, over: "list", upstream: ["list", "a"] },
    sum: { upstream: ["b"] },
  });
  await world.work(told({ list: { length: 3 } }));
  assertEquals(await world.runState(run), "success");
  await world.clear(run, spec, () => true);
  await world.work(told({ list: { length: 1 } }));
  const shorter = await world.states(run);
  assertEquals([shorter["a[0]"], shorter["b[0]"], shorter.sum], ["success", "success", "success"]);
  assertEquals([1, 2].map((i) => [shorter[`a[${i}]`], shorter[`b[${i}]`]]), [
    ["removed", "removed"],
    ["removed", "removed"],
  ]);
  await world.clear(run, spec, () => true);
  await world.work(told({ list: { length: 4 } }));
  const longer = await world.states(run);
  assert([0, 1, 2, 3].every((i) => longer[`b[${i}]`] === "success"), JSON.stringify(longer));
  assertEquals(await world.runState(run), "success");
});

Deno.test("clearing one index of a mapped group runs that index again", async () => {
  const { world, run, spec } = await started({
    a: { ...inGroup, over: 3 },
    b: { ...inGroup, over: 3, upstream: ["a"] },
  });
  await world.work();
  const ids = await Promise.all(["a[1]", "b[1]"].map((name) => world.task(run, name)));
  const options = { spec, dagVersionId: world.versionOf("d") };
  await world.store.clearTasks(run, ids.map(({ id }) => id), options, world.clock.now());
  assertEquals(await world.work(), ["a[1]", "b[1]"]);
  assertEquals(await world.runState(run), "success");
});

Deno.test("a limit of instances in a run throttles a task of a mapped group", async () => {
  const { world } = await started({
    a: { ...inGroup, over: 5, maxActiveTisPerDagrun: 2 },
    b: { ...inGroup, over: 5, upstream: ["a"] },
  });
  const claimed = await world.claim();
  assertEquals(claimed.length, 2);
  await world.end(claimed[0], "succeed");
  await world.settle();
  assertEquals((await world.claim()).map(({ task }) => nameOf(task)).sort(), ["a[2]", "b[0]"]);
});

Deno.test("a mapped group wider than a pass makes goes on index by index while it grows", async () => {
  const width = limits.expandBatch + 500;
  const { world, run } = await started({
    list: {},
    a: { ...inGroup, over: "list", upstream: ["list"] },
    b: { ...inGroup, over: "list", upstream: ["list", "a"], triggerRule: "all_done" },
    sum: { upstream: ["b"] },
  }, { maxActiveTasks: 100_000 });
  world.store.setPool({ name: "default_pool", slots: -1 });
  let failing = 0;
  await world.work(({ taskId, mapIndex }) => {
    if (taskId === "list") return { length: width };
    return taskId === "a" && mapIndex % 1000 === 7 && ++failing > 0 ? "fail" : "succeed";
  });
  const states = Object.values(await world.states(run));
  assertEquals(failing, 3);
  assertEquals(states.length, 2 * width + 2);
  assertEquals(states.filter((state) => state === "success").length, 2 * width + 2 - failing);
});
