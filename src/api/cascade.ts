/**
 * @module Cascades: which DAGs, and which dates of them, follow from dates of one DAG.
 *
 * A DAG is below another when its schedule names a dataset of it, or when lineage tells that it has
 * read what that one published. One that datasets start runs by itself when they are published anew.
 * Of one with a schedule of its own, the dates whose runs have read what is about to be made anew run
 * again; where a date above has no reader on record, those whose data interval overlaps with it.
 */
import { limits } from "../base/limits.ts";
import { dependsOnPast } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";
import { findRunsByDate } from "../store/backfill.ts";
import type { PlannedDate } from "../store/backfill_port.ts";
import type { DagRow } from "../store/dag_query.ts";
import {
  type DownstreamDag,
  findDownstreamDags,
  findReadingRuns,
  type ReadingRun,
} from "../store/downstream_query.ts";
import { isPeriodic, runsBetween } from "../timetable/mod.ts";
import { requireDag, type Rest } from "./rest.ts";

/** One DAG of a cascade; the list has each after those that it waits for. */
export interface CascadeNode {
  dagId: string;
  /** `events`: its runs are started by what the DAGs above publish. */
  kind: "dates" | "events" | "left out";
  /** Why it is left out. */
  why: string | null;
  depth: number;
  dates: PlannedDate[];
  upstream: { dagId: string; datasets: string[] }[];
  dependsOnPast: boolean;
}

/** DAGs of one cascade. */
const DAGS_MAX = 500;
/** How far before a date another DAG's interval may begin that overlaps with it. */
const LOOK_BACK_MS = 370 * 86_400_000;

/** What of a DAG is made anew: its dates, and the runs that it has for them. */
interface Affected {
  dates: readonly PlannedDate[];
  runIds: string[];
  /** Run → its date. */
  dateOf: ReadonlyMap<string, PlannedDate>;
}

/** The DAGs below dates of a DAG; throws INVALID where they feed each other. */
export async function planCascade(
  rest: Rest,
  dagId: string,
  dates: readonly PlannedDate[],
): Promise<CascadeNode[]> {
  const edges = await edgesBelow(rest, dagId);
  const order = inOrder(dagId, edges);
  const affected = new Map([[dagId, await affectedBy(rest, dagId, dates)]]);
  const depths = new Map([[dagId, 0]]);
  const nodes: CascadeNode[] = [];
  for (const toDag of order.slice(1)) {
    const above = edges.filter((edge) => edge.toDag === toDag && affected.has(edge.fromDag));
    if (above.length === 0) continue;
    const depth = 1 + Math.max(...above.map((edge) => depths.get(edge.fromDag)!));
    const { node, what } = await nodeOf(rest, toDag, above, affected);
    nodes.push({ ...node, depth });
    if (!what) continue;
    depths.set(toDag, depth);
    affected.set(toDag, what);
  }
  return nodes;
}

async function edgesBelow(rest: Rest, dagId: string): Promise<DownstreamDag[]> {
  const edges: DownstreamDag[] = [];
  const seen = new Set([dagId]);
  for (let frontier = [dagId]; frontier.length > 0;) {
    const found = await findDownstreamDags(rest.sql, frontier);
    edges.push(...found);
    frontier = [...new Set(found.map((edge) => edge.toDag))].filter((id) => !seen.has(id));
    for (const id of frontier) seen.add(id);
    if (seen.size > DAGS_MAX) {
      throw new AppError(
        "INVALID",
        `Cannot cascade from DAG "${dagId}": more than ${DAGS_MAX} DAGs are below it`,
      );
    }
  }
  return edges;
}

/** DAGs in topological order, by name where that is open. */
function inOrder(dagId: string, edges: readonly DownstreamDag[]): string[] {
  const all = new Set([dagId, ...edges.map((edge) => edge.toDag)]);
  const order: string[] = [];
  while (order.length < all.size) {
    const done = new Set(order);
    const next = [...all].filter((id) =>
      !done.has(id) && edges.every((edge) => edge.toDag !== id || done.has(edge.fromDag))
    ).sort();
    if (next.length === 0) {
      const rest = [...all].filter((id) => !done.has(id)).sort();
      throw new AppError(
        "INVALID",
        `Cannot cascade from DAG "${dagId}": ${rest.join(", ")} read each other's datasets, so ` +
          "there is no order; backfill them one by one",
      );
    }
    order.push(...next);
  }
  return order;
}

