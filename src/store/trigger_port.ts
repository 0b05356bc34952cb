/** @module The engine's store as instances see it that wait for a trigger or a person. */
import type { Question, Reply, Resumption, TriggerSpec } from "../model/trigger.ts";

/** What an instance waits for, that has given its slot up. */
export interface Parked {
  /** Exactly one of the two. */
  trigger?: TriggerSpec;
  question?: Question;
  /** What it is resumed with if nothing happens before `nextTryAt`. */
  timeout: Resumption;
}

/** A trigger that somebody must look at. `attemptId` is the attempt that deferred: its fence. */
export interface Trigger {
  taskInstanceId: string;
  attemptId: string;
  spec: TriggerSpec;
}

/** A trigger that has fired. */
export interface FiredTrigger {
  taskInstanceId: string;
  attemptId: string;
  event: Resumption["event"];
}

/** Something that triggers wait for, as it stands. */
export interface Seen {
  /** Null: there is no such dataset partition, run or task instance yet. */
  found: {
    /** Of a run or task: the run's id, so that a hint of its end can be told. */
    dagRunId?: string;
    /** Of a dataset: its newest version; of a run or task: its state. */
    event: Record<string, Resumption["event"]>;
  } | null;
}

/** Kinds of triggers that the store can answer. */
export type StoredTrigger = Extract<TriggerSpec, { kind: "dataset" | "run" | "task" }>;

/** The triggers service's part of the store. */
export interface TriggerStore {
  /** Become one that may claim triggers. */
  joinTriggers(claimant: string, now: Date): Promise<void>;
  /** Count a beat; null: it was taken for dead, and what it claimed is others' now. */
  beatTriggers(claimant: string): Promise<
    {
      /** How many triggers it holds. */
      claims: number;
      /** Beats of all others. */
      others: Map<string, number>;
    } | null
  >;
  /** Give back all that a claimant holds; `beats`: only if it is still at that beat. */
  leaveTriggers(claimant: string, beats: number | null): Promise<boolean>;
  /** Take up to `limit` triggers that nobody has; [] when the claimant was taken for dead. */
  claimTriggers(claimant: string, limit: number): Promise<Trigger[]>;
  /** What a claimant holds: instance and attempt. */
  heldTriggers(claimant: string): Promise<Pick<Trigger, "taskInstanceId" | "attemptId">[]>;
  /** Resume the instances that still wait for these, in the claimant's hands; which they are. */
  fireTriggers(claimant: string, fired: FiredTrigger[]): Promise<string[]>;
  /** Remove triggers for which nobody waits any more. */
  dropTriggers(): Promise<number>;
  /** How each of these stands; in their order. */
  lookAt(specs: StoredTrigger[]): Promise<Seen[]>;
}

/** A person's answer to the question of an instance. */
export interface Answer {
  taskInstanceId: string;
  reply: Reply;
}
