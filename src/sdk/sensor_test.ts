import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { VirtualClock } from "../base/clock.ts";
import { dag, sensor } from "./mod.ts";
import type { Dag, TaskContext } from "./mod.ts";

const runAfter = new Date("2026-07-02T04:00:00Z");
const hoursAfter = (hours: number) => new Date(runAfter.getTime() + hours * 3_600_000);

/** What the task "t" returns when it runs `hours` after its run was due. */
async function lookAt(hours: number, declare: () => void, over: Partial<TaskContext> = {}) {
  const made: Dag = dag({ id: "d", schedule: null }, declare);
  const { body } = made.task("t");
  if (body.kind !== "function") throw new Error(body.kind);
  const clock = new VirtualClock(hoursAfter(hours));
  const run = body.run as (ctx: unknown, inputs: unknown) => unknown;
  return await run({ taskId: "t", runAfter, clock, ...over }, {}) as unknown;
}
const shown = (value: unknown) => JSON.parse(JSON.stringify(value));

Deno.test("sensor() succeeds at true, and at false asks for another look", async () => {
  const seeing = (seen: boolean) => () =>
    void sensor({ id: "t", every: { minutes: 30 } }, () => seen);
  assertEquals(await lookAt(0, seeing(true)), true);
  assertEquals(shown(await lookAt(0, seeing(false))), {
    at: hoursAfter(0.5).toISOString(),
    reason: "not there yet",
  });
});

Deno.test("sensor() looks one last time when it must give up, then fails or is skipped", async () => {
  const waiting = (seen: boolean, onMissed?: "fail" | "skip") => () =>
    void sensor(
      { id: "t", every: { hours: 1 }, by: () => hoursAfter(2), onMissed },
      () => seen,
    );
  const late = hoursAfter(2).toISOString();
  assertEquals(shown(await lookAt(1.5, waiting(false))).at, late);
  assertEquals(await lookAt(2, waiting(true)), true);
  const error = await assertRejects(() => lookAt(2, waiting(false)), Error, `not there by ${late}`);
  assertEquals((error as Error & { final: boolean }).final, true);
  assertEquals(shown(await lookAt(2, waiting(false, "skip"))), { reason: `not there by ${late}` });
});

Deno.test("sensor() refuses an interval too short, and an answer that is neither true nor false", async () => {
  assertThrows(
    () => dag({ id: "d", schedule: null }, () => void sensor({ id: "t", every: 0 }, () => true)),
    Error,
    "looks every 0 ms; give 1000 or more",
  );
  const odd = () => void sensor({ id: "t" }, () => undefined as never);
  await assertRejects(() => lookAt(0, odd), Error, "answer true, or false");
});
