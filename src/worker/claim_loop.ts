/** @module Asks for work whenever there is a free slot, and waits for it at the API. */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { ClaimRequest, ClaimResponse, Workload } from "../contract/execution.ts";
import { messageOf } from "../model/errors.ts";
import type { ExecutionApi } from "./api_client.ts";
import { Backoff } from "./backoff.ts";

/** With every slot taken for this long, a claim for no work waits for word of a cancel. */
const FULL_MS = 250;

/** How long a claim under way may take to come back when the worker stops. */
const STOP_MS = 2_000;

/** What a claim loop needs. */
export interface ClaimLoopParts {
  api: Pick<ExecutionApi, "claim">;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Who asks, for which queues. */
  worker: Omit<ClaimRequest, "slots" | "waitMs">;
  freeSlots(): number;
  /** Begin these. */
  onWork(workloads: readonly Workload[]): void;
  /** Attempts that somebody wants to stop. */
  onStop(attemptIds: readonly string[]): void;
}

/** See the module. */
export class ClaimLoop {
  readonly #parts: ClaimLoopParts;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #slotFreed: PromiseWithResolvers<void> | null = null;
  #hasAnswered = false;

  constructor(parts: ClaimLoopParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random);
  }

  /** Has the API answered once? */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Did the last claim reach the API? */
  get isReachable(): boolean {
    return this.#backoff.isFirst;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Take no more work; resolves when none can come any more, or the API is too slow to say so. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.slotFreed();
    const stopped = new AbortController();
    this.#running.then(() => stopped.abort());
    await this.#parts.clock.sleep(STOP_MS, { signal: stopped.signal });
  }

  /** A slot may be free. */
  slotFreed(): void {
    this.#slotFreed?.resolve();
    this.#slotFreed = null;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const answer = this.#parts.freeSlots() > 0
          ? await this.#claim(this.#parts.freeSlots(), signal)
          : await this.#waitForSlot(signal);
        if (answer) this.#take(answer);
      } catch (error) {
        if (!signal.aborted) await this.#away(error, signal);
      }
    }
  }

  #take({ workloads, stop }: ClaimResponse): void {
    if (stop?.length > 0) this.#parts.onStop(stop);
    if (workloads.length > 0) this.#parts.onWork(workloads);
  }

  async #claim(slots: number, signal: AbortSignal): Promise<ClaimResponse> {
    const answer = await this.#parts.api.claim({
      ...this.#parts.worker,
      slots: Math.min(slots, limits.claimBatch),
      waitMs: limits.claimWaitMsMax,
    }, signal);
    this.#hasAnswered = true;
    if (this.#backoff.reset()) this.#parts.log.info("The API gives work again");
    return answer;
  }

  /** Short waits cost no request; during long ones word of a cancel must come through. */
  async #waitForSlot(signal: AbortSignal): Promise<ClaimResponse | null> {
    const freed = this.#slotFreed ??= Promise.withResolvers();
    const waited = new AbortController();
    freed.promise.then(() => waited.abort());
    await this.#parts.clock.sleep(FULL_MS, { signal: waited.signal });
    if (waited.signal.aborted) return null;
    const either = AbortSignal.any([signal, waited.signal]);
    // Nothing can be lost with this one: it brings no work, and heartbeats bring the same word.
    return await Promise.race([
      this.#claim(0, either).catch((error) => {
        if (either.aborted) return null;
        throw error;
      }),
      freed.promise.then(() => null),
    ]);
  }

  async #away(error: unknown, signal: AbortSignal): Promise<void> {
    if (this.#backoff.isFirst) {
      this.#parts.log.warn("Cannot claim work now; trying again", { error: messageOf(error) });
    }
    await this.#parts.clock.sleep(this.#backoff.next(), { signal });
  }
}
