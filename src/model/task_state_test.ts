import { assertEquals, assertThrows } from "@std/assert";
import {
  isFinished,
  nextTaskState,
  type TaskEvent,
  taskStates,
  taskTransitions,
} from "./task_state.ts";
import type { TaskState } from "./task_state.ts";

const events: readonly TaskEvent[] = [
  "schedule",
  "queue",
  "run",
  "succeed",
  "skip",
  "retry",
  "reschedule",
  "fail",
  "lose",
  "cancel",
  "confirm_cancelled",
  "confirm_cleared",
  "upstream_fail",
  "remove",
  "clear",
  "defer",
  "ask",
  "resume",
  "set_success",
  "set_failed",
  "set_skipped",
  "confirm_success",
  "confirm_failed",
  "confirm_skipped",
];

/** The kinds of states in words: what each event asks of the state, and where it leads. */
function oracle(from: TaskState, event: TaskEvent): TaskState | null {
  const isIdle = ["none", "scheduled", "up_for_retry", "up_for_reschedule"].includes(from);
  const hasEnded = ["success", "failed", "cancelled", "skipped", "upstream_failed", "removed"]
    .includes(from);
  const isAtWorker = from === "running";
  const isParked = from === "deferred" || from === "awaiting_input";
  const when = (applies: boolean, to: TaskState) => applies ? to : null;
  switch (event) {
    case "schedule":
      return when(isIdle, "scheduled");
    case "queue":
      return when(from === "scheduled", "queued");
    case "run":
      return when(from === "queued", "running");
    case "succeed":
      return when(isAtWorker, "success");
    case "skip":
      return when(isAtWorker || isIdle || isParked, "skipped");
    case "retry":
      return when(isAtWorker, "up_for_retry");
    case "reschedule":
      return when(isAtWorker, "up_for_reschedule");
    case "defer":
      return when(isAtWorker, "deferred");
    case "ask":
      return when(isAtWorker, "awaiting_input");
    case "resume":
      return when(isParked, "scheduled");
    case "fail":
      return when(isAtWorker || isIdle, "failed");
    case "lose":
      return when(isAtWorker || from === "queued", "scheduled");
    case "cancel":
      if (isAtWorker) return "cancelling";
      return when(isIdle || isParked || from === "queued", "cancelled");
    case "confirm_cancelled":
      return when(from === "cancelling", "cancelled");
    case "confirm_cleared":
      return when(from === "cancelling", "none");
    case "upstream_fail":
      return when(isIdle, "upstream_failed");
    case "remove":
      return when(isIdle || isParked || hasEnded && from !== "removed", "removed");
    case "clear":
      return when(isIdle || isParked || hasEnded || from === "queued", "none");
    case "set_success":
    case "set_failed":
    case "set_skipped":
      if (from === "removed") return null;
      return isAtWorker || from === "cancelling"
        ? "cancelling"
        : event.replace("set_", "") as TaskState;
    case "confirm_success":
    case "confirm_failed":
    case "confirm_skipped":
      return when(from === "cancelling", event.replace("confirm_", "") as TaskState);
  }
}

Deno.test("nextTaskState() makes the moves that the oracle makes, and refuses all others", () => {
  for (const from of taskStates) {
    for (const event of events) {
      const to = oracle(from, event);
      if (to !== null) assertEquals(nextTaskState(from, event), to, `${from} ${event}`);
      else assertThrows(() => nextTaskState(from, event), Error, `current state is "${from}"`);
    }
  }
});

Deno.test("taskTransitions has no event that the oracle does not know, and no state without a way in", () => {
  const used = Object.values(taskTransitions).flatMap((moves) => Object.keys(moves));
  assertEquals(new Set(used), new Set<string>(events));
  const reached = new Set(Object.values(taskTransitions).flatMap((moves) => Object.values(moves)));
  assertEquals(taskStates.filter((state) => !reached.has(state)), []);
});

