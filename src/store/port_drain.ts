/** @module Draining, as part of the engine's store: nothing new starts until somebody resumes. */

/** Who drains, since when, and why. */
export interface Drain {
  at: Date;
  by: string;
  note: string | null;
}

/** The part of the engine's store that drains. */
export interface DrainStore {
  /** Null: attempts start as usual. */
  readDrain(): Promise<Drain | null>;
  /**
   * From its return on no attempt starts: what is queued is not claimed, and what a leader decides is
   * refused. Null: go on. What runs is left alone either way.
   */
  setDrain(drain: Drain | null): Promise<void>;
}
