/** @module What every store must do with deadlines: made once, moved with their run, settled once. */
import { assertEquals } from "@std/assert";
import type { NoticeTarget } from "../../src/model/notice_spec.ts";
import type { NewRun } from "../../src/store/port.ts";
import type { NewDeadline } from "../../src/timetable/mod.ts";
import type { Case } from "./engine_store_events.ts";
import type { World } from "./engine_store_world.ts";

const target: NoticeTarget = {
  kind: "webhook",
  ...{ url: null, connection: "desk", path: null, format: "slack" },
};

/** Define the cases. */
export function deadlineCases(test: Case): void {
  test("a missed deadline is settled and told once, fenced by the lease", async (w) => {
    const run = await runWith(w, [deadline(w, { name: "close", at: later(w, 60_000) })]);
    const [{ id, dagRunId, at }] = await w.store.loadDeadlines();
    assertEquals([dagRunId, at], [run.id, later(w, 60_000)]);
    const due = () => ({ deadlines: [{ id, eventId: w.ids.uuid() }] });
    assertEquals((await w.tick(due())).missed, undefined, "it is not due yet");
    w.under.clock.advance(60_000);
    const [one, two] = [await w.tick(due()), await w.tick(due())];
    assertEquals([one.missed, two.missed], [[id], undefined]);
    assertEquals(await w.store.loadDeadlines(), []);

    const told = await w.under.outbox();
    assertEquals(told.map(({ type, subject, target }) => [type, subject, target]), [
      ["tidewheel.dag_run.deadline_missed", "r1", target],
    ]);
    const { deadline: name, deadline_time, state, task_id } = told[0].data;
    assertEquals([name, deadline_time, state, task_id], [
      "close",
      at!.toISOString(),
      "running",
      null,
    ]);
  });

  test("a success ends deadlines to come, a failure does not", async (w) => {
    const good = await runWith(w, [deadline(w, { at: later(w, 1_000) })]);
    const bad = await runWith(w, [deadline(w, { at: later(w, 1_000) })], "r2");
    const move = (id: string, to: "success" | "failed") =>
      w.tick({ runMoves: [{ id, from: "running", to, hasDeadlines: true }] });
    await move(good.id, "success");
    await move(bad.id, "failed");
    const left = await w.store.loadDeadlines();
    assertEquals(left.map(({ dagRunId }) => dagRunId), [bad.id]);
    w.under.clock.advance(1_000);
    const { missed } = await w.tick({ deadlines: [{ id: left[0].id, eventId: w.ids.uuid() }] });
    assertEquals(missed, [left[0].id]);
  });

  test("a run that succeeds in the pass that would settle its deadline has kept it", async (w) => {
    const run = await runWith(w, [deadline(w, { at: later(w, 1_000) })]);
    const [{ id }] = await w.store.loadDeadlines([run.id]);
    w.under.clock.advance(1_000);
    const { missed } = await w.tick({
      runMoves: [{ id: run.id, from: "running", to: "success", hasDeadlines: true }],
      deadlines: [{ id, eventId: w.ids.uuid() }],
    });
    assertEquals([missed, await w.under.outbox()], [undefined, []]);
  });

  test("a deadline that is counted from the start is set by it", async (w) => {
    const run = w.newRun({ deadlines: [deadline(w, { withinMs: 5_000 })] });
    await w.tick({ newRuns: [run] });
    const at = async () => (await w.store.loadDeadlines([run.id])).map((one) => one.at);
    assertEquals(await at(), [null]);
    w.under.clock.advance(1_000);
    const start = { id: run.id, from: "queued", to: "running", hasDeadlines: true } as const;
    await w.tick({ runMoves: [start] });
    assertEquals(await at(), [later(w, 5_000)]);
  });

  test("a deadline by the average is made once there are runs enough", async (w) => {
    const averaged = () => [deadline(w, { averageOf: 2, withinMs: 1_000 })];
    const tookMs = [10_000, 20_001];
    for (const [i, ms] of tookMs.entries()) {
      const run = await runWith(w, averaged(), `old${i}`);
      assertEquals(await w.store.loadDeadlines([run.id]), []);
      w.under.clock.advance(ms);
      await w.tick({ runMoves: [{ id: run.id, from: "running", to: "success" }] });
    }
    const run = await runWith(w, averaged(), "new");
    const [{ at }] = await w.store.loadDeadlines([run.id]);
    assertEquals(at, later(w, 16_000));
  });

  test("a task's deadline is missed where one of its instances has not succeeded", async (w) => {
    const run = await runWith(w, [
      deadline(w, { name: "a", taskId: "a", at: later(w, 1_000) }),
      deadline(w, { name: "b", taskId: "b", at: later(w, 1_000) }),
    ]);
    const [a] = run.tasks.map(({ id }) => id);
    await w.end(await w.start(a), { result: "succeed" });
    w.under.clock.advance(1_000);
    const due = await w.store.loadDeadlines([run.id]);
    const deadlines = due.map(({ id }) => ({ id, eventId: w.ids.uuid() }));
    assertEquals((await w.tick({ deadlines })).missed?.length, 1);
    const told = await w.under.outbox();
    assertEquals(told.map(({ type, subject }) => [type, subject]), [
      ["tidewheel.task_instance.deadline_missed", "r1/b"],
    ]);
    assertEquals(await w.store.loadDeadlines(), []);
  });

  test("createRun() makes deadlines too", async (w) => {
    const dagVersionId = w.newRun().dagVersionId;
    const run = w.newRun({ dagVersionId, deadlines: [deadline(w, { at: later(w, 1_000) })] });
    await w.store.createRun(run);
    assertEquals((await w.store.loadDeadlines([run.id])).length, 1);
  });
}

function later(w: World, ms: number): Date {
  return new Date(w.now.getTime() + ms);
}

function deadline(w: World, some: Partial<NewDeadline>): NewDeadline {
  return {
    id: w.ids.uuid(),
    name: "deadline",
    ...{ taskId: null, at: null, withinMs: 0, averageOf: null, notify: [target] },
    ...some,
  };
}

/** A running run with these deadlines. */
async function runWith(w: World, deadlines: NewDeadline[], runId = "r1"): Promise<NewRun> {
  const run = w.newRun({ runId, deadlines });
  await w.tick({
    newRuns: [run],
    runMoves: [{ id: run.id, from: "queued", to: "running", hasDeadlines: true }],
  });
  return run;
}
