/** @module What an engine's store must do when people clear instances and set their states. */
import { assertEquals } from "@std/assert";
import type { Hint } from "../../src/store/port.ts";
import { chainSpec, intent, type World } from "./engine_store_world.ts";

type Case = (fact: string, body: (world: World) => Promise<void>) => void;

/** Register the cases. */
export function byHandCases(test: Case): void {
  const runOf = async (w: World) => (await w.store.loadRuns([w.runId]))[0].run;
  const end = (w: World, to: "success" | "failed") =>
    w.tick({ runMoves: [{ id: w.runId, from: "running", to }] });

  test("setTasks() gives waiting and ended instances a state and queues a finished run", async (w) => {
    const { a, b, c } = await w.run();
    const attempt = await w.start(a);
    await w.end(attempt, { result: "fail", endReason: "task_error" });
    await w.tick({ taskMoves: [{ id: b, from: "none", to: "upstream_failed" }] });
    await end(w, "failed");
    const before = await runOf(w);
    w.under.clock.advance(5);
    await w.store.setTasks({ ids: [a, b, c], to: "success", by: "ann", note: "by ann" }, w.now);
    assertEquals(await w.states(a, b, c), ["success", "success", "success"]);
    assertEquals((await w.task(c)).endDate, w.now);
    const { state, startDate, queuedAt, endDate } = await runOf(w);
    assertEquals([state, startDate, queuedAt, endDate], ["queued", before.startDate, w.now, null]);
  });

  test("setTasks() leaves those alone that have the state, or are removed, and their run", async (w) => {
    const { a, b } = await w.run();
    await w.end(await w.start(a), { result: "succeed" });
    await w.tick({ taskMoves: [{ id: b, from: "none", to: "removed" }] });
    await end(w, "success");
    await w.store.setTasks({ ids: [a, b], to: "success", by: "ann" }, w.now);
    assertEquals(await w.states(a, b), ["success", "removed"]);
    assertEquals((await runOf(w)).state, "success");
  });

  test("setTasks() stops what runs first, and keeps nothing that its attempt says", async (w) => {
    const { a, b } = await w.run();
    const running = await w.start(a);
    const queued = await w.queue(b);
    const hints: Hint[] = [];
    const listening = await w.store.listen((hint) => hints.push(hint));
    await w.store.setTasks({ ids: [a, b], to: "success", by: "ann" }, w.now);
    await listening.stop();
    assertEquals(hints.find(({ topic }) => topic === "cancel")?.ids, [running]);
    assertEquals(await w.states(a, b), ["cancelling", "success"]);
    assertEquals(await w.store.heartbeat([running, queued]), ["cancelling", "ended"]);
    assertEquals((await w.claim("w", 9)).length, 0);
    const effects = { publish: [intent("prices", "2030-01-01")] };
    const [ended] = await w.end(running, { output: [1], outputLength: 1, chosen: ["b"], effects });
    assertEquals(ended.result === "ok" && [ended.state, ended.byHand], ["success", true]);
    const { state, outputLength, chosen } = await w.task(a);
    assertEquals([state, outputLength, chosen], ["success", null, null]);
    assertEquals(await w.published(), []);
    assertEquals((await w.store.loadOutputs(w.runId, ["a"])).length, 0);
    assertEquals((await runOf(w)).state, "queued");
  });

  test("setTasks() says what a running instance becomes, until somebody says otherwise", async (w) => {
    const { a, b, c } = await w.run();
    const attempts = [await w.start(a), await w.start(b), await w.start(c)];
    await w.store.setTasks({ ids: [a, b, c], to: "skipped", by: "ann" }, w.now);
    await w.store.clearTasks(w.runId, [b], { spec: chainSpec }, w.now);
    await w.store.setTasks({ ids: [c], to: "failed", by: "bob" }, w.now);
    for (const attempt of attempts) {
      await w.end(attempt, { result: "fail", endReason: "cancelled" });
    }
    assertEquals(await w.states(a, b, c), ["skipped", "none", "failed"]);
  });

  test("setTasks() clears others in the same step", async (w) => {
    const { a, b, c } = await w.run();
    await w.tick({
      taskMoves: [
        { id: a, from: "none", to: "failed" },
        { id: b, from: "none", to: "upstream_failed" },
        { id: c, from: "none", to: "skipped" },
      ],
    });
    await end(w, "failed");
    const clears = [{ dagRunId: w.runId, ids: [b], spec: chainSpec }];
    await w.store.setTasks({ ids: [a], to: "success", by: "ann", clears }, w.now);
    assertEquals(await w.states(a, b, c), ["success", "none", "skipped"]);
    assertEquals((await runOf(w)).state, "queued");
  });

  test("a run does not end by states that somebody has changed since", async (w) => {
    const { a, b, c } = await w.run();
    const { queuedAt } = await runOf(w);
    await w.store.setTasks({ ids: [a, b, c], to: "failed", by: "ann" }, w.now);
    const ending = { id: w.runId, from: "queued" as const, to: "success" as const };
    assertEquals((await w.tick({ runMoves: [{ ...ending, queuedAt }] })).runMoves, []);
    const since = { ...ending, to: "failed" as const, queuedAt: (await runOf(w)).queuedAt };
    assertEquals((await w.tick({ runMoves: [since] })).runMoves, [w.runId]);
  });

  test("setDrain() lets nothing start until it is over, and nothing that runs end", async (w) => {
    const { a, b, c } = await w.run();
    const running = await w.start(a);
    await w.queue(b);
    const drain = { at: w.now, by: "ann", note: "new disks" };
    const hints: Hint[] = [];
    const listening = await w.store.listen((hint) => hints.push(hint));
    await w.store.setDrain(drain);
    assertEquals(hints.map(({ topic }) => topic), ["drain"]);
    assertEquals(await w.store.readDrain(), drain);
    assertEquals((await w.store.loadOutline()).isDraining, true);
    assertEquals((await w.claim("w", 9)).length, 0);
    const start = { workerId: "w", hostname: "h", pid: 7 };
    const refused = await w.tick({
      taskMoves: [{ id: c, from: "none", to: "running", queue: w.queueing(), start }],
    });
    assertEquals([refused.taskMoves, refused.started, refused.isDraining], [[], [], true]);
    const idle = await w.tick({ taskMoves: [{ id: c, from: "none", to: "scheduled" }] });
    assertEquals(idle.taskMoves, [c]);
    assertEquals((await w.end(running, { output: 1 }))[0].result, "ok");
    w.under.clock.advance(5);
    await w.store.setDrain({ ...drain, at: w.now, by: "bob" });
    assertEquals(await w.store.readDrain(), { ...drain, by: "bob" });
    await w.store.setDrain(null);
    await listening.stop();
    assertEquals(hints.at(-1), { topic: "queued", ids: ["default"] });
    assertEquals(await w.store.readDrain(), null);
    assertEquals((await w.claim("w", 9)).map(({ task }) => task.id), [b]);
    assertEquals((await w.tick({})).isDraining, undefined);
  });

  test("clearRuns() clears several runs at once; one under way keeps its start", async (w) => {
    const first = await w.run();
    const firstId = w.runId;
    await w.end(await w.start(first.a), { result: "succeed", output: 1 });
    await end(w, "success");
    const run = w.newRun({ runId: "r2" });
    await w.tick({ newRuns: [run], runMoves: [{ id: run.id, from: "queued", to: "running" }] });
    const [a, b] = run.tasks.map((task) => task.id);
    await w.end(await w.start(a), { result: "fail", endReason: "task_error" });
    w.under.clock.advance(5);
    await w.store.clearRuns([
      { dagRunId: firstId, ids: [first.a], spec: chainSpec },
      { dagRunId: run.id, ids: [a], spec: chainSpec, force: true },
    ], w.now);
    assertEquals(await w.states(first.a, a), ["none", "none"]);
    assertEquals([(await w.task(first.a)).isForced, (await w.task(a)).isForced], [false, true]);
    const found = await w.store.loadRuns([firstId, run.id]);
    const of = (id: string) => found.find((each) => each.run.id === id)!.run;
    assertEquals([of(firstId).state, of(firstId).startDate], ["queued", null]);
    assertEquals([of(run.id).state, of(run.id).queuedAt], ["queued", w.now]);
    assertEquals(of(run.id).startDate !== null, true);
    assertEquals((await w.store.loadOutputs(firstId, ["a"])).length, 0);
    const { queuedAt } = of(firstId);
    await w.store.clearRuns([{ dagRunId: firstId, ids: [b], spec: chainSpec, force: true }], w.now);
    assertEquals((await w.task(b)).isForced, false, "an instance of another run is left out");
    assertEquals((await w.store.loadRuns([firstId]))[0].run.queuedAt > queuedAt, true);
  });
}
