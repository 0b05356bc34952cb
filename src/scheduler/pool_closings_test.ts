import { assertEquals } from "@std/assert";
import { SchedulerWorld, specOf } from "../../tests/support/scheduler_world.ts";

const MINUTE = 60_000;

Deno.test("a closed pool starts nothing, lets what runs go on, and opens by itself", async () => {
  const world = new SchedulerWorld();
  const closings = {
    timezone: "UTC",
    maintenance: [{ from: "00:10", durationMs: 30 * MINUTE, weekdays: [1, 2, 3, 4, 5, 6, 7] }],
    blackout: [],
  };
  world.store.setPool({ name: "vendor", slots: 8, closings });
  const spec = specOf("d", {
    a: { pool: "vendor" },
    b: { pool: "vendor", upstream: ["a"] },
    c: {},
  });
  world.addDag(spec);
  const run = await world.trigger(spec);
  await world.settle();
  const claimed = await world.claim();
  assertEquals(claimed.map(({ task }) => task.taskId).sort(), ["a", "c"]);
  await world.advance(10 * MINUTE);
  for (const each of claimed) await world.end(each, "succeed");
  await world.settle();
  assertEquals(await world.states(run), { a: "success", b: "scheduled", c: "success" });
  await world.advance(30 * MINUTE - 1);
  assertEquals(await world.claim(), []);
  await world.advance(1);
  assertEquals((await world.claim()).map(({ task }) => task.taskId), ["b"]);
});
