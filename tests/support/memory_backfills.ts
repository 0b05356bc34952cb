/** @module Backfills in memory, over the engine's store in memory: for the simulation. */
import type { Ids } from "../../src/base/ids.ts";
import { limits } from "../../src/base/limits.ts";
import { type BackfillEnd, type BackfillException, fateOf } from "../../src/model/backfill.ts";
import type { DagSpec } from "../../src/model/dag_spec.ts";
import type { DagRun } from "../../src/model/rows.ts";
import { isRunFinished } from "../../src/model/run_state.ts";
import type { BackfillStore, NewBackfill, PlannedDate } from "../../src/store/backfill_port.ts";
import { newBackfillRun } from "../../src/store/backfill_run.ts";
import type { MemoryEngineStore } from "../../src/store/engine_memory.ts";
import type { SchedulableDag } from "../../src/store/port.ts";

/** A date as it stands. */
export interface MemoryDate extends PlannedDate {
  ordinal: number;
  dagRunId: string | null;
  reason: BackfillException | null;
  isRerun: boolean;
}

/** A backfill as it stands. */
export interface MemoryBackfill extends NewBackfill {
  id: string;
  isPaused: boolean;
  endReason: BackfillEnd | null;
  dates: MemoryDate[];
}

/** The store, and all that is in it. */
export interface MemoryBackfillStore extends BackfillStore {
  all(): readonly MemoryBackfill[];
}

