/**
 * @module Which child runs which job.
 *
 * A job takes an idle child of its own key. Where there is none it waits for one: for a new one that
 * is started for it, or for a busy one that is done sooner. Few start at a time, so that a burst of
 * short attempts is run by the children that are there and not by a crowd that all start at once.
 */
import type { Clock } from "../../src/base/clock.ts";
import { limits } from "../../src/base/limits.ts";
import type { ExecutorStats, JobEnd } from "../../src/worker/executor.ts";
import type { ChildProcess } from "./child_process.ts";
import type { Needs } from "./needs.ts";
import type { ProcessJob } from "./job.ts";

/** Limits of a pool. */
export interface PoolLimits {
  /** Idle children kept. */
  idleMax: number;
  /** Idle children at any moment, for as long as {@link idleMs}. */
  idleBurstMax: number;
  idleMs: number;
  /** Children that start at one time. */
  startingMax: number;
  /** How long a job waits for a busy child of its kind before another one is started for it. */
  patienceMs: number;
  /** Attempts after which a child is replaced. */
  attemptsMax: number;
  /** Resident memory at which an idle child is ended. */
  idleRssBytesMax: number;
}

/** What a pool needs of the executor. */
export interface PoolParts {
  limits: PoolLimits;
  clock: Clock;
  /** Start a child for such jobs; throws when it cannot be. */
  launch(needs: Needs): ChildProcess;
  /** A child is gone. */
  gone(child: ChildProcess): void;
}

interface Member {
  child: ChildProcess;
  needs: Needs;
  attempts: number;
  idleSinceMs: number;
  busySinceMs: number;
  isStarting: boolean;
  /** It was ended because it did not get ready in time. */
  isLate: boolean;
  state: "waited_for" | "idle" | "busy" | "leaving";
}

/** Children with one key. */
interface Kind {
  /** Those that are leaving left out. */
  children: number;
  /** Running mean of how long they are busy with one attempt; null before the first. */
  busyMs: number | null;
}

/** Attempts this short keep processors busy, not children waiting: more children do not help. */
const SHORT_MS = 4;
const SHORT_PATIENCE = 16;

/** The children of one worker. */
export class Pool {
  readonly #parts: PoolParts;
  readonly #members = new Map<ChildProcess, Member>();
  /** Oldest first. */
  readonly #idle = new Set<Member>();
  readonly #waiting = new Set<ProcessJob>();
  readonly #kinds = new Map<string, Kind>();
  #starting = 0;
  #isTrimming = false;
  #isLookingAgain = false;
  #isClosed = false;

  constructor(parts: PoolParts) {
    this.#parts = parts;
  }

  /** Run the job as soon as there is a child for it. */
  place(job: ProcessJob): void {
    const idle = this.#takeIdle(job.needs.key);
    if (idle) return this.#begin(idle, job);
    job.waitingSinceMs = this.#parts.clock.monotonicMs();
    this.#waiting.add(job);
    this.#startSome();
  }

  /** The job waits no longer. */
  withdraw(job: ProcessJob): void {
    this.#waiting.delete(job);
  }

  /** The child has run its job. */
  release(child: ChildProcess): void {
    const member = this.#members.get(child);
    if (!member || member.state === "leaving") return;
    if (this.#isClosed || member.attempts >= this.#parts.limits.attemptsMax) {
      return this.discard(child);
    }
    const kind = this.#kinds.get(member.needs.key)!;
    const busyMs = this.#parts.clock.monotonicMs() - member.busySinceMs;
    kind.busyMs = kind.busyMs === null ? busyMs : kind.busyMs * 0.9 + busyMs * 0.1;
    this.#free(member);
  }

  /** The child is not to be used again. */
  discard(child: ChildProcess): void {
    const member = this.#members.get(child);
    if (!member) return;
    this.#leave(member);
    child.kill();
  }

