/** @module Handing out work: a claim waits until there is some for its queues. */
import type { Clock } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import type { Logger } from "../../base/log.ts";
import type { ClaimRequest, ClaimResponse, Workload } from "../../contract/execution.ts";
import { AppError } from "../../model/errors.ts";
import type { AttemptLogs } from "../../logs/port.ts";
import type { Metrics } from "../../metrics/registry.ts";
import type { ClaimPlace, HandOver } from "../../store/hand_over.ts";
import type { AttemptEnding, Claimed, EngineStore, Hint } from "../../store/port.ts";
import type { WorkloadBuilder } from "./workload.ts";

/** Gives out work. */
export interface ClaimDesk {
  /**
   * Answer when there is work, an attempt of this worker must stop, or `waitMs` passed. `signal`
   * aborts when the asker is gone: what was claimed for it goes back at once.
   */
  claim(request: ClaimRequest, signal?: AbortSignal): Promise<ClaimResponse>;
  /** An attempt ended: nothing of it is kept any more. */
  forget(attemptId: string): void;
  /** Tell the desk what changed. */
  onHint(hint: Hint): void;
  /** Answer all that wait, with nothing. */
  close(): void;
}

/** What a desk needs. */
export interface ClaimDeskParts {
  store: EngineStore;
  workloads: WorkloadBuilder;
  logs: AttemptLogs;
  metrics: Metrics;
  clock: Clock;
  log: Logger;
  /** Where claims wait for what a scheduler in this process starts; none when left out. */
  handOver?: HandOver;
}

/** Attempts whose worker is remembered, to know whom to tell of a cancel; the oldest go first. */
const HOLDERS_KEPT = 50_000;
/** Combinations of queues of which it is remembered that they were seen empty. */
const DRAINED_KEPT = 1_000;

interface Waiting extends ClaimPlace {
  /** Something happened since the store was last asked. */
  isDirty: boolean;
  /** The store was not asked for it yet. */
  isFirst: boolean;
  wake(): void;
  /** Wait for a wake or a delivery; what was delivered. */
  wait(ms: number, signal?: AbortSignal): Promise<readonly Claimed[]>;
}

/** Claims of the same queues find the same tasks. */
function drainKey({ queues }: ClaimRequest): string {
  return queues.join("\n");
}

