/** @module The scheduler's part of the trace of a run. */
import type { SpanAttributes, Tracer } from "../metrics/trace.ts";
import type { TaskState } from "../model/task_state.ts";
import type { Run } from "./instance.ts";
import type { Pass } from "./pass.ts";

/** Runs of one pass that get a span of it; a pass that moves more is not what a trace is read for. */
const RUNS_MAX = 256;

/** Write a pass inside a span in the trace of each run that it moves; `tracer` off: just write. */
export function tracePass<T>(
  tracer: Tracer,
  pass: Pass,
  write: () => Promise<T>,
): Promise<T> {
  if (!tracer.enabled) return write();
  let traced = write;
  for (const [run, attributes] of movedRuns(pass)) {
    const inner = traced;
    traced = () => tracer.span("scheduler.pass", attributes, run.row.traceParent, inner);
  }
  return traced();
}

/** A pass moves an instance to `running` only with a new attempt. */
function startsAttempt(state: TaskState): boolean {
  return state === "queued" || state === "running";
}

function movedRuns({ moved, movedRuns }: Pass): Map<Run, SpanAttributes> {
  const queued = new Map<Run, number>(movedRuns.map((run) => [run, 0]));
  for (const { task: { run }, state } of moved) {
    queued.set(run, (queued.get(run) ?? 0) + (startsAttempt(state) ? 1 : 0));
  }
  return new Map(
    [...queued].slice(0, RUNS_MAX).map(([run, count]) => [run, {
      "tidewheel.dag_id": run.row.dagId,
      "tidewheel.run_id": run.row.runId,
      "tidewheel.run_state": run.state,
      "tidewheel.queued": count,
    }]),
  );
}