  /** Kill all children; resolves when they are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const job of this.#waiting) {
      this.#waiting.delete(job);
      job.fail({ kind: "not_started", message: "The worker is being stopped" });
    }
    const children = [...this.#members.keys()];
    for (const child of children) this.discard(child);
    await Promise.all(children.map((child) => child.exited));
  }

  stats(): ExecutorStats {
    const busy = [...this.#members.values()].filter(({ state }) => state === "busy").length;
    return { busy, idle: this.#idle.size, starting: this.#starting };
  }

  #takeIdle(key: string): Member | null {
    let newest: Member | null = null;
    for (const member of this.#idle) if (member.needs.key === key) newest = member;
    if (newest) this.#idle.delete(newest);
    return newest;
  }

  #begin(member: Member, job: ProcessJob): void {
    this.#waiting.delete(job);
    member.state = "busy";
    member.busySinceMs = this.#parts.clock.monotonicMs();
    job.begin(member.child, ++member.attempts);
  }

  #free(member: Member): void {
    for (const job of this.#waiting) {
      if (job.needs.key === member.needs.key) return this.#begin(member, job);
    }
    member.state = "idle";
    member.idleSinceMs = this.#parts.clock.monotonicMs();
    this.#idle.add(member);
    this.#trim();
  }

  /** Start children for the jobs that have waited longest and have none on its way. */
  #startSome(): void {
    const { limits: { startingMax }, clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    for (const job of this.#waiting) {
      if (this.#starting >= startingMax || this.#isClosed) return;
      if (job.starting) continue;
      if (nowMs - job.waitingSinceMs < this.#patienceMs(job)) this.#lookAgain();
      else this.#startFor(job);
    }
  }

  #patienceMs({ needs }: ProcessJob): number {
    const kind = this.#kinds.get(needs.key);
    const { startingMax, patienceMs } = this.#parts.limits;
    if (!kind) return 0;
    const isEnough = kind.children >= 2 * startingMax && (kind.busyMs ?? 0) < SHORT_MS;
    return isEnough ? patienceMs * SHORT_PATIENCE : patienceMs;
  }

  async #lookAgain(): Promise<void> {
    if (this.#isLookingAgain) return;
    this.#isLookingAgain = true;
    await this.#parts.clock.sleep(this.#parts.limits.patienceMs);
    this.#isLookingAgain = false;
    this.#startSome();
  }

  #startFor(job: ProcessJob): void {
    let member: Member;
    try {
      member = this.#start(job.needs);
    } catch (error) {
      this.#waiting.delete(job);
      return job.fail({ kind: "not_started", message: `Cannot start a process: ${error}` });
    }
    const { child } = member;
    job.starting = child;
    child.exited.then((exit) => {
      if (job.starting !== child) return;
      // Another child would end the same way: let the job say how this one did.
      this.#waiting.delete(job);
      job.starting = null;
      job.fail(member.isLate ? startTimeout(job.needs) : { kind: "exited", ...exit });
    });
  }

  #start(needs: Needs): Member {
    const child = this.#parts.launch(needs);
    const member: Member = {
      child,
      needs,
      attempts: 0,
      idleSinceMs: 0,
      busySinceMs: 0,
      isStarting: true,
      isLate: false,
      state: "waited_for",
    };
    this.#members.set(child, member);
    const kind = this.#kinds.get(needs.key) ?? { children: 0, busyMs: null };
    this.#kinds.set(needs.key, { ...kind, children: kind.children + 1 });
    this.#starting++;
    const started = new AbortController();
    this.#watchStart(member, started.signal);
    child.ready.then(() => {
      started.abort();
      this.#started(member);
      if (member.state === "waited_for") this.#free(member);
    });
    child.exited.then(() => {
      started.abort();
      const { state } = member;
      this.#members.delete(child);
      this.#leave(member);
      this.#parts.gone(child);
      this.#startAhead(member, state);
      this.#started(member);
    });
    return member;
  }

  #leave(member: Member): void {
    if (member.state === "leaving") return;
    member.state = "leaving";
    this.#idle.delete(member);
    const { key } = member.needs;
    const kind = this.#kinds.get(key)!;
    if (--kind.children === 0) this.#kinds.delete(key);
  }

  #started(member: Member): void {
    if (member.isStarting) this.#starting--;
    member.isStarting = false;
    this.#startSome();
  }

  async #watchStart(member: Member, signal: AbortSignal): Promise<void> {
    await this.#parts.clock.sleep(limits.childStartMs, { signal });
    if (!member.isStarting || signal.aborted) return;
    member.isLate = true;
    this.discard(member.child);
  }

  /** In place of one that ended with its last job: the next job of the kind finds it warm. */
  #startAhead({ needs, attempts }: Member, state: Member["state"]): void {
    if (this.#isClosed || needs.isolation === "fresh" || attempts === 0 || state === "idle") return;
    if (this.#idle.size + this.#starting >= this.#parts.limits.idleMax) return;
    if (this.#kinds.has(needs.key)) return;
    try {
      this.#start(needs);
    } catch {
      // The next job of the kind tries again, and says why it cannot be.
    }
  }

  #trim(): void {
    const { idleBurstMax, idleMax } = this.#parts.limits;
    for (const member of this.#idle) {
      if (this.#idle.size <= idleBurstMax) break;
      this.discard(member.child);
    }
    if (this.#idle.size > idleMax && !this.#isTrimming) this.#trimLater();
  }

  async #trimLater(): Promise<void> {
    const { clock } = this.#parts;
    const { idleMax, idleMs, idleRssBytesMax } = this.#parts.limits;
    this.#isTrimming = true;
    while (this.#idle.size > idleMax && !this.#isClosed) {
      await clock.sleep(idleMs);
      const before = clock.monotonicMs() - idleMs;
      for (const member of this.#idle) {
        const isSpare = this.#idle.size > idleMax && member.idleSinceMs <= before;
        if (isSpare || (member.child.usage()?.rssBytes ?? 0) > idleRssBytesMax) {
          this.discard(member.child);
        }
      }
    }
    this.#isTrimming = false;
  }
}

function startTimeout({ entry }: Needs): JobEnd {
  const message =
    `Cannot import ${entry}: its process was not ready after ${limits.childStartMs} ms`;
  return {
    kind: "failed",
    error: { name: "TimeoutError", message, detail: { endReason: "bundle" } },
  };
}