/** A desk over the store. */
export function claimDesk(parts: ClaimDeskParts): ClaimDesk {
  const { store, workloads, logs, metrics, clock, log, handOver } = parts;
  const waiting = new Set<Waiting>();
  const holders = new Map<string, string>();
  const stops = new Map<string, Set<string>>();
  const closing = new AbortController();

  /** Hints of queued tasks so far, and by queues the count at which a claim left none behind. */
  let queuedHints = 0;
  const drained = new Map<string, number>();

  /**
   * Nothing was queued since these queues were seen empty: a new claim need not ask the store before
   * it waits. Should a hint have been lost, the end of the wait asks all the same.
   */
  function isDrained(request: ClaimRequest): boolean {
    return drained.get(drainKey(request)) === queuedHints;
  }

  function addStop(workerId: string, attemptId: string) {
    const ids = stops.get(workerId) ?? new Set();
    stops.set(workerId, ids.add(attemptId));
  }

  function takeStops(workerId: string): string[] {
    const ids = stops.get(workerId);
    stops.delete(workerId);
    return ids ? [...ids] : [];
  }

  async function take(request: ClaimRequest, signal?: AbortSignal): Promise<Workload[]> {
    if (request.slots === 0) return [];
    const slots = Math.min(request.slots, limits.claimBatch);
    const asOf = queuedHints;
    const claimed = await store.claim({ ...request, slots }, clock.now());
    if (claimed.length < slots) {
      if (drained.size >= DRAINED_KEPT) drained.clear();
      drained.set(drainKey(request), asOf);
    }
    return await handOut(request, claimed, signal);
  }

  /** Workloads of attempts that run for the asker from now on. */
  async function handOut(
    request: ClaimRequest,
    claimed: readonly Claimed[],
    signal?: AbortSignal,
  ): Promise<Workload[]> {
    if (claimed.length === 0) return [];
    if (signal?.aborted) {
      await giveBack(claimed);
      return [];
    }
    const built = await workloads.build(claimed).catch(async (error) => {
      await giveBack(claimed);
      throw error;
    });
    const good = built.filter((each): each is Workload => !(each instanceof AppError));
    if (good.length < built.length) await refuse(claimed, built);
    for (const workload of good) remember(request.workerId, workload);
    count(claimed, good);
    return good;
  }

  function remember(workerId: string, { attemptId }: Workload) {
    if (holders.size >= HOLDERS_KEPT) holders.delete(holders.keys().next().value!);
    holders.set(attemptId, workerId);
    logs.begin(attemptId);
  }

  function count(claimed: readonly Claimed[], workloads: readonly Workload[]) {
    for (const { dagId, task } of workloads) {
      metrics.inc("tidewheel_ti_start_total", { dag_id: dagId, operator: task.operator });
    }
    for (const { attempt } of claimed) {
      const queuedMs = (attempt.startDate ?? clock.now()).getTime() - attempt.queuedAt.getTime();
      metrics.observe("tidewheel_task_queued_duration_seconds", undefined, queuedMs / 1000);
    }
  }

  /** The asker left while its claim was under way, or there was no answer: nobody runs these. */
  async function giveBack(claimed: readonly Claimed[]) {
    const message = "It was claimed, but could not be handed to the worker";
    const endings = claimed.map(({ attempt }) => endingOf(attempt.id, "lose", message));
    await store.endAttempts(endings, clock.now());
  }

  /** An attempt without a workload can never run. */
  async function refuse(claimed: readonly Claimed[], built: readonly (Workload | AppError)[]) {
    const endings = claimed.flatMap(({ attempt }, i) => {
      const why = built[i];
      return why instanceof AppError ? [endingOf(attempt.id, "fail", why.message)] : [];
    });
    log.warn("Could not make workloads of claimed attempts", { attempts: endings.length });
    await store.endAttempts(endings, clock.now());
  }

  function endingOf(attemptId: string, result: "lose" | "fail", message: string): AttemptEnding {
    return {
      attemptId,
      endReason: result === "lose" ? "never_started" : "bundle",
      evidence: { message },
      endDate: clock.now(),
      result,
      nextTryAt: null,
      output: null,
      outputKey: null,
      outputLength: null,
      chosen: null,
      effects: null,
      rssBytesMax: null,
      cpuMs: null,
    };
  }

  return {
    async claim(request, signal) {
      const untilMs = clock.monotonicMs() + Math.min(request.waitMs, limits.claimWaitMsMax);
      const place = waitingPlace(request);
      waiting.add(place);
      let given: readonly Claimed[] = [];
      metrics.set("tidewheel_claims_waiting", undefined, waiting.size);
      try {
        while (true) {
          place.isDirty = false;
          const mayWait = place.isFirst && request.waitMs > 0 && isDrained(request);
          let workloads = await handOut(request, given, signal);
          if (given.length === 0 && !mayWait) workloads = await take(request, signal);
          place.isFirst = false;
          const stop = takeStops(request.workerId);
          const leftMs = untilMs - clock.monotonicMs();
          const isOver = leftMs <= 0 || signal?.aborted || closing.signal.aborted;
          if (workloads.length > 0 || stop.length > 0 || isOver) return { workloads, stop };
          given = place.isDirty ? [] : await place.wait(leftMs, signal);
        }
      } finally {
        waiting.delete(place);
        metrics.set("tidewheel_claims_waiting", undefined, waiting.size);
      }
    },

    forget(attemptId) {
      const workerId = holders.get(attemptId);
      if (workerId === undefined) return;
      holders.delete(attemptId);
      stops.get(workerId)?.delete(attemptId);
    },

    onHint(hint) {
      if (hint.topic === "queued") {
        queuedHints++;
        for (const place of waiting) {
          const { queues } = place;
          if (queues.has("*") || hint.ids.some((queue) => queues.has(queue))) place.wake();
        }
      } else if (hint.topic === "cancel") {
        for (const attemptId of hint.ids) {
          const holder = holders.get(attemptId);
          if (holder !== undefined) addStop(holder, attemptId);
          else for (const place of waiting) addStop(place.claimer.workerId, attemptId);
        }
        for (const place of waiting) if (stops.has(place.claimer.workerId)) place.wake();
      }
    },

    close() {
      closing.abort();
      for (const place of waiting) place.wake();
    },
  };

  function waitingPlace(request: ClaimRequest): Waiting {
    const { workerId, hostname, pid, queues } = request;
    let wakeUp = () => {};
    let onDelivery = (_started: readonly Claimed[]) => {};
    return {
      claimer: { workerId, hostname, pid },
      queues: new Set(queues),
      slots: Math.min(request.slots, limits.claimBatch),
      isDirty: false,
      isFirst: true,
      wake() {
        this.isDirty = true;
        wakeUp();
      },
      deliver(started) {
        onDelivery(started);
      },
      async wait(ms, signal) {
        const woken = new AbortController();
        wakeUp = () => woken.abort();
        let given: readonly Claimed[] = [];
        const delivery = new Promise<void>((resolve) => {
          onDelivery = (started) => {
            given = started;
            woken.abort();
            resolve();
          };
        });
        const either = signal ? AbortSignal.any([woken.signal, signal]) : woken.signal;
        if (this.slots > 0 && isDrained(request)) handOver?.open(this);
        await clock.sleep(Math.min(ms, limits.sweepMs), { signal: either });
        if (handOver?.close(this)) await delivery;
        return given;
      },
    };
  }
}
