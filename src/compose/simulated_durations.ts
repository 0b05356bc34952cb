/** @module How long simulated tasks take: as told, as they took before, or a minute. */
import type { RestClient } from "../cli/client.ts";
import { AppError } from "../model/errors.ts";
import type { DagSpec } from "../model/dag_spec.ts";

/** How long tasks take. */
export interface Durations {
  of(dagId: string, taskId: string): number;
  /** What they go by, for people. */
  text(dagId: string): string;
}

/** Median milliseconds that tasks took, by DAG and task. */
export type History = ReadonlyMap<string, ReadonlyMap<string, number>>;

const DEFAULT_MS = 60_000;
/** Task instances of one DAG that are looked at. */
const HISTORY_MAX = 1_000;
const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `5m`, `1h30m` as milliseconds; throws INVALID. */
export function readDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)];
  if (text !== "" && parts.map(([whole]) => whole).join("") === text) {
    return parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit], 0);
  }
  throw new AppError("INVALID", `Cannot use --duration ${text}: give 90s, 5m, 1h30m or task=5m`);
}

/** From `5m` (all tasks) and `load=20m` (one); over what was; over a minute. */
export function durationsOf(
  specs: readonly DagSpec[],
  given: readonly string[],
  past: History | null,
): Durations {
  const told = new Map<string, number>();
  let all: number | null = null;
  for (const text of given) {
    const [value, task] = text.split("=").reverse();
    if (task === undefined) all = readDuration(value);
    else told.set(task, readDuration(value));
  }
  const known = new Set(specs.flatMap(({ tasks }) => tasks.map(({ taskId }) => taskId)));
  const unknown = [...told.keys()].find((task) => !known.has(task));
  if (unknown !== undefined) {
    throw new AppError(
      "INVALID",
      `Cannot use --duration ${unknown}=…: there is no such task; there are ${
        [...known].join(", ")
      }`,
    );
  }
  return {
    of: (dagId, taskId) => told.get(taskId) ?? past?.get(dagId)?.get(taskId) ?? all ?? DEFAULT_MS,
    text: (dagId) => {
      const count = past?.get(dagId)?.size ?? 0;
      const rest = all === null ? "1m" : spanOf(all);
      return count > 0 ? `what it took before (${count} tasks), others ${rest}` : rest +
        (told.size > 0
          ? `, ${[...told].map(([task, ms]) => `${task} ${spanOf(ms)}`).join(", ")}`
          : "");
    },
  };
}

function spanOf(ms: number): string {
  const [name, size] = Object.entries(units).toReversed().find(([, size]) => ms % size === 0) ??
    ["s", 1000];
  return `${ms / size}${name}`;
}

/** The medians of the last successes, as the service has them. */
export async function historyOf(api: RestClient, specs: readonly DagSpec[]): Promise<History> {
  interface Page {
    task_instances: { task_id: string; duration: number | null }[];
  }
  const found = await Promise.all(specs.map(async ({ dagId }) => {
    const path = `/api/v2/dags/${encodeURIComponent(dagId)}/dagRuns/~/taskInstances`;
    const page = await api.get<Page>(path, {
      state: "success",
      order_by: "-start_date",
      limit: HISTORY_MAX,
    });
    const byTask = Map.groupBy(page.task_instances, ({ task_id }) => task_id);
    return [
      dagId,
      new Map([...byTask].map(([taskId, rows]) => [
        taskId,
        median(rows.map(({ duration }) => (duration ?? 0) * 1000)),
      ])),
    ] as const;
  }));
  return new Map(found);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
