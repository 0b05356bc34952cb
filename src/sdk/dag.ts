/** @module Declares a DAG, and finds the DAGs of a module. */
import type { z } from "zod";
import type { DagSpec } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";
import { DagBuilder, type TaskNode } from "./builder.ts";
import type { DagCallbackOptions } from "./callbacks.ts";
import type { RunFacts } from "./context.ts";
import { buildSpec } from "./dag_spec.ts";
import type { DeadlineOption } from "./deadlines.ts";
import type { Duration } from "./duration.ts";
import type { TaskDefaults } from "./options.ts";
import type { BlackoutOption, CatchupOption, MaintenanceOption } from "./quiet_time.ts";
import type { ScheduleOption } from "./schedule.ts";
import { branch, type BranchMaker, task, type TaskMaker } from "./task.ts";

const dagBrand: unique symbol = Symbol.for("tidewheel.dag") as never;

/** Options of {@link dag}. */
export interface DagOptions<P extends z.ZodObject | undefined = undefined>
  extends DagCallbackOptions {
  /** Unique among all DAGs: 1 to 250 letters, digits, `_`, `-` and `.`. */
  id: string;
  /** One line for lists. */
  description?: string;
  /** Markdown for its page. */
  doc?: string;
  owner?: string;
  tags?: readonly string[];
  /** When runs are due; null: only by hand. */
  schedule: ScheduleOption;
  /** No interval begins before this; dates are read in `timezone`. */
  start?: string | Date;
  /** No interval begins after this. */
  end?: string | Date;
  /** Which intervals missed since `start` are made up for; false: only the newest. */
  catchup?: CatchupOption;
  /** Spread: each run starts up to so much later than it is due, always the same for one run. */
  jitter?: Duration;
  /** Windows of time, in `timezone`, in which no run starts. */
  maintenance?: readonly MaintenanceOption[];
  /** Dates, in `timezone`, on which no run is due. */
  blackout?: readonly BlackoutOption[];
  /** IANA zone of cron, `start`, `end` and of the interval's date; UTC. */
  timezone?: string;
  /** Runs at one time; 16. */
  maxActiveRuns?: number;
  /** Its tasks at one time, over all runs; 16. */
  maxActiveTasks?: number;
  /**
   * When a task fails for good, end everything unfinished of its run but teardowns: what waits is
   * skipped, what runs is cancelled, and the run fails. Its tasks can have no trigger rule but
   * `all_success`.
   */
  failFast?: boolean;
  /** Pause the DAG when so many of its newest runs have failed in a row; no limit. */
  maxConsecutiveFailedDagRuns?: number;
  /**
   * Whether runs that are cleared, or that a backfill runs again, do so on the DAG's newest version where
   * the request does not say. Left out: a clear on the version of the run, a backfill on the newest.
   */
  rerunWithLatestVersion?: boolean;
  /**
   * Retries that its tasks may have together: in one run, and in all runs within an hour. Failures
   * beyond them are not tried again. Clearing a run gives it its share anew.
   */
  retryBudget?: { perRun?: number; perHour?: number };
  /** When each run must have succeeded; one that has not is marked, and who asked is told. */
  deadlines?: readonly DeadlineOption[];
  /** What a run can be given. Without it conf may be any object. */
  params?: P;
  /** Settings for all of its tasks. */
  defaults?: TaskDefaults;
}

/** What `ctx.params` is. */
export type ParamsOf<P> = P extends z.ZodType ? z.output<P> : Record<string, unknown>;

/** `task`, `branch` and `fromRun` that know the type of the DAG's params. */
export interface DagAuthor<Params> {
  task: TaskMaker<Params>;
  branch: BranchMaker<Params>;
  /** A parameter from the facts of the run: `url: fromRun(({ params }) => params.url)`. */
  fromRun<T>(make: (facts: RunFacts<Params>) => T): (facts: RunFacts) => T;
}

/** A declared DAG. */
export interface Dag {
  readonly [dagBrand]: true;
  readonly id: string;
  /** Its description: canonical, the same for the same DAG. */
  readonly spec: DagSpec;
  /** The schema of its params; null when it declares none. */
  readonly params: z.ZodObject | null;
  /** What a task is made of; throws NOT_FOUND. */
  task(taskId: string): TaskNode;
}

/**
 * Declare a DAG. `declare` is called once, now, and declares the tasks; it must not be async.
 * Throws DAG_BROKEN, naming DAG and task, for what cannot be: a bad or repeated id, a cycle, a cron
 * string that is none, an end before the start, parameters that do not fit.
 *
 * @example
 * ```ts
 * import { dag, task } from "tidewheel";
 *
 * export default dag({ id: "hello", schedule: "@daily", start: "2026-01-01" }, () => {
 *   task({ id: "greet" }, (ctx) => `hello ${ctx.interval.date}`);
 * });
 * ```
 */
export function dag<P extends z.ZodObject | undefined = undefined>(
  options: DagOptions<P>,
  declare: (author: DagAuthor<ParamsOf<P>>) => void,
): Dag {
  const builder = new DagBuilder(options.id, options.defaults ?? {}, options.timezone);
  const author = { task, branch, fromRun: (make: unknown) => make };
  builder.fill(() => declare(author as unknown as DagAuthor<ParamsOf<P>>));
  const spec = buildSpec(options, builder);
  const nodes = new Map(spec.tasks.map((taskSpec) => {
    const node = builder.nodes.get(taskSpec.taskId)!;
    return [taskSpec.taskId, { ...node, spec: taskSpec }];
  }));
  return {
    [dagBrand]: true,
    id: spec.dagId,
    spec,
    params: options.params ?? null,
    task: (taskId) => found(nodes.get(taskId), spec.dagId, taskId),
  };
}

/** Is it a {@link Dag}, of whichever copy of this module? */
export function isDag(value: unknown): value is Dag {
  return typeof value === "object" && value !== null && dagBrand in value;
}

/**
 * All DAGs that a module exports: by default, by name, and in arrays; each once, by id. Throws
 * DAG_BROKEN when two of them have one id.
 */
export function dagsOf(module: Readonly<Record<string, unknown>>): Dag[] {
  const dags = new Map<string, Dag>();
  for (const name of Object.keys(module).sort()) {
    for (const value of [module[name]].flat()) {
      if (!isDag(value)) continue;
      if ((dags.get(value.id) ?? value) !== value) {
        throw new AppError(
          "DAG_BROKEN",
          `Cannot read the DAGs of a module: two of them have the id "${value.id}"`,
        );
      }
      dags.set(value.id, value);
    }
  }
  return [...dags.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function found(node: TaskNode | undefined, dagId: string, taskId: string): TaskNode {
  if (node) return node;
  throw new AppError("NOT_FOUND", `Cannot find task "${taskId}": DAG "${dagId}" has no such task`);
}
