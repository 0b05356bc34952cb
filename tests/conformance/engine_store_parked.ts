/** @module What every engine store makes of instances that wait for a trigger or a person. */
import { assertEquals } from "@std/assert";
import type { Hint, Parked } from "../../src/store/port.ts";
import { Question, timeoutOf, type TriggerSpec } from "../../src/model/trigger.ts";
import type { Case } from "./engine_store_events.ts";
import { chainSpec, intent, type World } from "./engine_store_world.ts";

const soon: TriggerSpec = { kind: "time", at: "2030-01-01T01:00:00Z" };
const deadline = new Date("2030-01-02T00:00:00Z");
const question = Question.parse({ subject: "Go on?", options: ["Yes", "No"], defaults: ["No"] });

const waitsFor = (trigger: TriggerSpec): Parked => ({
  trigger,
  timeout: timeoutOf({ data: { step: 1 }, onTimeout: "resume" }),
});

/** Start an instance and have it defer; returns its attempt. */
async function defer(w: World, id: string, parked: Parked = waitsFor(soon)): Promise<string> {
  const { state } = await w.task(id);
  const attempt = await w.start(id, state);
  const result = parked.question ? "ask" : "defer";
  const endReason = parked.question ? "awaiting_input" : "deferred";
  const [ended] = await w.end(attempt, { result, endReason, parked, nextTryAt: deadline });
  assertEquals(ended.result, "ok");
  return attempt;
}

const claim = async (w: World, claimant: string, limit = 9) =>
  (await w.store.claimTriggers(claimant, limit)).map((one) => one.taskInstanceId);

const fire = (w: World, claimant: string, taskInstanceId: string, attemptId: string) =>
  w.store.fireTriggers(claimant, [{ taskInstanceId, attemptId, event: { seen: true } }]);

