/** @module The page of states, from the state tables. */
import { type TriggerRule, triggerRules } from "../../src/model/dag_spec.ts";
import {
  type EndReason,
  endReasons,
  infrastructureReasons,
  retryableReasons,
} from "../../src/model/end_reason.ts";
import { isRunFinished, type RunState, runStates, runTypes } from "../../src/model/run_state.ts";
import {
  finishedTaskStates,
  occupyingTaskStates,
  type TaskEvent,
  type TaskState,
  taskStates,
  taskTransitions,
} from "../../src/model/task_state.ts";
import { code, fence, page, table } from "./markdown.ts";

const stateMeanings: Readonly<Record<TaskState, string>> = {
  none: "Waits for its upstreams",
  scheduled: "May run; waits for a slot of its pool and of its DAG",
  queued: "Has a new attempt; waits for a worker",
  running: "A worker runs the attempt",
  cancelling: "Was told to stop; its process is not known to be gone",
  success: "Returned done",
  failed: "Failed, and is not tried again",
  cancelled: "Was cancelled, and its process is gone",
  skipped: "Did not have to run",
  upstream_failed: "Could not run: an upstream failed",
  removed: "An instance of a mapped task that its list has no item for any more",
  up_for_retry: "Failed; waits for its next try",
  up_for_reschedule: "Asked to be started again later",
  deferred: "Waits for its trigger, without a slot",
  awaiting_input: "Waits for a person's answer, without a slot",
};

const eventMeanings: Readonly<Record<TaskEvent, string>> = {
  schedule: "its trigger rule holds",
  queue: "its pool and its DAG have room",
  run: "a worker claims it",
  succeed: "the attempt returned done",
  skip:
    "the attempt returned skip, a branch chose others, its trigger rule or a setup says so, or its " +
    "run fails fast",
  retry: "the attempt failed and tries are left",
  reschedule: "the attempt returned retryAt",
  defer: "the attempt returned defer",
  ask: "the attempt asked a person",
  resume: "its trigger fired, a person answered, or its deadline passed",
  fail: "the attempt failed for good, or the task cannot be started at all",
  lose: "worker, process or machine was lost through no fault of the task",
  cancel: "a person or the API cancels it, or its run fails fast",
  confirm_cancelled: "the worker reports that a cancelled attempt's process is gone",
  confirm_cleared: "the worker reports that a cleared attempt's process is gone",
  upstream_fail: "its trigger rule can no longer hold, or a setup that it needs failed",
  remove: "its list became shorter",
  clear: "somebody wants it to run again",
  set_success: "a person says that it succeeded",
  set_failed: "a person says that it failed",
  set_skipped: "a person says that it is to be left out",
  confirm_success: "what ran is gone, and a person had said that it succeeded",
  confirm_failed: "what ran is gone, and a person had said that it failed",
  confirm_skipped: "what ran is gone, and a person had said that it is to be left out",
};

const runMeanings: Readonly<Record<RunState, string>> = {
  queued: "Waits until its DAG has fewer than `maxActiveRuns` under way",
  running: "Its tasks are under way",
  success: "All tasks have ended, and none that decides failed",
  failed:
    "A task that decides failed, the run was cancelled or failed fast, or its tasks wait for ever",
};

const ruleMeanings: Readonly<Record<TriggerRule, [runs: string, otherwise: string]>> = {
  all_success: ["all succeeded", "one failed: upstream_failed; one was skipped: skipped"],
  all_failed: ["all failed or are upstream_failed", "one succeeded or was skipped: skipped"],
  all_done: ["all have ended", ""],
  one_success: [
    "one succeeded, at once",
    "all have ended: skipped when all were skipped, else upstream_failed",
  ],
  one_failed: ["one failed or is upstream_failed, at once", "all have ended: skipped"],
  one_done: ["one succeeded or failed, at once", "all have ended: skipped"],
  none_failed: ["all have ended, none failed", "one failed: upstream_failed"],
  none_failed_min_one_success: [
    "all have ended, none failed, one succeeded",
    "one failed: upstream_failed; all were skipped: skipped",
  ],
  none_skipped: ["all have ended, none was skipped", "one was skipped: skipped"],
  all_skipped: ["all were skipped", "one succeeded or failed: skipped"],
  all_done_min_one_success: [
    "all have ended, none was skipped, one succeeded",
    "one was skipped: skipped; none succeeded: upstream_failed",
  ],
  all_done_setup_success: [
    "all have ended, and one of the setups among them succeeded, if there are any; teardowns have it",
    "all have ended: skipped when all setups were skipped, upstream_failed when none succeeded",
  ],
  always: ["at once", ""],
};

