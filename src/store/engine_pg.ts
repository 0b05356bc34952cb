/** @module The engine's store on PostgreSQL: its modules behind one port, with hints after commit. */
import type { Sql } from "postgres";
import type { Ids } from "../base/ids.ts";
import type { Clock } from "../base/clock.ts";
import * as byHand from "./engine_by_hand.ts";
import * as claims from "./engine_claim.ts";
import { loadDeadlines } from "./engine_deadlines.ts";
import * as drains from "./engine_drain.ts";
import { endAttempts } from "./engine_end.ts";
import * as events from "./engine_events.ts";
import * as lease from "./engine_lease.ts";
import * as read from "./engine_read.ts";
import * as run from "./engine_run.ts";
import type { Product } from "../model/product.ts";
import { applyTick } from "./engine_tick.ts";
import * as triggers from "./engine_triggers.ts";
import { answerQuestion } from "./engine_questions.ts";
import {
  effectHints,
  endedHint,
  endedRuns,
  type HintBus,
  isTelling,
  waitingDags,
} from "./hints.ts";
import { retryTransaction } from "./retry.ts";
import type { EngineStore, Hint } from "./port.ts";
import type { RunClear } from "./port_by_hand.ts";

/** Parts that the store is made of. */
export interface EnginePgParts {
  sql: Sql;
  hints: HintBus;
  ids: Ids;
  clock: Clock;
  /** What runs run on; not noted when left out. */
  product?: Product;
}

