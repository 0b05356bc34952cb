/** @module Schedules of datasets: a run when what it needs is published. */
import { type Schedule, scheduleBrand } from "./schedule.ts";

/** A dataset, or several of which all or any are needed. */
export type DatasetCondition =
  | string
  | { all: readonly DatasetCondition[] }
  | { any: readonly DatasetCondition[] };

/** Ways in which a condition can be met, at most. */
const WAYS_MAX = 100;

/**
 * A run whenever all of these datasets have been published since the run before:
 * `onDatasets("prices.daily", { any: ["fx.ecb", "fx.fed"] })`. A dataset published several times
 * meanwhile makes one run, which takes all of the events (`ctx.datasetEvents`). What is published
 * while the DAG is paused waits for it. Such a run has no logical date.
 *
 * Throws RangeError for a condition without a dataset, or with more than 100 ways to be met.
 */
export function onDatasets(...conditions: readonly DatasetCondition[]): Schedule {
  const anyOf = sorted(waysOf({ all: conditions }));
  const datasets = [...new Set(anyOf.flat())].sort();
  return { [scheduleBrand]: true, spec: () => ({ kind: "datasets", datasets, anyOf }) };
}

/** All ways to meet a condition, each a list of datasets. */
function waysOf(condition: DatasetCondition): string[][] {
  if (typeof condition === "string") {
    if (condition.trim() === "") throw new RangeError("onDatasets() has an empty name");
    return [[condition]];
  }
  const isAll = "all" in condition;
  const of = isAll ? condition.all : condition.any;
  if (!Array.isArray(of) || of.length === 0) {
    throw new RangeError("onDatasets() has a condition without a dataset; name at least one");
  }
  const parts = of.map(waysOf);
  const ways = isAll
    ? parts.reduce((made, part) => part.flatMap((way) => made.map((one) => [...one, ...way])), [[]])
    : parts.flat();
  if (ways.length <= WAYS_MAX) return ways;
  throw new RangeError(
    `onDatasets() can be met in ${ways.length} ways, at most ${WAYS_MAX} can be; split the DAG`,
  );
}

/** Without repeats, in an order that does not depend on how it was written. */
function sorted(ways: string[][]): string[][] {
  const unique = new Map(
    ways.map((way) => [...new Set(way)].sort()).map((way) => [way.join("\n"), way]),
  );
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, way]) => way);
}