/** `dagOf` gives DAGs as they are now, `specOf` versions of them. */
export function memoryBackfillStore(
  { store, ids, dagOf, specOf }: {
    store: MemoryEngineStore;
    ids: Ids;
    dagOf: (dagId: string) => Pick<SchedulableDag, "dagVersionId" | "spec">;
    /** The spec of a DAG version. */
    specOf: (dagVersionId: string) => DagSpec;
  },
): MemoryBackfillStore {
  const backfills = new Map<string, MemoryBackfill>();
  const runsOf = (id: string) => store.runs().filter((run) => run.backfillId === id);
  const isPlanned = (date: MemoryDate) => date.dagRunId === null && date.reason === null;

  /** Schedulers read its limits anew. */
  function changed({ id, endReason, isPaused, maxActiveRuns, share, dagId }: MemoryBackfill) {
    store.setBackfill(
      { id, maxActiveRuns, share, isPaused: isPaused && endReason === null },
      dagId,
    );
  }

  function add(backfill: MemoryBackfill, dates: readonly PlannedDate[]): number {
    const others = [...backfills.values()].filter((other) =>
      other !== backfill && other.dagId === backfill.dagId && other.endReason === null
    );
    const taken = new Set(
      others.flatMap(({ dates }) => dates.filter(isPlanned)).map((d) => d.logicalDate.getTime()),
    );
    const known = new Set(backfill.dates.map((date) => date.logicalDate.getTime()));
    const added = dates.filter((date) => !known.has(date.logicalDate.getTime()));
    for (const date of added) {
      backfill.dates.push({
        ...date,
        ordinal: backfill.dates.length + 1,
        dagRunId: null,
        reason: taken.has(date.logicalDate.getTime()) ? "in flight" : null,
        isRerun: false,
      });
    }
    return added.length;
  }

  function settle(backfill: MemoryBackfill, date: MemoryDate, now: Date): DagRun["id"] | null {
    const run = store.runs().find((each) =>
      each.dagId === backfill.dagId &&
      each.logicalDate?.getTime() === date.logicalDate.getTime()
    );
    const { reprocessBehavior: reprocess } = backfill;
    const fate = fateOf(run, { reprocess, isRerun: date.isRerun });
    const dag = dagOf(backfill.dagId);
    if (fate === "create") {
      const made = newBackfillRun({
        backfillId: backfill.id,
        dagVersionId: dag.dagVersionId,
        spec: dag.spec,
        conf: backfill.dagRunConf,
        date,
        ordinal: date.ordinal,
        now,
      }, ids);
      void store.createRun(made);
      return date.dagRunId = made.id;
    }
    date.dagRunId = run!.id;
    if (fate !== "again") {
      date.reason = fate;
      return null;
    }
    const hasConf = Object.keys(backfill.dagRunConf).length > 0;
    store.adoptRun(run!.id, {
      backfillId: backfill.id,
      backfillOrdinal: date.ordinal,
      conf: hasConf ? backfill.dagRunConf : run!.conf,
    });
    const all = [...store.tasks()].filter((task) => task.dagRunId === run!.id);
    const dagVersionId = backfill.runOnLatestVersion ? dag.dagVersionId : run!.dagVersionId;
    void store.clearTasks(run!.id, all.map((task) => task.id), {
      spec: specOf(dagVersionId),
      dagVersionId,
    }, now);
    return run!.id;
  }

  return {
    create(given, dates, _now) {
      const id = String(backfills.size + 1);
      const backfill: MemoryBackfill = {
        ...given,
        id,
        isPaused: given.isPaused ?? false,
        endReason: null,
        dates: [],
      };
      backfills.set(id, backfill);
      add(backfill, dates);
      changed(backfill);
      return Promise.resolve(id);
    },
    extend(id, { fromDate, toDate, dates }, _now) {
      const backfill = backfills.get(id);
      if (!backfill || (backfill.endReason ?? "completed") !== "completed") {
        return Promise.resolve(null);
      }
      backfill.endReason = null;
      if (fromDate < backfill.fromDate) backfill.fromDate = fromDate;
      if (toDate > backfill.toDate) backfill.toDate = toDate;
      const added = add(backfill, dates);
      changed(backfill);
      return Promise.resolve(added);
    },
    change(id, change, _now) {
      const backfill = backfills.get(id);
      if (!backfill || backfill.endReason !== null) return Promise.resolve(false);
      for (const [name, value] of Object.entries(change)) {
        if (value !== undefined) Object.assign(backfill, { [name]: value });
      }
      changed(backfill);
      return Promise.resolve(true);
    },
    cancel(id, { isNow, by }, now) {
      const backfill = backfills.get(id);
      if (!backfill || backfill.endReason !== null) return Promise.resolve(false);
      backfill.endReason = "cancelled";
      backfill.isPaused = false;
      for (const date of backfill.dates) if (isPlanned(date)) date.reason = "cancelled";
      const open = runsOf(id).filter(({ state }) =>
        state === "queued" || isNow && state === "running"
      );
      void store.cancelRuns(open.map((run) => run.id), { now, by });
      changed(backfill);
      return Promise.resolve(true);
    },
    rerunFailed(id, _now) {
      const backfill = backfills.get(id);
      if (!backfill) return Promise.resolve(null);
      const failed = new Set(
        runsOf(id).filter((run) => run.state === "failed").map((run) => run.id),
      );
      const again = backfill.dates.filter(({ reason, dagRunId }) =>
        reason === "cancelled" || reason === null && dagRunId !== null && failed.has(dagRunId)
      );
      for (const date of again) {
        const isRerun = date.isRerun || date.reason === null;
        Object.assign(date, { dagRunId: null, reason: null, isRerun });
      }
      if (again.length > 0) {
        Object.assign(backfill, { endReason: null, isPaused: false });
        changed(backfill);
      }
      return Promise.resolve(again.length);
    },
    fill({ id: only }, now) {
      const sum = { settled: 0, runs: 0 };
      for (const backfill of backfills.values()) {
        if (backfill.endReason !== null || backfill.isPaused) continue;
        if (only !== undefined && backfill.id !== only) continue;
        const queued = runsOf(backfill.id).filter((run) => run.state === "queued").length;
        const room = Math.max(0, limits.backfillQueued - queued);
        for (const date of backfill.dates.filter(isPlanned).slice(0, room)) {
          sum.settled++;
          if (settle(backfill, date, now) !== null) sum.runs++;
        }
      }
      return Promise.resolve(sum);
    },
    complete(_now) {
      const done = [...backfills.values()].filter((backfill) =>
        backfill.endReason === null && !backfill.dates.some(isPlanned) &&
        runsOf(backfill.id).every((run) => isRunFinished(run.state))
      );
      for (const backfill of done) {
        backfill.endReason = "completed";
        // As on PostgreSQL: nobody is told, whoever looks sees it.
        const { id, maxActiveRuns, share } = backfill;
        store.setBackfill({ id, maxActiveRuns, share, isPaused: false });
      }
      return Promise.resolve(done.length);
    },
    isBusy: () =>
      Promise.resolve(
        [...backfills.values()].some(({ endReason, isPaused }) => endReason === null && !isPaused),
      ),
    all: () => [...backfills.values()],
  };
}