Deno.test("a state that has ended is left by people and a changed DAG alone", () => {
  for (const state of taskStates) {
    const ways = Object.keys(taskTransitions[state]);
    const onlyFromOutside = ways.every((event) => /^(clear|remove|set_.*)$/.test(event));
    assertEquals(onlyFromOutside, isFinished(state), state);
  }
});

/** Airflow's moves between states that both have, as its table says them. */
const airflowMoves: readonly [from: TaskState[], to: TaskState[]][] = [
  [["none", "up_for_retry", "up_for_reschedule"], ["scheduled"]],
  [["none"], ["skipped", "upstream_failed", "removed"]],
  [["scheduled"], ["queued"]],
  [["queued"], ["running", "scheduled"]],
  [["running"], ["success", "failed", "skipped", "up_for_retry", "up_for_reschedule"]],
  [["running"], ["deferred", "awaiting_input"]],
  [["deferred", "awaiting_input"], ["scheduled"]],
  // Clear, of whatever does not run.
  [
    ["scheduled", "queued", "up_for_retry", "up_for_reschedule", "success", "failed", "skipped"],
    ["none"],
  ],
  [["upstream_failed", "removed", "deferred", "awaiting_input"], ["none"]],
];

/** Moves that are ours, each with its reason. */
const ownMoves: readonly [from: TaskState[], to: TaskState[], why: string][] = [
  [["running"], ["scheduled"], "a lost worker costs no try: the task is queued again"],
  [["running"], ["cancelling"], "a cancel, or a clear, until the process is gone"],
  [["cancelling"], ["cancelled", "none"], "it is gone: cancelled, or cleared"],
  [["none", "scheduled", "queued"], ["cancelled"], "a cancel of what no worker has"],
  [["up_for_retry", "up_for_reschedule"], ["cancelled"], "the same"],
  [["deferred", "awaiting_input"], ["cancelled", "removed"], "the same, or the DAG changed"],
  [["deferred", "awaiting_input"], ["skipped"], "its run fails fast"],
  [["cancelled"], ["none"], "clear"],
  [["none", "scheduled", "up_for_retry", "up_for_reschedule"], ["failed"], "it cannot be mapped"],
  [["scheduled", "up_for_retry", "up_for_reschedule"], ["skipped", "upstream_failed"], "a branch"],
  [["scheduled", "up_for_retry", "up_for_reschedule"], ["removed"], "the DAG changed"],
  [["success", "failed", "skipped", "upstream_failed", "cancelled"], ["removed"], "the same"],
  [["none", "scheduled"], ["none", "scheduled"], "looked at again: no move"],
  [
    ["none", "scheduled", "queued", "up_for_retry", "up_for_reschedule", "success", "failed"],
    ["success", "failed", "skipped"],
    "a person says how it ended",
  ],
  [
    ["skipped", "upstream_failed", "cancelled", "deferred", "awaiting_input"],
    ["success", "failed", "skipped"],
    "the same",
  ],
  [["cancelling"], ["cancelling", "success", "failed", "skipped"], "the same, once it is gone"],
];

Deno.test("taskTransitions has Airflow's moves, ours with a reason, and no others", () => {
  const pairs = (moves: readonly (readonly [TaskState[], TaskState[], string?])[]) =>
    moves.flatMap(([froms, tos]) => froms.flatMap((from) => tos.map((to) => `${from} > ${to}`)));
  const both = new Set([...airflowMoves, ...ownMoves].flatMap(([from, to]) => [...from, ...to]));
  const found = new Set<string>();
  for (const from of both) {
    for (const to of Object.values(taskTransitions[from])) {
      if (both.has(to)) found.add(`${from} > ${to}`);
    }
  }
  const airflow = pairs(airflowMoves);
  assertEquals(airflow.filter((move) => !found.has(move)), []);
  const known = new Set([...airflow, ...pairs(ownMoves)]);
  assertEquals([...found].filter((move) => !known.has(move)), []);
});