/** The store that everything but `tidewheel run` and the simulation uses. */
export function pgEngineStore({ sql, hints, ids, clock, product }: EnginePgParts): EngineStore {
  const publish = (hint: Hint) => {
    if (hint.ids.length > 0) hints.publish(hint);
  };
  const stopped = (
    { dagRunIds, taskInstanceIds, stop }: {
      dagRunIds: string[];
      taskInstanceIds: string[];
      stop: string[];
    },
  ) => {
    publish({ topic: "cancel", ids: stop });
    publish({ topic: "runs", ids: dagRunIds, taskInstanceIds });
  };
  const changedByHand = ({ dagRunIds, stop }: byHand.ByHand) => {
    publish({ topic: "cancel", ids: stop });
    publish({ topic: "runs", ids: dagRunIds });
  };
  const clearRuns = async (clears: RunClear[], now: Date) =>
    changedByHand(await retryTransaction(() => byHand.clearRuns(sql, clears, now)));
  return {
    takeLease: (holder, expected) => lease.takeLease(sql, holder, expected),
    renewLease: (held) => lease.renewLease(sql, held),
    readLease: () => lease.readLease(sql),
    releaseLease: (held) => lease.releaseLease(sql, held),

    loadDags: (which) => read.loadDags(sql, which),
    loadDagVersions: (which) => read.loadDagVersions(sql, which),
    loadRuns: (which) => read.loadRuns(sql, which),
    loadPast: (which) => read.loadPast(sql, which),
    loadTasks: (which) => read.loadTasks(sql, which),
    loadPools: () => read.loadPools(sql),
    loadOutline: () => read.loadOutline(sql),
    loadDeadlines: (which) => loadDeadlines(sql, which),
    loadBackfills: () => read.loadBackfills(sql),
    readHeartbeats: () => read.readHeartbeats(sql),
    loadOutputs: (dagRunId, taskIds, index) => read.loadOutputs(sql, dagRunId, taskIds, index),
    loadItems: (dagRunId, wanted) => read.loadItems(sql, dagRunId, wanted),
    loadLengths: (dagRunId, taskIds) => read.loadLengths(sql, dagRunId, taskIds),
    loadTaskState: (dagId, taskId, index) => read.loadTaskState(sql, dagId, taskId, index),
    loadResumption: (id) => read.loadResumption(sql, id),
    previousSuccess: (dagId, before) => read.previousSuccess(sql, dagId, before),
    loadDatasetEvents: (dagRunId) => events.loadDatasetEvents(sql, dagRunId),
    findPartitions: (asked) => events.findPartitions(sql, asked),
    async recordEvents(given, now) {
      const recorded = await retryTransaction(() => events.recordEvents(sql, ids, given, now));
      publish({ topic: "dags", ids: [...new Set(recorded.flatMap((one) => one.waitingDags))] });
      publish({ topic: "datasets", ids: [...new Set(given.map(({ dataset }) => dataset))] });
      return recorded;
    },

    async applyTick(epoch, writes, now) {
      const { stopped: stop, ...result } = await applyTick(sql, epoch, writes, now, product);
      if (stop) stopped({ ...stop, taskInstanceIds: stop.cancels });
      publish({ topic: "dags", ids: [...result.pausedDags ?? [], ...result.waitingDags ?? []] });
      const moved = new Set(result.taskMoves);
      const queues = new Set<string>();
      for (const { id, to, queue } of writes.taskMoves) {
        if (to === "queued" && queue && moved.has(id)) queues.add(queue.queue);
      }
      publish({ topic: "queued", ids: [...queues] });
      if (isTelling(writes)) publish({ topic: "outbox", ids: ["tick"] });
      publish({ topic: "ended", ids: endedRuns(writes, result) });
      return result;
    },
    claim: (request, now) => claims.claim(sql, request, now),
    heartbeat: (which) => claims.heartbeat(sql, which),
    async endAttempts(endings, now) {
      const results = await retryTransaction(() => endAttempts(sql, ids, endings, now));
      const hint = endedHint(endings, results);
      if (hint) publish(hint);
      publish({ topic: "dags", ids: waitingDags(results) });
      if (endings.some((one) => one.isHeard !== false)) publish({ topic: "outbox", ids: ["end"] });
      for (const hint of effectHints(endings, results)) publish(hint);
      return results;
    },

    joinTriggers: (claimant, now) => triggers.joinTriggers(sql, claimant, now),
    beatTriggers: (claimant) => triggers.beatTriggers(sql, claimant),
    leaveTriggers: (claimant, beats) => triggers.leaveTriggers(sql, claimant, beats),
    claimTriggers: (claimant, limit) => triggers.claimTriggers(sql, claimant, limit),
    heldTriggers: (claimant) => triggers.heldTriggers(sql, claimant),
    async fireTriggers(claimant, fired) {
      const resumed = await retryTransaction(() => triggers.fireTriggers(sql, claimant, fired));
      const taskInstanceIds = resumed.map(({ id }) => id);
      const ids = [...new Set(resumed.map(({ dagRunId }) => dagRunId))];
      publish({ topic: "runs", ids, taskInstanceIds });
      return taskInstanceIds;
    },
    dropTriggers: () => triggers.dropTriggers(sql),
    lookAt: (specs) => triggers.lookAt(sql, specs),
    async answerQuestion(answer, now) {
      const { result, dagRunId } = await retryTransaction(() => answerQuestion(sql, answer, now));
      const taskInstanceIds = [answer.taskInstanceId];
      if (dagRunId) publish({ topic: "runs", ids: [dagRunId], taskInstanceIds });
      return result;
    },

    async createRun(made) {
      const created = await retryTransaction(() => run.createRun(sql, made, clock.now()));
      publish({ topic: "runs", ids: [created.id] });
      if (made.takes) publish({ topic: "dags", ids: [made.dagId] });
      return created;
    },
    async cancelRun(dagRunId, asked) {
      const { stop } = await retryTransaction(() => run.cancelRun(sql, dagRunId, asked));
      publish({ topic: "cancel", ids: stop });
      publish({ topic: "runs", ids: [dagRunId] });
    },
    async cancelRuns(dagRunIds, asked) {
      const { stop } = await retryTransaction(() =>
        sql.begin((tx) => run.cancelRunsIn(tx, dagRunIds, asked))
      );
      publish({ topic: "cancel", ids: stop });
      publish({ topic: "runs", ids: dagRunIds });
    },
    async cancelTasks(which, now, by) {
      stopped(await retryTransaction(() => run.cancelTasks(sql, which, now, by)));
    },
    readDrain: () => drains.readDrain(sql),
    async setDrain(drain) {
      await retryTransaction(() => drains.setDrain(sql, drain));
      publish({ topic: "drain", ids: ["drain"] });
      // What waits in the queue since then has no other word of its own.
      if (!drain) publish({ topic: "queued", ids: await drains.queuesOfQueued(sql) });
    },
    clearTasks: (dagRunId, which, options, now) =>
      clearRuns([{ dagRunId, ids: which, ...options }], now),
    clearRuns,
    async setTasks(set, now) {
      changedByHand(await retryTransaction(() => byHand.setTasks(sql, set, now)));
    },

    listen(onHint) {
      const stop = hints.subscribe(onHint);
      return Promise.resolve({ stop: () => Promise.resolve(stop()) });
    },
  };
}
