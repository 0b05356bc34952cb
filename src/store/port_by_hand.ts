/** @module What people do to task instances, as part of the engine's store. */
import type { DagSpec } from "../model/dag_spec.ts";
import type { HandState } from "../model/task_state.ts";

/** Instances of one run to run again. */
export interface RunClear {
  dagRunId: string;
  /** Its instances; others are left out. */
  ids: string[];
  /** Re-run on that version, else as it was. */
  dagVersionId?: string;
  /** Of the version that it runs on from then on. */
  spec: DagSpec;
  /** The instances start without a look at what comes before them. */
  force?: boolean;
}

/** A state that somebody gives to instances. */
export interface HandSet {
  ids: string[];
  to: HandState;
  /** Who says so; kept with the attempts that it ends. */
  by: string;
  /** Kept with the instances; left out: the note that they have. */
  note?: string;
  /** Instances to run again in the same transaction. */
  clears?: RunClear[];
}

/** The part of the engine's store for people. */
export interface ByHandStore {
  /** {@link clearRuns} of one run. */
  clearTasks(
    dagRunId: string,
    taskInstanceIds: string[],
    options: Pick<RunClear, "dagVersionId" | "spec" | "force">,
    now: Date,
  ): Promise<void>;
  /**
   * Finished → none with a new budget of tries; running → cancelling, then none. The runs become
   * queued again, also those under way. All of them, or none.
   */
  clearRuns(clears: RunClear[], now: Date): Promise<void>;
  /**
   * Give instances a state by hand; those that have it already stay. What runs is cancelling first and
   * has it when its process is gone: nothing that its attempt then says is kept. Their runs are
   * queued again, so that they go on, or end, as their tasks say now.
   */
  setTasks(set: HandSet, now: Date): Promise<void>;
}
