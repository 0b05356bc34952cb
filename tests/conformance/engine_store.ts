/**
 * @module What every {@link EngineStore} must do: the same histories on PostgreSQL and in memory.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { AppError } from "../../src/model/errors.ts";
import type { Hint } from "../../src/store/port.ts";
import { deadlineCases } from "./engine_store_deadlines.ts";
import { byHandCases } from "./engine_store_by_hand.ts";
import { eventCases } from "./engine_store_events.ts";
import { moveCases } from "./engine_store_moves.ts";
import { outboxCases } from "./engine_store_outbox.ts";
import { stopCases } from "./engine_store_stops.ts";
import { mappingCases } from "./engine_store_mapping.ts";
import { parkedCases } from "./engine_store_parked.ts";
import {
  chainSpec,
  intent,
  type StoreUnderTest,
  waitingSpec,
  World,
} from "./engine_store_world.ts";

/** Register the suite; `open` gives a fresh store for each test. */
export function engineStoreSuite(name: string, open: () => Promise<StoreUnderTest>) {
  const test = (fact: string, body: (world: World) => Promise<void>) =>
    Deno.test(`${name}: ${fact}`, async () => {
      await using under = await open();
      await body(await World.create(under));
    });

  test("takeLease() gives the lease to one, and to another only when seen dead", async (w) => {
    assertEquals(await w.store.takeLease("b", null, w.now), null);
    assertEquals(await w.store.takeLease("b", w.epoch + 1, w.now), null);
    const taken = await w.store.takeLease("b", w.epoch, w.now);
    assertEquals(taken?.holder, "b");
    assert(taken!.epoch > w.epoch);
    await assertRejects(() => w.tick({}), AppError, "another holds the lease");
    assertEquals(await w.store.renewLease({ holder: "me", epoch: w.epoch, renewals: 1 }), null);
    assert((await w.store.renewLease(taken!))!.renewals > taken!.renewals);
    await w.store.releaseLease(taken!);
    assertEquals((await w.store.takeLease("c", null, w.now))?.holder, "c");
  });

  test("applyTick() creates a run once, whatever its id", async (w) => {
    const logicalDate = new Date("2030-01-01T00:00:00Z");
    const first = w.newRun({ runId: "one", logicalDate });
    assertEquals((await w.tick({ newRuns: [first] })).newRuns, [first.id]);
    const second = w.newRun({ runId: "two", logicalDate });
    assertEquals((await w.tick({ newRuns: [second] })).newRuns, []);
    const [snapshot] = await w.store.loadRuns();
    assertEquals(snapshot.tasks.map((t) => t.taskId).sort(), ["a", "b", "c"]);
    await assertRejects(() => w.store.createRun(second), AppError, "Cannot create run");
  });

  test("applyTick() moves only rows that are as expected", async (w) => {
    const { a, b } = await w.run();
    const result = await w.tick({
      taskMoves: [
        { id: a, from: "none", to: "scheduled" },
        { id: b, from: "scheduled", to: "queued", queue: w.queueing() },
      ],
    });
    assertEquals(result.taskMoves, [a]);
    assertEquals((await w.task(b)).state, "none");
  });

  test("applyTick() starts an attempt for a worker that waits, as a claim would", async (w) => {
    const run = w.newRun();
    const [a, b, c] = run.tasks.map((task) => task.id);
    const claimer = { workerId: "w", hostname: "h", pid: 7 };
    const start = (id: string, from: "none" | "scheduled") =>
      ({ id, from, to: "running", queue: w.queueing(), start: claimer }) as const;
    const moves = [start(a, "none"), start(b, "scheduled")];
    const hints: Hint[] = [];
    const listening = await w.store.listen((hint) => hints.push(hint));
    const { started, taskMoves } = await w.tick({
      newRuns: [run],
      runMoves: [{ id: run.id, from: "queued", to: "running" }],
      taskMoves: [...moves, { id: c, from: "none", to: "queued", queue: w.queueing() }],
    });
    assertEquals(taskMoves.toSorted(), [a, c].toSorted(), "b is not scheduled");
    assertEquals(hints, [{ topic: "queued", ids: ["default"] }]);
    await listening.stop();
    assertEquals(started.length, 1);
    const [{ attempt, task, run: itsRun, state }] = started;
    assertEquals(attempt.id, moves[0].queue.attemptId);
    assertEquals(attempt.startDate, w.now);
    assertEquals([attempt.state, attempt.workerId, attempt.pid], ["running", "w", 7]);
    assertEquals([itsRun.state, itsRun.startDate], ["running", w.now]);
    assertEquals(state, {});
    assertEquals(task, await w.task(a));
    const [claimed] = await w.claim("w", 9);
    assertEquals(claimed.task.id, c, "what has started is not claimed");
    const shape = (of: object) => Object.keys(of).toSorted();
    assertEquals(shape(attempt), shape(claimed.attempt));
    assertEquals(shape(itsRun), shape(claimed.run));
    const [ended] = await w.end(attempt.id, {});
    assertEquals(ended.result, "ok");
  });

  test("applyTick() starts nothing in a run that was cleared since", async (w) => {
    const { a } = await w.run();
    const start = { workerId: "w", hostname: "h", pid: 7 };
    const { started } = await w.tick({
      taskMoves: [{ id: a, from: "none", to: "running", queue: w.queueing(), start }],
      fences: [{ id: w.runId, queuedAt: new Date(0), cancelRequestedAt: null }],
    });
    assertEquals(started, []);
    assertEquals((await w.task(a)).state, "none");
  });

  test("claim() gives a queued task to one of many workers", async (w) => {
    const { a } = await w.run();
    await w.queue(a);
    const claims = await Promise.all(["w1", "w2", "w3"].map((id) => w.claim(id, 5)));
    assertEquals(claims.flat().length, 1);
    assertEquals(claims.flat()[0].run.runId, "r1");
    assertEquals(claims.flat()[0].attempt.state, "running");
    assertEquals((await w.task(a)).state, "running");
  });

  test("claim() takes the highest priority first and honours slots and queues", async (w) => {
    const { a, b, c } = await w.run();
    await w.queue(a, { priorityWeight: 1 });
    await w.queue(b, { priorityWeight: 9 });
    await w.queue(c, { priorityWeight: 5, queue: "elsewhere" });
    assertEquals((await w.claim("w", 0)).length, 0);
    assertEquals((await w.claim("w", 1)).map((x) => x.task.id), [b]);
    assertEquals((await w.claim("w", 9)).map((x) => x.task.id), [a]);
    assertEquals((await w.claim("w", 9, ["*"])).map((x) => x.task.id), [c]);
  });

  test("endAttempts() takes one word of two on an attempt that come together", async (w) => {
    const { a } = await w.run();
    const attemptId = await w.start(a);
    const ending = w.ending(attemptId, { result: "succeed" });
    const failed = w.ending(attemptId, { result: "fail", endReason: "task_error" });
    const answers = await w.store.endAttempts([ending, ending, failed], w.now);
    assertEquals(answers.map(({ result }) => result), ["ok", "repeat", "gone"]);
    assertEquals((await w.task(a)).state, "success");
  });

  test("endAttempts() refuses a late word and repeats an old answer", async (w) => {
    const { a } = await w.run();
    const first = await w.start(a);
    const [lost] = await w.end(first, { result: "lose", endReason: "worker_lost" });
    assertEquals(lost.result, "ok");
    assertEquals((await w.task(a)).state, "scheduled");
    const second = await w.start(a, "scheduled");
    assertEquals((await w.end(first, { result: "succeed" }))[0].result, "gone");
    assertEquals((await w.end(second, { result: "succeed" }))[0].result, "ok");
    assertEquals((await w.end(second, { result: "succeed" }))[0].result, "repeat");
    assertEquals((await w.end(second, { result: "fail", endReason: "timeout" }))[0].result, "gone");
    assertEquals((await w.task(a)).state, "success");
  });

  test("endAttempts() retries while tries are left, and an infrastructure loss costs none", async (w) => {
    const { a } = await w.run();
    await w.end(await w.start(a), { result: "lose", endReason: "worker_lost" });
    assertEquals((await w.task(a)).tryNumber, 0);
    const at = new Date(w.now.getTime() + 60_000);
    const failed = { result: "retry", endReason: "task_error", nextTryAt: at } as const;
    await w.end(await w.start(a, "scheduled"), failed);
    const waiting = await w.task(a);
    assertEquals([waiting.state, waiting.tryNumber, waiting.nextTryAt], ["up_for_retry", 1, at]);
    await w.end(await w.start(a, "up_for_retry"), failed);
    const over = await w.task(a);
    assertEquals([over.state, over.tryNumber, over.nextTryAt], ["failed", 2, null]);
  });

  test("endAttempts() lets a reschedule keep its try", async (w) => {
    const { a } = await w.run();
    const nextTryAt = new Date(w.now.getTime() + 5_000);
    await w.end(await w.start(a), { result: "reschedule", endReason: "rescheduled", nextTryAt });
    const task = await w.task(a);
    assertEquals([task.state, task.tryNumber, task.nextTryAt], ["up_for_reschedule", 0, nextTryAt]);
  });

  test("endAttempts() keeps outputs for those downstream", async (w) => {
    const { a } = await w.run();
    const output = { price: "1.10", big: "12345678901234567890" };
    await w.end(await w.start(a), { result: "succeed", output, outputLength: 3 });
    const outputs = await w.store.loadOutputs(w.runId, ["a", "b"]);
    assertEquals(outputs.map((o) => [o.taskId, o.mapIndex, o.output]), [["a", -1, output]]);
    assertEquals((await w.task(a)).outputLength, 3);
  });

  test("endAttempts() publishes with the success or not at all", async (w) => {
    const { a, b } = await w.run();
    const effects = { publish: [intent("prices.daily", "2030-01-01")], state: { cursor: "42" } };
    const stale = await w.start(a);
    await w.end(stale, { result: "lose", endReason: "worker_lost" });
    await w.end(stale, { result: "succeed", effects });
    assertEquals(await w.published(), []);
    const attempt = await w.start(a, "scheduled");
    await w.end(attempt, { result: "succeed", effects });
    await w.end(attempt, { result: "succeed", effects });
    assertEquals((await w.published()).map((v) => v.version), [1]);
    assertEquals(await w.store.loadTaskState("chain", "a", -1), { cursor: "42" });
    const next = await w.queue(b);
    const [claimed] = await w.claim("w", 1);
    assertEquals([claimed.attempt.id, claimed.state], [next, {}]);
    await w.end(next, { result: "succeed", effects });
    const versions = await w.published();
    assertEquals(versions.map((v) => v.version), [1, 2]);
    assert(versions[1].knownAt > versions[0].knownAt, "known_at must grow at one instant too");
  });

  test("applyTick() ends no run whose tasks did not move as decided", async (w) => {
    const { a, b } = await w.run();
    await w.store.cancelTasks([b], w.now, "somebody");
    const taskMoves = [
      { id: a, from: "none", to: "skipped" } as const,
      { id: b, from: "none", to: "skipped" } as const,
    ];
    const end = { id: w.runId, from: "running", to: "success" } as const;

    const refused = await w.tick({ taskMoves, runMoves: [{ ...end, taskMoves: 2 }] });
    assertEquals([refused.taskMoves, refused.runMoves], [[a], []]);

    const ended = await w.tick({ runMoves: [{ ...end, taskMoves: 0 }] });
    assertEquals(ended.runMoves, [w.runId]);
  });

  test("endAttempts() leaves dataset events for the DAGs that wait, and one run takes them", async (w) => {
    const dagVersionId = await w.under.addDag(waitingSpec);
    const hints: Hint[] = [];
    const listening = await w.store.listen((hint) => hints.push(hint));
    const { a, b, c } = await w.run();
    for (const [id, partition] of [[a, "2030-01-01"], [b, "2030-01-02"]]) {
      const effects = { publish: [intent("prices.daily", partition)] };
      await w.end(await w.start(id), { result: "succeed", effects });
    }
    const effects = { publish: [intent("nobody.waits", "2030-01-01")] };
    await w.end(await w.start(c), { result: "succeed", effects });
    await listening.stop();

    const told = hints.filter(({ topic }) => topic === "dags");
    assertEquals(told.map(({ ids }) => ids), [["waits"], ["waits"]]);
    const pending = async () => {
      const [{ pending, pendingMark }] = await w.store.loadDags(["waits"]);
      const { dags } = await w.store.loadOutline();
      assertEquals(dags.find(({ dagId }) => dagId === "waits")!.pendingMark, pendingMark);
      return pending;
    };
    assertEquals(await pending(), [{ dataset: "prices.daily", partition: "" }]);
    const takes = { partitions: null, isRequired: true };
    const run = w.newRun({ dagId: "waits", dagVersionId, takes });
    await w.tick({ newRuns: [run] });
    const { newRuns } = await w.tick({
      newRuns: [w.newRun({ ...run, id: w.ids.uuid(), runId: "r2", tasks: [] })],
    });
    assertEquals(newRuns, [], "what another run has taken starts none");
    assertEquals(await pending(), []);
    assertEquals(
      (await w.store.loadDatasetEvents(run.id)).map((event) => [event.dataset, event.partition]),
      [["prices.daily", "2030-01-01"], ["prices.daily", "2030-01-02"]],
    );
  });

  test("endAttempts() in a batch judges each attempt by itself", async (w) => {
    const { a, b, c } = await w.run();
    const [one, two] = [await w.start(a), await w.start(b)];
    await w.end(one, { result: "succeed" });
    const three = await w.start(c);
    const results = await w.store.endAttempts(
      [
        w.ending(two, { result: "succeed" }),
        w.ending(one, { endReason: "timeout", result: "fail" }),
        w.ending(three, { result: "skip", endReason: "skipped" }),
        w.ending(w.ids.uuid(), { result: "succeed" }),
      ],
      w.now,
    );
    assertEquals(results.map((r) => r.result), ["ok", "gone", "ok", "gone"]);
    assertEquals((await w.task(c)).state, "skipped");
  });

  test("cancelTasks() ends waiting ones at once and running ones when they are gone", async (w) => {
    const { a, b, c } = await w.run();
    const attempt = await w.start(a);
    await w.queue(b);
    const hints: Hint[] = [];
    const listening = await w.store.listen((hint) => hints.push(hint));
    await w.store.cancelTasks([a, b, c], w.now, "ann");
    await listening.stop();
    assertEquals(await w.states(a, b, c), ["cancelling", "cancelled", "cancelled"]);
    assertEquals(hints.find((h) => h.topic === "cancel")?.ids, [attempt]);
    assertEquals(await w.store.heartbeat([attempt]), ["cancelling"]);
    await w.end(attempt, { result: "succeed" });
    assertEquals((await w.task(a)).state, "cancelled");
    assertEquals((await w.claim("w", 5)).length, 0);
  });

  test("clearTasks() gives a new budget of tries, also to a running one", async (w) => {
    const { a, b } = await w.run();
    await w.end(await w.start(a), { result: "succeed", output: 1 });
    const running = await w.start(b);
    await w.tick({ runMoves: [{ id: w.runId, from: "running", to: "failed" }] });
    await w.store.clearTasks(w.runId, [a, b], { spec: chainSpec }, w.now);
    assertEquals(await w.states(a, b), ["none", "cancelling"]);
    await w.end(running, { result: "fail", endReason: "cancelled" });
    const cleared = await w.task(b);
    assertEquals([cleared.state, cleared.tryNumber, cleared.maxTries], ["none", 1, 2]);
    assertEquals((await w.store.loadOutputs(w.runId, ["a"])).length, 0);
    assertEquals((await w.store.loadRuns([w.runId]))[0].run.state, "queued");
  });

  test("cancelRun() marks the run and stops what is open", async (w) => {
    const { a, b } = await w.run();
    await w.end(await w.start(a), { result: "succeed" });
    await w.store.cancelRun(w.runId, { now: w.now, by: "ann" });
    assertEquals(await w.states(a, b), ["success", "cancelled"]);
    assert((await w.store.loadRuns([w.runId]))[0].run.cancelRequestedAt !== null);
  });

  test("applyTick() expands a mapped task by parts, and again when its list has grown", async (w) => {
    const { a } = await w.run();
    const common = { id: a, dagRunId: w.runId, taskId: "a", maxTries: 1 };
    const grow = async (from: -1 | 0, to: -1 | 0, firstIndex: number) => {
      const ids = [w.ids.uuid(), w.ids.uuid()];
      const expansion = { ...common, ids, mapIndex: { from, to }, firstIndex };
      const { expansions } = await w.tick({ expansions: [expansion] });
      const [{ tasks }] = await w.store.loadRuns();
      const indexes = tasks.filter((t) => t.taskId === "a").map((t) => t.mapIndex);
      return [expansions.length, ...indexes.toSorted((a, b) => a - b)];
    };
    assertEquals(await grow(-1, -1, 1), [1, -1, 1, 2]);
    assertEquals(await grow(0, 0, 3), [0, -1, 1, 2]);
    assertEquals(await grow(-1, 0, 3), [1, 0, 1, 2, 3, 4]);
    assertEquals(await grow(-1, 0, 5), [0, 0, 1, 2, 3, 4]);
    assertEquals(await grow(0, 0, 5), [1, 0, 1, 2, 3, 4, 5, 6]);
  });

  test("applyTick() moves nothing in a run that was cleared since it was read", async (w) => {
    const { a, b } = await w.run();
    const [{ run }] = await w.store.loadRuns([w.runId]);
    const { id, queuedAt, cancelRequestedAt } = run;
    const fences = [{ id, queuedAt, cancelRequestedAt }];
    const move = (id: string) => ({ id, from: "none" as const, to: "scheduled" as const });
    assertEquals((await w.tick({ taskMoves: [move(a)], fences })).taskMoves, [a]);
    assertEquals((await w.tick({ taskMoves: [move(b)], fences: [] })).taskMoves, []);
    w.under.clock.advance(1);
    await w.store.clearTasks(run.id, [a], { spec: chainSpec }, w.now);
    assertEquals((await w.tick({ taskMoves: [move(b)], fences })).taskMoves, []);
  });

  test("loadPast() finds the run of the date before and what of it is not met", async (w) => {
    const [first, middle, last] = ["2029-01-01", "2029-01-02", "2029-01-03"].map((date) =>
      w.newRun({ runId: date, logicalDate: new Date(date) })
    );
    const dateless = w.newRun({ runId: "dateless" });
    await w.tick({ newRuns: [last, dateless, first, middle] });
    const [a, b, c] = middle.tasks;
    await w.tick({
      taskMoves: [
        { id: a.id, from: "none", to: "skipped" },
        { id: b.id, from: "none", to: "upstream_failed" },
      ],
    });
    const past = await w.store.loadPast([first.id, last.id, dateless.id]);
    assertEquals(
      new Map(past.map((each) => [each.dagRunId, each.previousId])),
      new Map([
        [first.id, null],
        [last.id, middle.id],
        [dateless.id, null],
      ]),
    );
    assertEquals(past.find((each) => each.dagRunId === last.id)!.unmet, ["b", "c"]);
    await w.tick({
      taskMoves: [
        { id: b.id, from: "upstream_failed", to: "removed" },
        { id: c.id, from: "none", to: "skipped" },
      ],
    });
    assertEquals((await w.store.loadPast([last.id]))[0].unmet, []);
  });

  test("loadOutline() counts instances by state and forgets finished runs", async (w) => {
    const { a } = await w.run();
    await w.start(a);
    const before = await w.store.loadOutline();
    assertEquals(before.runs, [{
      id: w.runId,
      state: "running",
      dagVersionId: w.dagVersionId,
      isCancelled: false,
      tasks: { running: 1, none: 2 },
    }]);
    assertEquals(before.dags.map(({ dagId, isPaused }) => ({ dagId, isPaused })), [
      { dagId: "chain", isPaused: false },
    ]);
    await w.tick({ runMoves: [{ id: w.runId, from: "running", to: "failed" }] });
    assertEquals((await w.store.loadOutline()).runs, []);
  });

  test("readHeartbeats() counts beats of running attempts only", async (w) => {
    const { a } = await w.run();
    const attempt = await w.start(a);
    assertEquals(await w.store.heartbeat([attempt, w.ids.uuid()]), ["running", "gone"]);
    assertEquals((await w.store.readHeartbeats()).get(attempt)?.beats, 1);
    await w.end(attempt, { result: "succeed" });
    assertEquals((await w.store.readHeartbeats()).size, 0);
    assertEquals(await w.store.heartbeat([attempt]), ["ended"]);
  });

  test("endAttempts() keeps one of many racing words", async (w) => {
    const { a } = await w.run();
    const attempt = await w.start(a);
    const words = ["task_error", "timeout", "memory_limit", "child_exit"] as const;
    const results = await Promise.all(
      words.map((endReason) => w.end(attempt, { result: "fail", endReason })),
    );
    assertEquals(results.flat().filter((r) => r.result === "ok").length, 1);
  });

  eventCases(test);
  outboxCases(test);
  stopCases(test);
  mappingCases(test);
  deadlineCases(test);
  moveCases(test);
  parkedCases(test);
  byHandCases(test);
}
