/**
 * @module The share of the capacity that a backfill's tasks may take: of the slots of each pool, and
 * of its DAG's limit of tasks. What is left is there for live runs at any moment, so that none of them
 * waits for a long task of a backfill to end.
 */
import { Cap, type ReadyQueue } from "../dispatcher/ready_queue.ts";
import { shareOf } from "../model/backfill.ts";
import type { BackfillLimits } from "../store/port.ts";

interface Share {
  backfillId: string;
  /** `pool` has slots of a pool, `dag` a DAG's limit of tasks. */
  of: "pool" | "dag";
  name: string;
  cap: Cap;
}

/** Limits by backfill, kept in step with pools, DAGs and backfills. */
export class Shares {
  readonly #ready: ReadyQueue;
  readonly #shares = new Map<string, Share>();
  readonly #slots = { pool: new Map<string, number>(), dag: new Map<string, number>() };
  #backfills = new Map<string, number>();

  constructor(ready: ReadyQueue) {
    this.#ready = ready;
  }

  /** The limits of a task in a pool; none for a live run. */
  of(dagId: string, backfillId: string | null, pool: string): readonly Cap[] {
    if (backfillId === null) return [];
    return [this.#cap(backfillId, "pool", pool), this.#cap(backfillId, "dag", dagId)];
  }

  setPool(name: string, slots: number): void {
    this.#slots.pool.set(name, slots);
    this.#refresh((share) => share.of === "pool" && share.name === name);
  }

  setDag(dagId: string, maxActiveTasks: number): void {
    this.#slots.dag.set(dagId, maxActiveTasks);
    this.#refresh((share) => share.of === "dag" && share.name === dagId);
  }

  /** Those with unfinished runs; what is no longer among them is forgotten. */
  setBackfills(backfills: readonly BackfillLimits[]): void {
    this.#backfills = new Map(backfills.map(({ id, share }) => [id, share]));
    for (const [key, { backfillId, cap }] of this.#shares) {
      if (!this.#backfills.has(backfillId) && cap.used === 0) this.#shares.delete(key);
    }
    this.#refresh(() => true);
  }

  #cap(backfillId: string, of: Share["of"], name: string): Cap {
    const key = JSON.stringify([backfillId, of, name]);
    let share = this.#shares.get(key);
    if (!share) {
      const cap = new Cap(Infinity, of === "pool" ? "slots" : "instances");
      share = { backfillId, of, name, cap };
      cap.max = this.#maxOf(share);
      this.#shares.set(key, share);
    }
    return share.cap;
  }

  #refresh(which: (share: Share) => boolean) {
    for (const share of this.#shares.values()) {
      if (which(share)) this.#ready.setCap(share.cap, this.#maxOf(share));
    }
  }

  #maxOf({ backfillId, of, name }: Share): number {
    const slots = this.#slots[of].get(name) ?? Infinity;
    return shareOf(slots, this.#backfills.get(backfillId) ?? 1);
  }
}
