/** @module Schedules of datasets: a run when what it needs is published. */
import type { PartitionSpec, RollupSpan } from "../model/schedule_spec.ts";
import { rollupSpans } from "../model/schedule_spec.ts";
import { type CalendarOption, calendarsOf } from "./calendar.ts";
import { type Schedule, scheduleBrand } from "./schedule.ts";

/** A dataset, or several of which all or any are needed. */
export type DatasetCondition =
  | string
  | { all: readonly DatasetCondition[] }
  | { any: readonly DatasetCondition[] };

/** Ways in which a condition can be met, at most. */
const WAYS_MAX = 100;

/** Of a partition of a dataset: to which run it belongs. Made by {@link each}, {@link rollup}. */
export interface PartitionMapper {
  readonly spec: PartitionSpec;
}

/** How {@link onDatasets} makes runs. */
export interface OnDatasetsOptions {
  /** A run for each partition; without it a run takes whatever was published. */
  partition: PartitionMapper;
}

/**
 * A run for each partition that is published, with the same key: the session of 5 January starts the
 * run of 5 January.
 */
export function each(): PartitionMapper {
  return { spec: { kind: "each" } };
}

/**
 * A run for a week (`2026-W01`), month (`2026-01`), quarter (`2026-Q1`) or year, once all of its
 * days are there: those on which `sessions` has a session, or every day. Partitions must be dates.
 * Or a run for each of a few named groups of partitions: `rollup({ europe: ["XETR", "XPAR"] })`.
 *
 * A partition published again after its run makes one more run. To run an incomplete one, trigger
 * the DAG with that partition by hand.
 */
export function rollup(over: RollupSpan, options?: { sessions?: CalendarOption }): PartitionMapper;
export function rollup(groups: Readonly<Record<string, readonly string[]>>): PartitionMapper;
export function rollup(
  over: RollupSpan | Readonly<Record<string, readonly string[]>>,
  { sessions }: { sessions?: CalendarOption } = {},
): PartitionMapper {
  if (typeof over !== "string") return { spec: { kind: "groups", groups: groupsOf(over) } };
  if (!rollupSpans.includes(over)) {
    throw new RangeError(
      `rollup() is over ${JSON.stringify(over)}; give one of ${rollupSpans.join(", ")}, or groups`,
    );
  }
  if (sessions === undefined) return { spec: { kind: "rollup", over, sessions: null } };
  const { names: [name], own } = calendarsOf(sessions, "rollup()");
  return { spec: { kind: "rollup", over, sessions: name, ...(own ? { own } : {}) } };
}

function groupsOf(given: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  const groups = Object.entries(given);
  if (groups.length === 0) throw new RangeError("rollup() has no group; name at least one");
  const groupOf = new Map<string, string>();
  for (const [group, keys] of groups) {
    if (keys.length === 0) {
      throw new RangeError(`rollup() has no partition in the group "${group}"; name at least one`);
    }
    for (const key of keys) {
      const other = groupOf.get(key);
      if (other !== undefined) {
        throw new RangeError(
          `rollup() has the partition "${key}" in the groups "${other}" and "${group}"; ` +
            `a partition belongs to one`,
        );
      }
      groupOf.set(key, group);
    }
  }
  return Object.fromEntries(groups.map(([group, keys]) => [group, [...keys].sort()]));
}

/**
 * A run whenever all of these datasets have been published since the run before:
 * `onDatasets("prices.daily", { any: ["fx.ecb", "fx.fed"] })`. A dataset published several times
 * meanwhile makes one run, which takes all of the events (`ctx.datasetEvents`). What is published
 * while the DAG is paused waits for it. Such a run has no logical date.
 *
 * With `{ partition: each() }` or `rollup(…)` last, runs are for partitions (`ctx.partition`), each
 * by itself: one is due when something of it was published and all that it needs is there, of all of
 * the datasets.
 *
 * Throws RangeError for a condition without a dataset, or with more than 100 ways to be met.
 */
export function onDatasets(
  ...given: readonly [...DatasetCondition[], OnDatasetsOptions] | readonly DatasetCondition[]
): Schedule {
  const last = given.at(-1);
  const options = typeof last === "object" && "partition" in last ? last : null;
  const conditions = (options ? given.slice(0, -1) : given) as readonly DatasetCondition[];
  const anyOf = sorted(waysOf({ all: conditions }));
  const datasets = [...new Set(anyOf.flat())].sort();
  if (options && !options.partition?.spec) {
    throw new RangeError("onDatasets() has a partition that is none; give each() or rollup(…)");
  }
  const partition = options ? { partition: options.partition.spec } : {};
  return {
    [scheduleBrand]: true,
    spec: () => ({ kind: "datasets", datasets, anyOf, ...partition }),
  };
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
