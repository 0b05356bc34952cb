/** @module Waiting for a run: an answer at its end, or a line at each change until then. */
import { isRunFinished } from "../model/run_state.ts";
import { findRun } from "../store/dag_run_query.ts";
import type { DagRunRow } from "../store/dag_run_query.ts";
import { listOutputs } from "../store/task_instance_query.ts";
import type { Rest } from "./rest.ts";
import { iso } from "./views/dag.ts";

/** How to wait. */
export interface WaitOptions {
  /** Longest time between two looks; hints make it look at once. */
  intervalMs: number;
  /** Tasks whose outputs come with the end. */
  results: readonly string[];
  request: Request;
}

/** One line. */
interface WaitLine {
  state: DagRunRow["state"];
  dag_id: string;
  dag_run_id: string;
  start_date: string | null;
  end_date: string | null;
  results?: Record<string, unknown>;
}

/** A hint tells of a task's end; the run's own comes moments later, so look soon, then rarer. */
const FIRST_PAUSE_MS = 20;

/** NDJSON for those who accept it, else one JSON object once the run has ended. */
export function waitForRun(rest: Rest, run: DagRunRow, options: WaitOptions): Promise<Response> {
  const accept = options.request.headers.get("accept") ?? "";
  const isStream = accept.includes("application/x-ndjson") &&
    !accept.startsWith("application/json");
  return isStream ? streamed(rest, run, options) : answered(rest, run, options);
}

async function answered(rest: Rest, run: DagRunRow, options: WaitOptions): Promise<Response> {
  let last: WaitLine | null = null;
  const signal = AbortSignal.any([options.request.signal, rest.closing]);
  for await (const line of lines(rest, run, options, signal)) last = line;
  return new Response(JSON.stringify(last), {
    headers: { "content-type": "application/json; charset=utf-8" },
  });
}

function streamed(rest: Rest, run: DagRunRow, options: WaitOptions): Promise<Response> {
  const gone = new AbortController();
  const encoder = new TextEncoder();
  const signal = AbortSignal.any([gone.signal, options.request.signal, rest.closing]);
  const source = lines(rest, run, options, signal);
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await source.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(JSON.stringify(value) + "\n"));
    },
    cancel() {
      gone.abort();
    },
  });
  const headers = { "content-type": "application/x-ndjson", "cache-control": "no-store" };
  return Promise.resolve(new Response(body, { headers }));
}

/** A line at first and at each change of state, until the end or until nobody listens. */
async function* lines(
  rest: Rest,
  run: DagRunRow,
  { intervalMs, results }: WaitOptions,
  signal: AbortSignal,
): AsyncGenerator<WaitLine> {
  let wake = () => {};
  const subscription = await rest.store.listen((hint) => {
    if (hint.topic === "runs" && (hint.ids.length === 0 || hint.ids.includes(run.id))) wake();
  });
  try {
    let shown: WaitLine | null = null;
    let pauseMs = FIRST_PAUSE_MS;
    do {
      const woken = new AbortController();
      wake = () => {
        pauseMs = FIRST_PAUSE_MS;
        woken.abort();
      };
      const now = await findRun(rest.sql, { dagId: run.dagId, runId: run.runId });
      if (!now) return;
      if (shown?.state !== now.state) {
        shown = lineOf(now);
        if (isRunFinished(now.state) && results.length > 0) {
          shown.results = await resultsOf(rest, now, results);
        }
        yield shown;
      }
      if (isRunFinished(now.state)) return;
      const sleepMs = Math.min(intervalMs, pauseMs);
      pauseMs *= 2;
      await rest.clock.sleep(sleepMs, { signal: AbortSignal.any([woken.signal, signal]) });
    } while (!signal.aborted);
  } finally {
    await subscription.stop();
  }
}

function lineOf(run: DagRunRow): WaitLine {
  return {
    state: run.state,
    dag_id: run.dagId,
    dag_run_id: run.runId,
    start_date: iso(run.startDate),
    end_date: iso(run.endDate),
  };
}

/** Outputs by task; of a mapped one the list by map_index. */
async function resultsOf(rest: Rest, run: DagRunRow, tasks: readonly string[]) {
  const found: Record<string, unknown> = {};
  for (const taskId of tasks) {
    const { items } = await listOutputs(
      rest.sql,
      { dagId: run.dagId, runId: run.runId, taskId },
      { limit: 1000, offset: 0, orderBy: [] },
    );
    const values = items.map((row) => row.outputKey ? { $object: row.outputKey } : row.output);
    found[taskId] = items.some((row) => row.mapIndex >= 0) ? values : values[0] ?? null;
  }
  return found;
}
