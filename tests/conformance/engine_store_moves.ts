/**
 * @module From every state, everything that can be done to a task instance from outside a pass: it
 * moves as the table of moves says, or not at all.
 */
import { assertEquals } from "@std/assert";
import type { RunState } from "../../src/model/run_state.ts";
import {
  type HandState,
  type TaskEvent,
  type TaskState,
  taskTransitions,
} from "../../src/model/task_state.ts";
import { Question, timeoutOf } from "../../src/model/trigger.ts";
import type { AttemptEnding, Parked } from "../../src/store/port.ts";
import type { Case } from "./engine_store_events.ts";
import { chainSpec, type World } from "./engine_store_world.ts";

/** Register the cases. */
export function moveCases(test: Case): void {
  test("endings, claims, cancels, clears and hands move an instance as the table says", async (w) => {
    for (const state of Object.keys(ways) as (keyof typeof ways)[]) {
      for (const deed of Object.keys(deeds) as (keyof typeof deeds)[]) {
        const { id, attempt } = await instanceIn(w, state);
        await deeds[deed].act(w, id, attempt);
        const event = eventOf(state, deed);
        const wanted = event === null ? state : taskTransitions[state][event] ?? state;
        assertEquals((await w.task(id)).state, wanted, `${deed} of one that is ${state}`);
        await tidyUp(w, id);
      }
    }
  });

  test("a run's dates follow its state, and a clear begins them anew", async (w) => {
    const { a } = await w.run();
    const dates = async () => {
      const [{ run }] = await w.store.loadRuns([w.runId]);
      return [run.state, run.queuedAt, run.startDate, run.endDate];
    };
    const move = async (from: RunState, to: RunState) => {
      w.under.clock.advance(1000);
      await w.tick({ runMoves: [{ id: w.runId, from, to }] });
      return w.now;
    };
    const [, queuedAt, startedAt] = await dates();
    assertEquals(await dates(), ["running", queuedAt, startedAt, null]);
    const endedAt = await move("running", "failed");
    assertEquals(await dates(), ["failed", queuedAt, startedAt, endedAt]);
    // One that is not in the state that is expected does not move.
    await move("running", "success");
    assertEquals(await dates(), ["failed", queuedAt, startedAt, endedAt]);
    await w.store.clearTasks(w.runId, [a], { spec: chainSpec }, w.now);
    assertEquals(await dates(), ["queued", w.now, null, null]);
    const clearedAt = w.now;
    const againAt = await move("queued", "running");
    assertEquals(await dates(), ["running", clearedAt, againAt, null]);
  });
}

/** What a deed is to an instance in that state; null: a word that nobody listens to. */
function eventOf(state: TaskState, deed: keyof typeof deeds): TaskEvent | null {
  if (deeds[deed].isEnding) {
    // Whatever is said of one that is being stopped, it confirms that it is gone.
    if (state === "cancelling") return "confirm_cancelled";
    // An attempt that nobody has claimed can only be lost.
    return state === "running" || state === "queued" && deed === "lose" ? deed : null;
  }
  // A clear of what runs stops it first; it is cleared when its process is gone.
  return state === "running" && deed === "clear" ? "cancel" : deed;
}

interface Made {
  id: string;
  attempt: string;
}

const ending = (result: AttemptEnding["result"], endReason: AttemptEnding["endReason"]) => ({
  isEnding: true,
  act: (w: World, _id: string, attempt: string) =>
    w.end(attempt, { result, endReason, nextTryAt: w.now }),
});

const setting = (to: HandState) => ({
  isEnding: false,
  act: (w: World, id: string) => w.store.setTasks({ ids: [id], to, by: "ann" }, w.now),
});

/** Everything that can be done, each by the name of its event. */
const deeds = {
  succeed: ending("succeed", "success"),
  skip: ending("skip", "skipped"),
  fail: ending("fail", "task_error"),
  retry: ending("retry", "task_error"),
  reschedule: ending("reschedule", "rescheduled"),
  lose: ending("lose", "drained"),
  run: { isEnding: false, act: (w: World) => w.claim("w", 64) },
  cancel: {
    isEnding: false,
    act: (w: World, id: string) => w.store.cancelTasks([id], w.now, "ann"),
  },
  set_success: setting("success"),
  set_failed: setting("failed"),
  set_skipped: setting("skipped"),
  clear: {
    isEnding: false,
    act: (w: World, id: string) => w.store.clearTasks(w.runId, [id], { spec: chainSpec }, w.now),
  },
};

const moved = (to: TaskState) => async (w: World, id: string): Promise<string> => {
  await w.tick({ taskMoves: [{ id, from: "none", to }] });
  return w.ids.uuid();
};
const ended = (result: AttemptEnding["result"]) => async (w: World, id: string) => {
  const attempt = await w.start(id);
  // Not the reason of any deed: a second word on the attempt is another one.
  await w.end(attempt, { result, endReason: "child_exit", nextTryAt: w.now });
  return attempt;
};

/** Give the attempt up, and wait for a trigger or a person. */
function parked(what: Pick<Parked, "trigger" | "question">) {
  return async (w: World, id: string): Promise<string> => {
    const attempt = await w.start(id);
    await w.end(attempt, {
      ...(what.question
        ? { result: "ask", endReason: "awaiting_input" } as const
        : { result: "defer", endReason: "deferred" } as const),
      parked: { ...what, timeout: timeoutOf({ data: {}, onTimeout: "resume" }) },
      nextTryAt: w.now,
    });
    return attempt;
  };
}

/** How an instance comes into each state; resolves to its attempt, or to one that it never had. */
const ways = {
  none: (w: World, _id: string) => Promise.resolve(w.ids.uuid()),
  scheduled: moved("scheduled"),
  queued: (w: World, id: string) => w.queue(id),
  running: (w: World, id: string) => w.start(id),
  cancelling: async (w: World, id: string) => {
    const attempt = await w.start(id);
    await w.store.cancelTasks([id], w.now, "ann");
    return attempt;
  },
  success: ended("succeed"),
  skipped: ended("skip"),
  failed: ended("fail"),
  up_for_retry: ended("retry"),
  up_for_reschedule: ended("reschedule"),
  deferred: parked({ trigger: { kind: "time", at: "2030-01-01T01:00:00Z" } }),
  awaiting_input: parked({ question: Question.parse({ subject: "Go on?", options: ["Yes"] }) }),
  cancelled: async (w: World, id: string) => {
    await w.store.cancelTasks([id], w.now, "ann");
    return w.ids.uuid();
  },
  upstream_failed: moved("upstream_failed"),
  removed: moved("removed"),
} satisfies Record<TaskState, (w: World, id: string) => Promise<string>>;

/** An instance of a run of its own in that state. */
async function instanceIn(w: World, state: keyof typeof ways): Promise<Made> {
  const run = w.newRun({ runId: w.ids.uuid() });
  await w.tick({ newRuns: [run], runMoves: [{ id: run.id, from: "queued", to: "running" }] });
  w.runId = run.id;
  const [{ id }] = run.tasks;
  const attempt = await ways[state](w, id);
  assertEquals((await w.task(id)).state, state);
  return { id, attempt };
}

/** Leave nothing behind that a later claim could take. */
async function tidyUp(w: World, id: string) {
  const { state } = await w.task(id);
  if (state === "queued") await w.store.cancelTasks([id], w.now, "ann");
}