/** `docs/reference/states.md`. */
export function statesPage(): string {
  return page(
    "States",
    "A state never lies: every move checks that the row is still in the state that it leaves, and that the " +
      "attempt that asks is the one that may speak.",
    "## Task instances",
    table(
      ["state", "meaning", "ended", "takes a slot"],
      taskStates.map((state) => [
        code(state),
        stateMeanings[state],
        finishedTaskStates.has(state) ? "yes" : "",
        occupyingTaskStates.has(state) ? "yes" : "",
      ]),
    ),
    "In Airflow's API shapes `cancelled` is `failed` with the end reason `cancelled`, and `cancelling` is " +
      "`running`.",
    diagram(),
    table(["from", "what happens", "to"], moves()),
    "## DAG runs",
    table(
      ["state", "meaning", "ended"],
      runStates.map((
        state,
      ) => [code(state), runMeanings[state], isRunFinished(state) ? "yes" : ""]),
    ),
    `A run's type says why it exists: ${runTypes.map(code).join(", ")}.`,
    "The tasks that nothing follows decide how a run ends. Teardowns are left out of this as if they were " +
      "not there, unless their `onFailureFailDagRun` is set; in a DAG of teardowns alone the last of them decide.",
    "## End reasons",
    "Why an attempt ended; the same word in log, API and metrics.",
    table(["end reason", "meaning", "uses up a retry"], reasons()),
    "## Trigger rules",
    "Which ends of its direct upstream tasks let a task run. A task without upstreams runs at once. " +
      "`failed` covers cancelled ones.",
    table(
      ["rule", "runs when", "ends without running when"],
      triggerRules.map((rule) => [code(rule), ...ruleMeanings[rule]]),
    ),
    "A setup serves all tasks after it, or, where teardowns come right after it, those that lie before one of " +
      "them. Before its own rule, a task asks the setups that serve it from further up: one that failed makes it " +
      "`upstream_failed`, one that was skipped `skipped`, and it does not start until all of them have " +
      "succeeded. Teardowns, tasks without upstreams and those with `always` do not ask.",
  );
}

function moves(): string[][] {
  return taskStates.flatMap((from) =>
    Object.entries(taskTransitions[from]).map(([event, to]) => [
      code(from),
      `${code(event)}: ${eventMeanings[event as TaskEvent]}`,
      code(to),
    ])
  );
}

/** States of a task instance that waits; they share the ways to end without running. */
const waiting = taskStates.filter((state) => taskTransitions[state].schedule !== undefined);

/** The picture shows the way of an attempt; what would make it unreadable is said below it. */
function diagram(): string {
  const labels = new Map<string, string[]>();
  for (const from of taskStates) {
    for (const [event, to] of Object.entries(taskTransitions[from])) {
      if (from === to || isLeftOut(from, event)) continue;
      const edge = `${from} --> ${to}`;
      labels.set(edge, [...labels.get(edge) ?? [], event]);
    }
  }
  const edges = [...labels].map(([edge, events]) => `  ${edge}: ${events.join(", ")}`);
  const shared = Object.entries(taskTransitions.none)
    .filter(([event]) => isLeftOut("none", event) && event !== "clear" && !isByHand(event));
  return fence("mermaid", ["stateDiagram-v2", "  [*] --> none", ...edges].join("\n")) +
    "\n\nLeft out of the picture: people set `success`, `failed` and `skipped` from everywhere but " +
    "`removed`, over `cancelling` where it runs; `clear` leads back to `none`, and from ended states " +
    "`remove` to " +
    `\`removed\`; ${waiting.map(code).join(", ")} can end without running (${
      shared.map(([event, to]) => `${event} → ${to}`).join(", ")
    }).`;
}

function isLeftOut(from: TaskState, event: string): boolean {
  if (finishedTaskStates.has(from) || event === "clear" || isByHand(event)) return true;
  return waiting.includes(from) && event !== "schedule" && event in taskTransitions.none;
}

function isByHand(event: string): boolean {
  return event.startsWith("set_");
}

function reasons(): string[][] {
  const failing = new Set<EndReason>([...retryableReasons, "permission"]);
  return (Object.keys(endReasons) as EndReason[]).map((reason) => [
    code(reason),
    endReasons[reason],
    failing.has(reason)
      ? "yes"
      : infrastructureReasons.has(reason)
      ? "no: it is not its fault"
      : "",
  ]);
}