/** Define the cases. */
export function parkedCases(test: Case): void {
  test("endAttempts() defers an instance without using up a try", async (w) => {
    const { a } = await w.run();
    const hints: Hint[] = [];
    const listening = await w.store.listen((hint) => hints.push(hint));
    await defer(w, a);
    await listening.stop();
    const task = await w.task(a);
    assertEquals([task.state, task.tryNumber, task.nextTryAt], ["deferred", 0, deadline]);
    const [told] = hints.filter((hint) => hint.topic === "triggers");
    assertEquals(told, { topic: "triggers", ids: ["time"] });
    const outline = await w.store.loadOutline();
    assertEquals(outline.runs[0].tasks, { deferred: 1, none: 2 });
  });

  test("claimTriggers() gives each trigger to one of several", async (w) => {
    const { a, b, c } = await w.run();
    for (const id of [a, b, c]) await defer(w, id);
    assertEquals(await claim(w, "nobody"), [], "only those that joined claim");
    await w.store.joinTriggers("one", w.now);
    await w.store.joinTriggers("two", w.now);
    const claims = await Promise.all([claim(w, "one", 2), claim(w, "two", 2), claim(w, "one", 2)]);
    assertEquals(claims.flat().toSorted(), [a, b, c].toSorted());
    assertEquals(await claim(w, "two"), []);
    const held = await Promise.all([w.store.heldTriggers("one"), w.store.heldTriggers("two")]);
    assertEquals(held.flat().length, 3);
    const one = await w.store.beatTriggers("one");
    assertEquals(one!.claims, held[0].length);
    assertEquals([...one!.others], [["two", 1]]);
  });

  test("leaveTriggers() frees what a dead claimant held, and it can fire no more", async (w) => {
    const { a } = await w.run();
    const attempt = await defer(w, a);
    await w.store.joinTriggers("one", w.now);
    await w.store.joinTriggers("two", w.now);
    assertEquals(await claim(w, "one"), [a]);
    await w.store.beatTriggers("one");
    assertEquals(await w.store.leaveTriggers("one", 1), false, "it has beaten since");
    assertEquals(await w.store.leaveTriggers("one", 2), true);
    assertEquals(await w.store.beatTriggers("one"), null);
    assertEquals(await claim(w, "one"), []);
    assertEquals(await claim(w, "two"), [a]);
    assertEquals(await fire(w, "one", a, attempt), []);
    assertEquals(await fire(w, "two", a, attempt), [a]);
  });

  test("fireTriggers() resumes an instance once, with the event and what it put aside", async (w) => {
    const { a } = await w.run();
    const attempt = await defer(w, a);
    await w.store.joinTriggers("one", w.now);
    await claim(w, "one");
    assertEquals(await fire(w, "one", a, w.ids.uuid()), [], "another attempt's");
    const hints: Hint[] = [];
    const listening = await w.store.listen((hint) => hints.push(hint));
    assertEquals(await fire(w, "one", a, attempt), [a]);
    assertEquals(await fire(w, "one", a, attempt), []);
    await listening.stop();
    assertEquals(hints, [{ topic: "runs", ids: [w.runId], taskInstanceIds: [a] }]);
    assertEquals((await w.task(a)).state, "scheduled");
    await w.queue(a);
    const [{ resumption, attempt: next }] = await w.claim("w", 1);
    const happened = { event: { seen: true }, data: { step: 1 }, timedOut: false };
    assertEquals(resumption, { ...happened, onTimeout: "resume" });
    assertEquals(await w.store.loadResumption(a), resumption);
    assertEquals(next.tryNumber, 1);
    assertEquals((await w.store.beatTriggers("one"))!.claims, 0);
  });

  test("a resumed attempt that is lost goes on from there; one that fails begins anew", async (w) => {
    const { a } = await w.run();
    const attempt = await defer(w, a);
    await w.store.joinTriggers("one", w.now);
    await claim(w, "one");
    await fire(w, "one", a, attempt);
    await w.end(await w.start(a, "scheduled"), { result: "lose", endReason: "worker_lost" });
    await w.queue(a);
    const [again] = await w.claim("w", 1);
    assertEquals(again.resumption?.event, { seen: true });
    const failed = { result: "retry", endReason: "task_error", nextTryAt: w.now } as const;
    await w.end(again.attempt.id, failed);
    await w.queue(a);
    const [retried] = await w.claim("w", 1);
    assertEquals([retried.resumption, retried.attempt.tryNumber], [null, 2]);
  });

  test("an instance whose time is up goes on with what was said for that", async (w) => {
    const { a } = await w.run();
    const attempt = await defer(w, a);
    await w.store.joinTriggers("one", w.now);
    await claim(w, "one");
    await w.queue(a);
    const [{ resumption }] = await w.claim("w", 1);
    assertEquals([resumption?.timedOut, resumption?.data], [true, { step: 1 }]);
    assertEquals(await fire(w, "one", a, attempt), [], "it waits no longer");
    assertEquals(await w.store.dropTriggers(), 1);
    assertEquals(await w.store.dropTriggers(), 0);
  });

  test("an instance that defers again is another's trigger", async (w) => {
    const { a } = await w.run();
    const first = await defer(w, a);
    await w.store.joinTriggers("one", w.now);
    await claim(w, "one");
    const second = await defer(w, a);
    assertEquals(await fire(w, "one", a, first), []);
    assertEquals(await fire(w, "one", a, second), [], "nobody has claimed it");
    assertEquals(await claim(w, "one"), [a]);
    assertEquals(await fire(w, "one", a, second), [a]);
  });

  test("cancel and clear take a waiting instance and its trigger", async (w) => {
    const { a, b } = await w.run();
    const attempts = [await defer(w, a), await defer(w, b)];
    await w.store.joinTriggers("one", w.now);
    await claim(w, "one");
    await w.store.clearTasks(w.runId, [b], { spec: chainSpec }, w.now);
    await w.store.cancelTasks([a], w.now, "me");
    assertEquals(await w.states(a, b), ["cancelled", "none"]);
    assertEquals(await fire(w, "one", a, attempts[0]), []);
    assertEquals(await fire(w, "one", b, attempts[1]), []);
    assertEquals((await w.store.beatTriggers("one"))!.claims, 0);
    await w.queue(b);
    assertEquals((await w.claim("w", 1))[0].resumption, null);
  });

  test("lookAt() tells datasets, runs and tasks that are there from those that are not", async (w) => {
    const run = w.newRun({ logicalDate: new Date("2030-01-01T00:00:00Z") });
    await w.tick({ newRuns: [run], runMoves: [{ id: run.id, from: "queued", to: "running" }] });
    w.runId = run.id;
    const publish = [intent("prices.daily", "p1")];
    await w.end(await w.start(run.tasks[0].id), { effects: { publish } });
    await w.tick({ taskMoves: [{ id: run.tasks[1].id, from: "none", to: "skipped" }] });
    const states: ("success")[] = ["success"];
    const of = { kind: "task" as const, dagId: "chain", runId: "r1", states };
    const seen = await w.store.lookAt([
      { kind: "dataset", dataset: "prices.daily", partition: "p1" },
      { kind: "dataset", dataset: "prices.daily", partition: null },
      { kind: "dataset", dataset: "prices.daily", partition: "p2" },
      { kind: "run", dagId: "chain", logicalDate: "2030-01-01T00:00:00Z", states: ["success"] },
      { kind: "run", dagId: "chain", runId: "r2", states: ["success"] },
      { ...of, taskId: "a" },
      { ...of, taskId: "b" },
      { ...of, taskId: "c" },
      { ...of, taskId: "a", mapIndex: 4 },
    ]);
    const version = { dataset: "prices.daily", partition: "p1", version: 1 };
    const task = (state: string | null) => ({
      found: { dagRunId: run.id, event: { run_id: "r1", state } },
    });
    assertEquals(seen, [
      { found: { event: version } },
      { found: { event: version } },
      { found: null },
      task("running"),
      { found: null },
      task("success"),
      task("skipped"),
      task("running"),
      task(null),
    ]);
  });

  test("lookAt() finds partitions that are known from outside", async (w) => {
    const outside = { dataset: "feed", partition: "x", key: null, extra: {} };
    await w.store.recordEvents([outside], w.now);
    const seen = await w.store.lookAt([{ kind: "dataset", dataset: "feed", partition: "x" }]);
    assertEquals(seen, [{ found: { event: { dataset: "feed", partition: "x", version: null } } }]);
  });

  test("answerQuestion() takes the first answer, and no answer to what is over", async (w) => {
    const { a, b } = await w.run();
    const parked = { question, timeout: timeoutOf({ onTimeout: "fail", question }) };
    await defer(w, a, parked);
    await defer(w, b, parked);
    assertEquals(await w.states(a, b), ["awaiting_input", "awaiting_input"]);
    const reply = { chosenOptions: ["Yes"], paramsInput: {}, by: "ann" };
    const answer = (taskInstanceId: string) =>
      w.store.answerQuestion({ taskInstanceId, reply }, w.now);
    const answers = await Promise.all([answer(a), answer(a), answer(w.ids.uuid())]);
    assertEquals(answers.toSorted(), ["answered", "gone", "ok"]);
    await w.store.cancelTasks([b], w.now, "me");
    assertEquals(await answer(b), "gone");
    await w.queue(a);
    const [{ resumption }] = await w.claim("w", 1);
    assertEquals([resumption?.event, resumption?.timedOut], [reply, false]);
  });

  test("a question that nobody answers goes on with its defaults", async (w) => {
    const { a } = await w.run();
    await defer(w, a, { question, timeout: timeoutOf({ onTimeout: "fail", question }) });
    await w.queue(a);
    const [{ resumption }] = await w.claim("w", 1);
    assertEquals(resumption, {
      event: { chosenOptions: ["No"], paramsInput: {}, by: null },
      data: null,
      timedOut: true,
      onTimeout: "resume",
    });
  });
}
