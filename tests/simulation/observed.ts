/** @module A store with every write checked and traced. */
import { hasCode } from "../../src/model/errors.ts";
import type { MemoryEngineStore } from "../../src/store/engine_memory.ts";
import type { EngineStore } from "../../src/store/port.ts";
import type { Checkers, Writer } from "./checkers.ts";
import type { DataCheckers } from "./data_checkers.ts";
import type { NoticeCheckers } from "./notice_checkers.ts";
import type { SimWaits } from "./waits.ts";

/** Where what is seen goes. */
export interface Observer {
  checkers: Checkers;
  data: DataCheckers;
  notices: NoticeCheckers;
  waits: SimWaits;
  count(fault: string): void;
  /** Moves that a write made, in words. */
  onMoves(text: string): void;
  /** Something did not hold; it may be inside of a call that swallows errors. */
  onBroken(error: unknown): void;
  /** Another look after each write. */
  also(): void;
}

/** Writes and looks whose failures are told. */
export interface Checks {
  /** A write of the store, which is looked at. */
  checked<T>(writer: Writer, what: string, write: () => Promise<T>): Promise<T>;
  check(make: () => void): void;
}

/** Checks that go to an observer. */
export function checksOf(observer: Observer): Checks {
  /** A write has taken effect when the call returns: nothing can come between it and the check. */
  function checked<T>(writer: Writer, what: string, write: () => Promise<T>): Promise<T> {
    const answer = write();
    check(() => {
      const moves = observer.checkers.afterWrite(writer);
      observer.notices.afterWrite(writer);
      observer.waits.afterWrite();
      observer.also();
      if (moves.length > 0) observer.onMoves(`${what} ${moves.join("; ")}`);
    });
    return answer;
  }

  function check(make: () => void) {
    try {
      make();
    } catch (error) {
      observer.onBroken(error);
    }
  }

  return { checked, check };
}

/** See the module. */
export function observed(store: MemoryEngineStore, observer: Observer): EngineStore {
  const { checkers, data, waits, count } = observer;
  const { checked, check } = checksOf(observer);
  return {
    ...store,
    takeLease: async (...given) => {
      const lease = await store.takeLease(...given);
      if (lease && lease.epoch > 1) count("leader changed");
      return lease;
    },
    applyTick: async (epoch, writes, now) => {
      const result = await checked(
        "scheduler",
        `tick ${epoch}`,
        () => store.applyTick(epoch, writes, now),
      ).catch((error) => {
        if (hasCode(error, "LEASE_LOST")) count("old leader refused");
        throw error;
      });
      check(() => {
        data.afterRuns();
        checkers.afterTick(epoch);
        checkers.afterClaim(result.started);
        waits.afterClaim(result.started);
        const moved = new Set(result.runMoves);
        for (const _ of result.cancels ?? []) count("failed fast");
        for (const _ of result.missed ?? []) count("deadline missed");
        for (const _ of result.pausedDags ?? []) count("DAG paused for its failures");
        const ended = writes.runMoves.filter(({ id, to }) => to !== "running" && moved.has(id));
        checkers.afterRunsEnded(ended.map(({ id }) => id));
      });
      return result;
    },
    claim: async (claim, now) => {
      const what = `claim ${claim.workerId}`;
      let waiting: readonly string[] = [];
      const claimed = await checked("worker", what, () => {
        waiting = checkers.claimable(claim.queues);
        return store.claim(claim, now);
      });
      check(() => {
        checkers.afterClaim(claimed);
        checkers.afterClaimOf(waiting, claimed);
        waits.afterClaim(claimed);
      });
      return claimed;
    },
    endAttempts: async (endings, now) => {
      const results = await checked("worker", "end", () => store.endAttempts(endings, now));
      check(() => endings.forEach(({ attemptId }, i) => checkers.afterEnd(attemptId, results[i])));
      return results;
    },
    ...waits.observe(store, checked),
    cancelRun: (...given) => checked("user-cancel", "cancel", () => store.cancelRun(...given)),
    cancelTasks: (...given) =>
      checked("user-cancel", "cancel task", () => store.cancelTasks(...given)),
    clearTasks: (...given) => checked("user-clear", "clear", () => store.clearTasks(...given)),
    setTasks: (...given) => checked("user-set", "set", () => store.setTasks(...given)),
  };
}
