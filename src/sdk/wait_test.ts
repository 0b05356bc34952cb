import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { VirtualClock } from "../base/clock.ts";
import { dag, waitForDataset, waitForRun, waitForTask, waitUntil } from "./mod.ts";
import type { ResumedWith, TaskContext } from "./mod.ts";

const logicalDate = new Date("2026-07-01T00:00:00Z");
const hoursAfter = (hours: number) => new Date(+logicalDate + hours * 3_600_000);
const states: ("success" | "failed")[] = ["success", "failed"];

/** What the task "t" returns when it runs `hours` after its run's logical date. */
async function runAt(hours: number, declare: () => void, over: Partial<TaskContext> = {}) {
  const { body } = dag({ id: "d", schedule: null }, declare).task("t");
  if (body.kind !== "function") throw new Error(body.kind);
  const clock = new VirtualClock(hoursAfter(hours));
  const run = body.run as (ctx: unknown, inputs: unknown) => unknown;
  const ctx = { taskId: "t", logicalDate, runAfter: logicalDate, clock, resumedWith: null };
  return await run({ ...ctx, ...over }, {}) as unknown;
}

const shown = (value: unknown) => JSON.parse(JSON.stringify(value));
const resumed = (event: unknown, timedOut = false): { resumedWith: ResumedWith } => ({
  resumedWith: { event, data: null, timedOut, onTimeout: "resume" },
});

Deno.test("waitUntil() defers to its instant, and succeeds from then on", async () => {
  const until = () =>
    void waitUntil({ id: "t", at: (facts) => new Date(+facts.runAfter + 3_600_000) });
  const deferred = shown(await runAt(0, until));
  assertEquals(deferred.trigger, { kind: "time", at: hoursAfter(1).toISOString() });
  assertEquals(deferred.deadline, null);
  assertEquals(await runAt(1, until), true);
  assertEquals(await runAt(0.9, until, resumed({})), true);
});

Deno.test("waitForDataset() looks first, then defers until its deadline", async () => {
  const asked: unknown[] = [];
  const wait = () =>
    void waitForDataset({
      id: "t",
      dataset: "prices",
      partition: () => "2026-07-01",
      by: () => hoursAfter(2),
    });
  const holding = (version: object | null) => ({
    dataset: (...of: unknown[]) => (asked.push(of), Promise.resolve(version as never)),
  });
  const deferred = shown(await runAt(0, wait, holding(null)));
  const trigger = { kind: "dataset", dataset: "prices", partition: "2026-07-01" };
  assertEquals([deferred.trigger, deferred.deadline], [trigger, hoursAfter(2).toISOString()]);
  assertEquals(await runAt(0, wait, holding({})), true);
  assertEquals(asked[0], ["prices", "2026-07-01"]);
  const late = shown(await runAt(5, wait, holding(null)));
  assertEquals(new Date(late.deadline) > hoursAfter(5), true, "time for one look is left");
});

Deno.test("a wait whose time is up fails for good, or is skipped", async () => {
  const wait = (onMissed?: "fail" | "skip") => () =>
    void waitForRun({ id: "t", dag: "other", by: () => hoursAfter(2), onMissed });
  const late = `not there by ${hoursAfter(2).toISOString()}`;
  const error = await assertRejects(() => runAt(2, wait(), resumed(null, true)), Error, late);
  assertEquals((error as Error & { final: boolean }).final, true);
  assertEquals(shown(await runAt(2, wait("skip"), resumed(null, true))), { reason: late });
});

Deno.test("waitForRun() waits for the run of its own date, or of one before it", async () => {
  const of = (some: object) => () => void waitForRun({ id: "t", dag: "other", ...some });
  const trigger = async (some: object) => shown(await runAt(1, of(some))).trigger;
  const run = { kind: "run", dagId: "other", states };
  assertEquals(await trigger({}), { ...run, logicalDate: logicalDate.toISOString() });
  const before = { ...run, logicalDate: hoursAfter(-2).toISOString() };
  assertEquals(await trigger({ offset: { hours: 2 } }), before);
  assertEquals(await trigger({ runId: () => "r1" }), { ...run, runId: "r1" });
  await assertRejects(() => runAt(1, of({}), { logicalDate: null }), Error, "no logical date");
});

Deno.test("waitForRun() fails for good at a state that it must not end in", async () => {
  const wait = () => void waitForRun({ id: "t", dag: "other" });
  const ended = (state: string) => resumed({ state, run_id: "r1" });
  assertEquals(await runAt(1, wait, ended("success")), true);
  await assertRejects(() => runAt(1, wait, ended("failed")), Error, 'is failed in run "r1"');
});

Deno.test("waitForTask() waits for a task, or for one instance of it", async () => {
  const wait = () => void waitForTask({ id: "t", dag: "other", task: "a", mapIndex: 2 });
  const { trigger } = shown(await runAt(1, wait));
  assertEquals(trigger, {
    kind: "task",
    dagId: "other",
    logicalDate: logicalDate.toISOString(),
    taskId: "a",
    mapIndex: 2,
    states: ["success", "failed", "upstream_failed"],
  });
});

Deno.test("waits that can never end are refused where they are declared", () => {
  const declaring = (declare: () => void) => () => dag({ id: "d", schedule: null }, declare);
  const refused = (declare: () => void, message: string) =>
    assertThrows(declaring(declare), Error, message);
  refused(() => void waitForRun({ id: "t", dag: "d" }), "waits for its own run");
  refused(() => void waitForRun({ id: "t", dag: "" }), 'give "dag"');
  refused(
    () => void waitForRun({ id: "t", dag: "o", offset: 1, runId: () => "x" }),
    "give one of them",
  );
  refused(
    () => void waitForRun({ id: "t", dag: "o", states: ["failed"], failedStates: ["failed"] }),
    'has "failed" in states and in failedStates',
  );
  refused(() => void waitForTask({ id: "t", dag: "o", task: "" }), "has no task");
  refused(() => void waitUntil({ id: "t" } as never), "has no instant");
});
