/** @module What every store must do for those who asked to be told: events with the state. */
import { assertEquals } from "@std/assert";
import type { DagSpec } from "../../src/model/dag_spec.ts";
import type { NoticeTarget } from "../../src/model/notice_spec.ts";
import type { Hint } from "../../src/store/port.ts";
import type { Case } from "./engine_store_events.ts";
import { chainSpec, type World } from "./engine_store_world.ts";

/** Register the cases. */
export function outboxCases(test: Case): void {
  test("a run's moves are told to whom its version names, once, where they take effect", async (w) => {
    const { run } = await heardRun(w);
    const event = (reason?: string) => ({ id: w.ids.uuid(), data: reason ? { reason } : {} });
    const start = { id: run.id, from: "queued", to: "running", event: event() } as const;
    await w.tick({ runMoves: [start] });
    await w.tick({ runMoves: [start] });
    const end = { id: run.id, from: "running", to: "failed", event: event("deadlock") } as const;
    await w.tick({ runMoves: [end] });

    const told = await w.under.outbox();
    assertEquals(told.map(({ type, ordinal, target }) => [type, ordinal, target]), [
      ["tidewheel.dag_run.started", 0, hook("/started")],
      ["tidewheel.dag_run.failed", 0, hook("/failed")],
      ["tidewheel.dag_run.failed", 1, hook("/failed-too")],
    ]);
    assertEquals(told.map(({ eventId }) => eventId), [start.event.id, end.event.id, end.event.id]);
    const now = w.now.toISOString();
    assertEquals(told[1].data, {
      dag_id: "heard",
      dag_run_id: "r1",
      run_type: "manual",
      logical_date: "2030-01-01T00:00:00.000Z",
      data_interval_start: "2030-01-01T00:00:00.000Z",
      data_interval_end: "2030-01-02T00:00:00.000Z",
      partition_key: null,
      state: "failed",
      start_date: now,
      end_date: now,
      reason: "deadlock",
    });
    assertEquals([told[1].dagRunId, told[1].subject, told[1].occurredAt], [run.id, "r1", w.now]);
  });

  test("a run that somebody stopped is told of as cancelled", async (w) => {
    const { run } = await heardRun(w);
    await w.store.cancelRun(run.id, { now: w.now, by: "ann" });
    const event = { id: w.ids.uuid(), data: { reason: "cancelled" } };
    await w.tick({ runMoves: [{ id: run.id, from: "queued", to: "failed", event }] });
    const told = await w.under.outbox();
    assertEquals(told.map(({ type }) => type), Array(2).fill("tidewheel.dag_run.cancelled"));
  });

  test("an attempt's end is told of by the state that it brings", async (w) => {
    const { a, b } = await heardRun(w);
    const hints: Hint[] = [];
    const nextTryAt = new Date(w.now.getTime() + 60_000);
    const failed = { result: "retry", endReason: "task_error", nextTryAt } as const;
    const first = await w.start(a);
    const listening = await w.store.listen((hint) => hints.push(hint));
    await w.end(first, { ...failed, evidence: { message: "no luck" } });
    await listening.stop();
    assertEquals(hints.filter(({ topic }) => topic === "outbox").length, 1);
    await w.end(first, { ...failed });
    await w.end(await w.start(a, "up_for_retry"), failed);
    await w.end(await w.start(b), { result: "succeed" });

    const told = await w.under.outbox();
    assertEquals(told.map(({ type, subject }) => [type, subject]), [
      ["tidewheel.task_instance.retried", "r1/a"],
      ["tidewheel.task_instance.failed", "r1/a"],
    ]);
    assertEquals(new Set(told.map(({ eventId }) => eventId)).size, 2);
    const { data, taskInstanceId, occurredAt } = told[0];
    assertEquals([taskInstanceId, occurredAt], [a, w.now]);
    assertEquals(data, {
      dag_id: "heard",
      dag_run_id: "r1",
      run_type: "manual",
      logical_date: "2030-01-01T00:00:00.000Z",
      data_interval_start: "2030-01-01T00:00:00.000Z",
      data_interval_end: "2030-01-02T00:00:00.000Z",
      partition_key: null,
      task_id: "a",
      map_index: -1,
      state: "up_for_retry",
      try_number: 1,
      max_tries: 1,
      end_reason: "task_error",
      message: "no luck",
      next_try_at: nextTryAt.toISOString(),
    });
  });

  test("a cancelled attempt is told of as its failure, also when its worker is lost", async (w) => {
    const { a } = await heardRun(w);
    const attempt = await w.start(a);
    await w.store.cancelTasks([a], w.now, "ann");
    await w.end(attempt, { result: "lose", endReason: "worker_lost" });
    const told = await w.under.outbox();
    assertEquals(told.map(({ type, data }) => [type, data.end_reason]), [
      ["tidewheel.task_instance.cancelled", "cancelled"],
    ]);
  });

  test("an instance that failed without an attempt is told of with its note", async (w) => {
    const { a } = await heardRun(w);
    const move = { id: a, from: "none", to: "failed", note: "too long" } as const;
    await w.tick({ taskMoves: [{ ...move, eventId: w.ids.uuid() }] });
    const [{ type, data }] = await w.under.outbox();
    assertEquals([type, data.message], ["tidewheel.task_instance.failed", "too long"]);
  });

  test("nothing is told where the caller knows that nobody listens", async (w) => {
    const { a } = await heardRun(w);
    const hints: Hint[] = [];
    const attempt = await w.start(a);
    const listening = await w.store.listen((hint) => hints.push(hint));
    await w.end(attempt, { result: "fail", endReason: "task_error", isHeard: false });
    await listening.stop();
    assertEquals(await w.under.outbox(), []);
    assertEquals(hints.some(({ topic }) => topic === "outbox"), false);
  });
}

function hook(path: string): NoticeTarget {
  return { kind: "webhook", url: null, connection: "alerts", path, format: "cloudevents" };
}

const heardSpec: DagSpec = {
  ...chainSpec,
  dagId: "heard",
  callbacks: { execute: [hook("/started")], failure: [hook("/failed"), hook("/failed-too")] },
  tasks: chainSpec.tasks.map((task) =>
    task.taskId === "a"
      ? { ...task, callbacks: { retry: [hook("/retried")], failure: [hook("/task")] } }
      : task
  ),
};

/** A queued run of a DAG with callbacks, with its instances' ids by task. */
async function heardRun(w: World) {
  const dagVersionId = await w.under.addDag(heardSpec);
  const run = w.newRun({
    dagId: "heard",
    dagVersionId,
    logicalDate: new Date("2030-01-01T00:00:00Z"),
    dataIntervalStart: new Date("2030-01-01T00:00:00Z"),
    dataIntervalEnd: new Date("2030-01-02T00:00:00Z"),
  });
  await w.tick({ newRuns: [run] });
  const [a, b] = run.tasks.map(({ id }) => id);
  return { run, a, b };
}
