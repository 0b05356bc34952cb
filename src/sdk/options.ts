/** @module What every task can be told, whoever made its operator. */
import type { PermissionsSpec, TriggerRule, WeightRule } from "../model/dag_spec.ts";
import type { TaskCallbackOptions } from "./callbacks.ts";
import type { DeadlineOption } from "./deadlines.ts";
import type { Bytes, Duration } from "./duration.ts";
import type { TaskRef } from "./ref.ts";
import type { RetryRuleOption } from "./retry_rules.ts";
import type { TeardownOptions } from "./setup_teardown.ts";

/** Settings that a DAG or a group gives to all of its tasks, and that a task can override. */
export interface TaskDefaults extends TaskCallbackOptions {
  /** Attempts after the first; 0. */
  retries?: number;
  /** Wait before the first retry; 5 minutes. */
  retryDelay?: Duration;
  /** Longest wait before a retry; 24 hours. */
  retryDelayMax?: Duration;
  /** How the wait grows: `fixed` (default), `linear`, or `exponential` with full jitter. */
  backoff?: "fixed" | "linear" | "exponential";
  /** By kind of failure, the first that fits: try again, or not; without one that fits as ever. */
  retryPolicy?: readonly RetryRuleOption[];
  /** Longest an attempt may run; null (default): no limit. */
  timeout?: Duration | null;
  /** The pool whose slots it takes; `default_pool`. */
  pool?: string;
  /** Slots that it takes; 1. */
  poolSlots?: number;
  /** Its own weight, to which `weightRule` adds others. Higher goes first; 1. */
  priority?: number;
  /** Whose weights are added: of all tasks `downstream` (default), `upstream`, or `absolute`: none. */
  weightRule?: WeightRule;
  /** Its instances at work at one time, over all runs of the DAG; null (default): no limit. */
  maxActiveTisPerDag?: number | null;
  /** Its instances at work at one time in one run: how wide a mapped task goes. */
  maxActiveTisPerDagrun?: number | null;
  /** Wait until the task succeeded or was skipped in the run of the logical date before. */
  dependsOnPast?: boolean;
  /** As `dependsOnPast`, and wait for the tasks right after it in that run too. */
  waitForDownstream?: boolean;
  /** Wait in the same way also before it is skipped, so that the order of runs holds. */
  waitForPastDependsBeforeSkipping?: boolean;
  /** Workers of this queue run it; `default`. */
  queue?: string;
  /** `warm` (default): a process that ran before, never for other code; `fresh`: a new one. */
  isolation?: "warm" | "fresh";
  /** Resident memory at which its process is killed; 1 GiB. */
  memory?: Bytes;
}

/** Settings of one task; every operator takes them beside its own parameters. */
export interface TaskOptions extends TaskDefaults {
  /** Unique within the DAG; letters, digits, `_`, `-` and `.`. Groups put theirs in front. */
  id: string;
  /** What it is for, in Markdown. */
  doc?: string;
  /** Tasks to wait for that give it no data. */
  after?: TaskRef | readonly TaskRef[];
  /** Which ends of its upstream tasks let it run; `all_success`. */
  triggerRule?: TriggerRule;
  /**
   * It prepares something for tasks after it: they run only if it succeeded, also those further
   * down. A task that a teardown names is one without this.
   */
  setup?: boolean;
  /**
   * It cleans up what its setups prepared. It runs once all tasks before it have ended, however they
   * did, if one of its setups succeeded; also in a run that was cancelled.
   */
  teardown?: TeardownOptions;
  /** When it must have succeeded (or was skipped) in each run; a mapped one: all of its instances. */
  deadlines?: readonly DeadlineOption[];
  /** Connections that it may read, beside those that its parameters name. */
  connections?: readonly string[];
  /** What its process may do, beside what its operator needs; nothing else is allowed. */
  permissions?: Partial<PermissionsSpec>;
}

/** Names that no parameter and no input of an operator can have. */
export const reservedNames: ReadonlySet<string> = new Set(
  [
    "id",
    "doc",
    "after",
    "triggerRule",
    "setup",
    "teardown",
    "deadlines",
    "connections",
    "permissions",
    "retries",
    "retryDelay",
    "retryDelayMax",
    "backoff",
    "retryPolicy",
    "timeout",
    "pool",
    "poolSlots",
    "priority",
    "weightRule",
    "maxActiveTisPerDag",
    "maxActiveTisPerDagrun",
    "dependsOnPast",
    "waitForDownstream",
    "waitForPastDependsBeforeSkipping",
    "queue",
    "isolation",
    "memory",
    "onSuccess",
    "onFailure",
    "onRetry",
    "onSkipped",
  ] satisfies (keyof TaskOptions)[],
);
