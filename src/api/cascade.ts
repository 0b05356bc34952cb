/**
 * @module Cascades: which DAGs, and which dates of them, follow from dates of one DAG.
 *
 * A DAG is below another when its schedule names a dataset of it, or when lineage tells that it has
 * read what that one published. Of one that datasets start, the partitions follow that these dates
 * publish. Of one with a schedule of its own, the dates whose runs have read what is about to be made
 * anew; where something above has no reader on record, those whose data interval overlaps with it.
 */
import { dependsOnPast } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";
import { findRunsByDate } from "../store/backfill.ts";
import type { PlannedDate } from "../store/backfill_port.ts";
import type { CascadeNeed } from "../store/backfill_cascade.ts";
import {
  type DownstreamDag,
  findDownstreamDags,
  findPublished,
  findReadingRuns,
} from "../store/downstream_query.ts";
import { isPeriodic } from "../timetable/mod.ts";
import {
  type Affected,
  type Below,
  datesBelow,
  partitionsBelow,
  unitsOfDates,
  unitsOfPartitions,
} from "./cascade_units.ts";
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
  /** Of `events`: what it is started for; "": it goes by no partitions. */
  partitions: string[];
  upstream: { dagId: string; datasets: string[] }[];
  /** What each of its dates and partitions waits for, by the DAG. */
  needs: (Omit<CascadeNeed, "upstream"> & { upstream: { dagId: string; unit: string } })[];
  dependsOnPast: boolean;
}

/** DAGs of one cascade. */
const DAGS_MAX = 500;

/** The DAGs below dates of a DAG; throws INVALID where they feed each other. */
export async function planCascade(
  rest: Rest,
  dagId: string,
  dates: readonly PlannedDate[],
): Promise<CascadeNode[]> {
  const edges = await edgesBelow(rest, dagId);
  const order = inOrder(dagId, edges);
  const affected = new Map([[dagId, await affectedDates(rest, dagId, dates)]]);
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

async function affectedDates(
  rest: Rest,
  dagId: string,
  dates: readonly PlannedDate[],
): Promise<Affected> {
  const [{ spec }, runs] = await Promise.all([
    requireDag(rest, dagId),
    findRunsByDate(rest.sql, { dagId, dates: dates.map((date) => date.logicalDate) }),
  ]);
  return unitsOfDates(spec, dates, (date) => runs.get(date.logicalDate.getTime())?.id);
}

async function nodeOf(
  rest: Rest,
  dagId: string,
  above: readonly DownstreamDag[],
  affected: ReadonlyMap<string, Affected>,
): Promise<{ node: Omit<CascadeNode, "depth">; what: Affected | null }> {
  const dag = await requireDag(rest, dagId);
  const version = await rest.versions.get(dag.versionId);
  const empty = {
    ...{ dagId, why: null, dates: [], partitions: [], needs: [] },
    upstream: above.map(({ fromDag, datasets }) => ({ dagId: fromDag, datasets })),
    dependsOnPast: version.spec.tasks.some(dependsOnPast),
  };
  const below: Below[] = [];
  for (const { fromDag, datasets } of above) {
    const from = affected.get(fromDag)!;
    const dagRunIds = [...from.unitOf.keys()];
    below.push({
      ...{ fromDag, from },
      reading: await findReadingRuns(rest.sql, { dagRunIds, toDag: dagId }),
      published: await findPublished(rest.sql, { dagRunIds, datasets }),
    });
  }
  const runs = below.flatMap(({ reading }) => [...reading]);
  if (dag.spec.schedule.kind === "datasets") {
    const { partitions, needs } = partitionsBelow(dag.spec.schedule, below);
    return {
      node: { ...empty, kind: "events", partitions, needs },
      what: unitsOfPartitions(dag.spec, partitions, runs),
    };
  }
  const refuse = (why: string) => ({
    node: { ...empty, kind: "left out" as const, why },
    what: null,
  });
  if (!isPeriodic(dag.spec.schedule)) {
    return refuse("its schedule has no data intervals; start it by hand");
  }
  const { dates, needs } = datesBelow(dag, below, rest.clock.now());
  if (dates.length === 0) return refuse("no date of it has read, or overlaps with, what is run");
  return {
    node: { ...empty, kind: "dates", dates, needs },
    what: await affectedDates(rest, dagId, dates),
  };
}
