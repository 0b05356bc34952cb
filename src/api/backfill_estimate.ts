/** @module What a backfill would take, as far as the DAG's own history tells: time and requests. */
import { type RequestHistory, requestHistory, runHistory } from "../store/backfill.ts";
import type { CachedVersion } from "./execution/versions.ts";
import type { Rest } from "./rest.ts";

/** Time, requests and cost of so many runs; null with the reason where nothing tells. */
export interface BackfillEstimate {
  seconds: number | null;
  medianRunSeconds: number | null;
  fromRuns: number;
  concurrency: number;
  why: string | null;
  requests: {
    source: string;
    tasks: string[];
    requests: number | null;
    fromRuns: number;
    why: string | null;
  }[];
  cost: null;
  costWhy: string;
}

/** Estimate `count` runs, `maxActiveRuns` at a time. */
export async function estimateBackfill(
  rest: Rest,
  version: CachedVersion,
  { count, maxActiveRuns }: { count: number; maxActiveRuns: number },
): Promise<BackfillEstimate> {
  const sources = sourcesOf(version);
  const [history, requests] = await Promise.all([
    runHistory(rest.sql, version.dagId),
    requestHistory(rest.sql, version.dagId, [...sources.values()].flat()),
  ]);
  const concurrency = Math.max(1, Math.min(maxActiveRuns, count));
  const { medianSeconds } = history;
  return {
    seconds: medianSeconds === null ? null : medianSeconds * Math.ceil(count / concurrency),
    medianRunSeconds: medianSeconds,
    fromRuns: history.runs,
    concurrency,
    why: medianSeconds === null ? "no run of the DAG has succeeded yet" : null,
    requests: [...sources].map(([source, tasks]) => requestsOf(source, tasks, requests, count)),
    cost: null,
    costWhy: "no source of the DAG declares a price",
  };
}

function requestsOf(
  source: string,
  tasks: string[],
  history: readonly RequestHistory[],
  count: number,
): BackfillEstimate["requests"][number] {
  const known = history.filter((each) => tasks.includes(each.taskId));
  const unknown = tasks.filter((task) => !known.some((each) => each.taskId === task));
  const fromRuns = known.length === 0 ? 0 : Math.min(...known.map((each) => each.runs));
  if (unknown.length > 0) {
    const why = `no successful run has counted the requests of ${unknown.join(", ")}`;
    return { source, tasks, requests: null, fromRuns, why };
  }
  const perRun = known.reduce((sum, each) => sum + each.medianRequests, 0);
  return { source, tasks, requests: Math.round(perRun * count), fromRuns, why: null };
}

/** Tasks that collect from a source, by its name as the DAG declares it. */
function sourcesOf({ spec }: CachedVersion): Map<string, string[]> {
  const sources = new Map<string, string[]>();
  for (const { taskId, operator, params } of spec.tasks) {
    if (!operator.startsWith("collect.")) continue;
    const declared = (params as { source?: unknown } | null)?.source;
    const source = typeof declared === "string" ? declared : taskId;
    sources.set(source, [...sources.get(source) ?? [], taskId]);
  }
  return sources;
}