async function affectedBy(
  rest: Rest,
  dagId: string,
  dates: readonly PlannedDate[],
): Promise<Affected> {
  const runs = await findRunsByDate(rest.sql, {
    dagId,
    dates: dates.map((date) => date.logicalDate),
  });
  const dateOf = new Map<string, PlannedDate>();
  for (const date of dates) {
    const run = runs.get(date.logicalDate.getTime());
    if (run) dateOf.set(run.id, date);
  }
  return { dates, runIds: [...dateOf.keys()], dateOf };
}

async function nodeOf(
  rest: Rest,
  dagId: string,
  above: readonly DownstreamDag[],
  affected: ReadonlyMap<string, Affected>,
): Promise<{ node: Omit<CascadeNode, "depth">; what: Affected | null }> {
  const dag = await requireDag(rest, dagId);
  const version = await rest.versions.get(dag.versionId);
  const upstream = above.map(({ fromDag, datasets }) => ({ dagId: fromDag, datasets }));
  const node = {
    ...{ dagId, upstream, why: null, dates: [] },
    dependsOnPast: version.spec.tasks.some(dependsOnPast),
  };
  const reading = new Map<string, ReadingRun[]>();
  for (const { fromDag } of above) {
    const dagRunIds = affected.get(fromDag)!.runIds;
    reading.set(fromDag, await findReadingRuns(rest.sql, { dagRunIds, toDag: dagId }));
  }
  if (dag.spec.schedule.kind === "datasets") {
    const runIds = [...new Set([...reading.values()].flat().map((run) => run.id))];
    return {
      node: { ...node, kind: "events" },
      what: { dates: [], runIds, dateOf: new Map() },
    };
  }
  const refuse = (why: string) => ({
    node: { ...node, kind: "left out" as const, why },
    what: null,
  });
  if (!isPeriodic(dag.spec.schedule)) {
    return refuse("its schedule has no data intervals; start it by hand");
  }
  const dates = datesOf(dag, above, { affected, reading, now: rest.clock.now() });
  if (dates.length === 0) return refuse("no date of it has read, or overlaps with, what is run");
  return { node: { ...node, kind: "dates", dates }, what: await affectedBy(rest, dagId, dates) };
}

/** Dates of a DAG with a schedule of its own that follow from what is affected above it. */
function datesOf(
  dag: DagRow,
  above: readonly DownstreamDag[],
  { affected, reading, now }: {
    affected: ReadonlyMap<string, Affected>;
    reading: ReadonlyMap<string, ReadingRun[]>;
    now: Date;
  },
): PlannedDate[] {
  const wantedMs = new Set<number>();
  const unread: PlannedDate[] = [];
  for (const { fromDag } of above) {
    const { dates, dateOf } = affected.get(fromDag)!;
    const read = new Set<PlannedDate>();
    for (const run of reading.get(fromDag)!) {
      if (run.logicalDate) wantedMs.add(run.logicalDate.getTime());
      for (const id of run.from) if (dateOf.has(id)) read.add(dateOf.get(id)!);
    }
    unread.push(...dates.filter((date) => !read.has(date)));
  }
  const edges = [
    ...wantedMs,
    ...unread.flatMap(({ interval }) => [+interval.start, +interval.end]),
  ];
  if (edges.length === 0) return [];
  const { schedule, start, end } = dag.spec;
  const from = new Date(edges.reduce((least, ms) => Math.min(least, ms)) - LOOK_BACK_MS);
  const to = new Date(edges.reduce((most, ms) => Math.max(most, ms)));
  const overlaps = overlapOf(unread);
  const found: PlannedDate[] = [];
  const bounds = { start: start ? new Date(start) : null, end: end ? new Date(end) : null };
  for (const date of runsBetween(schedule, { from, to, ...bounds, now })) {
    if (!wantedMs.has(date.logicalDate.getTime()) && !overlaps(date)) continue;
    found.push(date);
    if (found.length <= limits.backfillDates) continue;
    throw new AppError(
      "INVALID",
      `Cannot cascade to DAG "${dag.dagId}": more than ${limits.backfillDates} dates of it follow`,
    );
  }
  return found;
}

/** Does an interval overlap with one of these? They are looked through in their order. */
function overlapOf(dates: readonly PlannedDate[]): (date: PlannedDate) => boolean {
  const sorted = dates.map(({ interval }) => interval).sort((a, b) => +a.start - +b.start);
  let first = 0;
  return ({ interval: { start, end } }) => {
    while (first < sorted.length && +sorted[first].end <= +start && !isAt(sorted[first], start)) {
      first++;
    }
    const next = sorted[first];
    return next !== undefined && (+next.start < +end || isAt(next, start));
  };
}

/** An empty interval is the instant that it starts at. */
function isAt({ start, end }: PlannedDate["interval"], at: Date): boolean {
  return +start === +at && +end === +at;
}
