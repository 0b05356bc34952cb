/** @module What has changed since the last pass: hints, put together. */
import type { EndedAttempt, Hint } from "../store/port.ts";

/** What to read anew. */
export interface Changes {
  /** Everything: at a leader's start and after an error. */
  all: boolean;
  dags: ReadonlySet<string>;
  runs: ReadonlySet<string>;
  instances: ReadonlySet<string>;
  /** Runs of those instances. */
  runsOfInstances: ReadonlySet<string>;
  /** Attempts of which it is known how they ended. */
  ended: readonly EndedAttempt[];
  /** Whether somebody drains. */
  drain: boolean;
}

/** Collects hints while a pass is under way, so that the next one takes them all at once. */
export class Inbox {
  #all = false;
  #dags = new Set<string>();
  #runs = new Set<string>();
  #instances = new Set<string>();
  #runsOfInstances = new Set<string>();
  #ended: EndedAttempt[] = [];
  #drain = false;
  #onAdd: (() => void) | null = null;

  get isEmpty(): boolean {
    return !this.#all && this.#dags.size === 0 && this.#runs.size === 0 &&
      this.#instances.size === 0 && this.#ended.length === 0 && !this.#drain;
  }

  /** Add a hint; those for workers are not for us. */
  add(hint: Hint): void {
    if (hint.topic === "runs" && hint.taskInstanceIds?.length) {
      const known = new Set<string>();
      for (const ended of hint.ended ?? []) {
        known.add(ended.taskInstanceId);
        this.#ended.push(ended);
      }
      for (const id of hint.taskInstanceIds) if (!known.has(id)) this.#instances.add(id);
      for (const id of hint.ids) this.#runsOfInstances.add(id);
    } else if (hint.topic === "runs") {
      for (const id of hint.ids) this.#runs.add(id);
    } else if (hint.topic === "dags") {
      for (const id of hint.ids) this.#dags.add(id);
    } else if (hint.topic === "drain") {
      this.#drain = true;
    } else {
      return;
    }
    this.#onAdd?.();
  }

  /** Have everything read anew. */
  addAll(): void {
    this.#all = true;
    this.#onAdd?.();
  }

  /** Take what is there. */
  take(): Changes {
    const changes: Changes = {
      all: this.#all,
      dags: this.#dags,
      runs: this.#runs,
      instances: this.#instances,
      runsOfInstances: this.#runsOfInstances,
      ended: this.#ended,
      drain: this.#drain,
    };
    this.#drain = false;
    this.#all = false;
    this.#dags = new Set();
    this.#runs = new Set();
    this.#instances = new Set();
    this.#runsOfInstances = new Set();
    this.#ended = [];
    return changes;
  }

  /** Call `onAdd` at the next change, once or more; null: no longer. */
  watch(onAdd: (() => void) | null): void {
    this.#onAdd = onAdd;
  }
}
