/** @module What every store must do where work is stopped: by people, by failures, by budgets. */
import { assertEquals } from "@std/assert";
import type { Hint } from "../../src/store/port.ts";
import type { Case } from "./engine_store_events.ts";
import { chainSpec } from "./engine_store_world.ts";

/** Register the cases. */
export function stopCases(test: Case): void {
  test("cancelRun() spares teardowns of a run under way, until it is asked again", async (w) => {
    const { a, b, c } = await w.run();
    const running = await w.start(a);
    const asked = { now: w.now, by: "ann", spared: ["b"] };
    await w.store.cancelRun(w.runId, asked);
    assertEquals(await w.states(a, b, c), ["cancelling", "none", "cancelled"]);
    await w.queue(b);
    await w.store.cancelRun(w.runId, asked);
    assertEquals(await w.states(a, b, c), ["cancelling", "cancelled", "cancelled"]);
    await w.end(running, { result: "fail", endReason: "cancelled" });
    const queued = w.newRun({ runId: "queued" });
    await w.tick({ newRuns: [queued] });
    await w.store.cancelRun(queued.id, asked);
    assertEquals(await w.states(...queued.tasks.map(({ id }) => id)), [
      "cancelled",
      "cancelled",
      "cancelled",
    ]);
  });

  test("applyTick() moves nothing in a run that was cancelled since it was read", async (w) => {
    const { a, b } = await w.run();
    const [{ run: { id, queuedAt } }] = await w.store.loadRuns([w.runId]);
    const move = (id: string) => ({ id, from: "none" as const, to: "scheduled" as const });
    await w.store.cancelRun(id, { now: w.now, by: "ann", spared: ["a", "b"] });
    const before = [{ id, queuedAt, cancelRequestedAt: null }];
    assertEquals((await w.tick({ taskMoves: [move(a)], fences: before })).taskMoves, []);
    const since = [{ id, queuedAt, cancelRequestedAt: w.now }];
    assertEquals((await w.tick({ taskMoves: [move(b)], fences: since })).taskMoves, [b]);
  });

  test("applyTick() stops attempts that are as the pass saw them, and no others", async (w) => {
    const { a, b, c } = await w.run();
    const running = await w.start(a);
    const queued = await w.queue(b);
    const [{ run }] = await w.store.loadRuns([w.runId]);
    const fences = [run];
    const by = "fail-fast";
    const hints: Hint[] = [];
    const listening = await w.store.listen((hint) => hints.push(hint));
    const cancels = [
      { id: a, attemptId: running, by },
      { id: b, attemptId: w.ids.uuid(), by },
      { id: c, attemptId: w.ids.uuid(), by },
    ];
    assertEquals((await w.tick({ cancels, fences: [] })).cancels, []);
    assertEquals((await w.tick({ cancels, fences })).cancels, [a]);
    assertEquals(await w.states(a, b, c), ["cancelling", "queued", "none"]);
    assertEquals(hints.find((hint) => hint.topic === "cancel")?.ids, [running]);
    const rest = [{ id: b, attemptId: queued, by }];
    assertEquals((await w.tick({ cancels: rest, fences })).cancels, [b]);
    assertEquals(await w.states(a, b), ["cancelling", "cancelled"]);
    await listening.stop();
    assertEquals((await w.claim("w", 5)).length, 0);
  });

  test("applyTick() pauses a DAG whose newest ended runs have all failed", async (w) => {
    const [old, mid, last] = ["2029-01-01", "2029-01-02", "2029-01-03"].map((date) =>
      w.newRun({ runId: date, logicalDate: new Date(date) })
    );
    await w.tick({ newRuns: [last, old, mid] });
    const end = (id: string, to: "success" | "failed", pauseAfter?: number) =>
      w.tick({ runMoves: [{ id, from: "queued", to, taskMoves: 0, pauseAfter }] });
    const isPaused = async () => (await w.store.loadDags(["chain"]))[0].isPaused;
    await end(mid.id, "success");
    assertEquals((await end(old.id, "failed", 1)).pausedDags, undefined);
    assertEquals(await isPaused(), false);
    assertEquals((await end(last.id, "failed", 1)).pausedDags, ["chain"]);
    assertEquals(await isPaused(), true);
  });

  test("endAttempts() gives a run no more retries than its budget has", async (w) => {
    const { a, b, c } = await w.run();
    const retry = (attempt: string, perRun: number | null, perHour: number | null = null) =>
      w.end(attempt, {
        ...{ endReason: "task_error", result: "retry", nextTryAt: w.now },
        ...{ retryBudget: { perRun, perHour }, evidence: { message: "x" } },
      });
    const all = [await w.start(a), await w.start(b), await w.start(c)];
    await retry(all[0], 1);
    await retry(all[1], 1);
    assertEquals(await w.states(a, b), ["up_for_retry", "failed"]);
    const [repeated] = await retry(all[1], 1);
    assertEquals(repeated.result, "repeat");
    // A clear gives the run its share anew; the DAG's hour goes on.
    w.under.clock.advance(1);
    await w.store.clearTasks(w.runId, [b], { spec: chainSpec }, w.now);
    await retry(all[2], 1);
    await retry(await w.start(b), 9, 2);
    assertEquals(await w.states(b, c), ["failed", "up_for_retry"]);
    w.under.clock.advance(3_600_000);
    await w.store.clearTasks(w.runId, [b], { spec: chainSpec }, w.now);
    await retry(await w.start(b), 9, 2);
    assertEquals((await w.task(b)).state, "up_for_retry");
  });
}
