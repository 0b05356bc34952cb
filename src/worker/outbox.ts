/**
 * @module Calls of all attempts on their way to the API, several in one request.
 *
 * One request is under way at a time. What comes meanwhile goes with the next, so that waiting costs
 * nothing where there is little and batches grow where there is much. Calls are kept until they are
 * answered: while the API is away they are tried again and again.
 */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { AttemptEnd, CallResult, ExecutionCall } from "../contract/execution.ts";
import { type AppError, hasCode, messageOf } from "../model/errors.ts";
import type { ExecutionApi } from "./api_client.ts";
import { AttemptLog } from "./attempt_log.ts";
import { Backoff } from "./backoff.ts";
import { failedEnd } from "./ending.ts";

/** Longest that a line waits for company. */
const LOG_DELAY_MS = 200;
/** A call that the API itself fails at is tried this often, at growing distances. */
const TROUBLES_MAX = 10;
const TROUBLE_DELAY_MS = 250;

/** What an outbox needs. */
export interface OutboxParts {
  api: Pick<ExecutionApi, "batch">;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** An attempt as the outbox knows it. */
export interface Sender {
  readonly log: AttemptLog;
  /** The attempt's token, renewed by heartbeats while it runs. */
  readonly token: string;
  /** At most one waits at a time; more are dropped. */
  heartbeat(): void;
  /** The last call; resolves with its final answer. Lines added before go before it. */
  end(end: AttemptEnd): Promise<CallResult>;
  /** Say nothing more of this attempt: it is another worker's. */
  abandon(): void;
}

interface Mailbox {
  attemptId: string;
  token: string;
  log: AttemptLog;
  wantsHeartbeat: boolean;
  /** Times that the API answered with trouble of its own since it last took something. */
  troubles: number;
  /** Until the wait after such an answer is over only heartbeats are sent. */
  isWaiting: boolean;
  end: { end: AttemptEnd; answered: PromiseWithResolvers<CallResult> } | null;
  /** 409 or 410 to a heartbeat or to lines. */
  onRefused: (result: CallResult) => void;
}

interface Letter {
  box: Mailbox;
  call: ExecutionCall;
  settle(result: CallResult): void;
}

const fresh = { wantsHeartbeat: false, troubles: 0, isWaiting: false, end: null };

/** See the module. */
export class Outbox {
  readonly #parts: OutboxParts;
  readonly #backoff: Backoff;
  readonly #mailboxes = new Set<Mailbox>();
  readonly #dirty = new Set<Mailbox>();
  /** Attempts of which the API could not take something, and why the first of them. */
  readonly #troubled = new Set<Mailbox>();
  #trouble: string | null = null;
  #isUrgent = false;
  #hasTimer = false;
  #sending: Promise<void> | null = null;
  #given: AbortController = new AbortController();

  constructor(parts: OutboxParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.random);
  }

  /** Did the last request reach the API? */
  get isReachable(): boolean {
    return this.#backoff.isFirst;
  }

  /** Why the API cannot take the reports that it gets, such as a full disk; null: it takes them. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** Send for one attempt from now on, until its end is answered. */
  open(
    { attemptId, token, onRefused }: Pick<Mailbox, "attemptId" | "token" | "onRefused">,
  ): Sender {
    const { clock } = this.#parts;
    const log = new AttemptLog({ now: () => clock.now(), onLine: () => this.#lineAdded(box) });
    const box: Mailbox = { attemptId, token, log, onRefused, ...fresh };
    this.#mailboxes.add(box);
    return {
      log,
      get token() {
        return box.token;
      },
      abandon: () => this.#forget(box),
      heartbeat: () => {
        box.wantsHeartbeat = true;
        this.#urge(box);
      },
      end: (end) => {
        box.end = { end, answered: Promise.withResolvers() };
        this.#urge(box);
        return box.end.answered.promise;
      },
    };
  }

  /** Try to get everything out for at most `ms`, then give up on what the API did not take. */
  async close(ms: number): Promise<void> {
    const pending = [...this.#mailboxes].flatMap(({ end }) => end ? [end.answered.promise] : []);
    if (this.#dirty.size > 0) this.#isUrgent = true, this.#start();
    const waited = new AbortController();
    await Promise.race([
      Promise.all([...pending, this.#sending]).then(() => waited.abort()),
      this.#parts.clock.sleep(ms, { signal: waited.signal }),
    ]);
    this.#given.abort();
    for (const box of this.#mailboxes) {
      box.log.close();
      box.end?.answered.resolve({ status: 500, reason: "the worker stopped before it was heard" });
    }
    this.#mailboxes.clear();
    this.#dirty.clear();
  }

  #lineAdded(box: Mailbox): void {
    this.#dirty.add(box);
    if (this.#hasTimer || this.#sending) return;
    this.#hasTimer = true;
    this.#parts.clock.sleep(LOG_DELAY_MS).then(() => {
      this.#hasTimer = false;
      if (this.#dirty.size > 0) this.#isUrgent = true, this.#start();
    });
  }

  #urge(box: Mailbox): void {
    this.#dirty.add(box);
    this.#isUrgent = true;
    this.#start();
  }

  #start(): void {
    if (this.#sending || this.#given.signal.aborted) return;
    // What else is said in this turn goes along.
    this.#sending = Promise.resolve().then(() => this.#send()).finally(() => {
      this.#sending = null;
      if (this.#isUrgent && this.#dirty.size > 0) this.#start();
      else for (const box of this.#dirty) this.#lineAdded(box);
    });
  }

  async #send(): Promise<void> {
    while (this.#isUrgent && this.#dirty.size > 0 && !this.#given.signal.aborted) {
      this.#isUrgent = false;
      const letters = this.#collect();
      if (letters.length === 0) return;
      const results = await this.#post(letters);
      if (results) results.forEach((result, at) => letters[at].settle(result));
      else await this.#postpone(letters);
    }
  }

  /** The API is away: what was in the request is due again. */
  async #postpone(letters: readonly Letter[]): Promise<void> {
    for (const { box, call } of letters) {
      this.#dirty.add(box);
      box.wantsHeartbeat ||= call.call === "heartbeat";
    }
    this.#isUrgent = true;
    await this.#parts.clock.sleep(this.#backoff.next(), { signal: this.#given.signal });
  }

  async #post(letters: readonly Letter[]): Promise<CallResult[] | null> {
    const { api, log } = this.#parts;
    try {
      const results = await api.batch(letters.map(({ call }) => call));
      if (this.#backoff.reset()) log.info("The API takes reports of attempts again");
      return results;
    } catch (error) {
      if (hasCode(error, "TOO_LARGE")) return await this.#postSmaller(letters, error);
      if (this.#backoff.isFirst) {
        log.warn("Cannot report attempts now; they go on and are reported later", {
          error: messageOf(error),
        });
      }
      return null;
    }
  }

  /** Halves of a request that is too large, down to the call that is so by itself. */
  async #postSmaller(letters: readonly Letter[], error: AppError): Promise<CallResult[] | null> {
    if (letters.length === 1) return [{ status: 413, reason: messageOf(error) }];
    const half = Math.ceil(letters.length / 2);
    const first = await this.#post(letters.slice(0, half));
    const second = first && await this.#post(letters.slice(half));
    return first && second && [...first, ...second];
  }

  /** The next request's calls: of each attempt lines first, and its end only behind all of them. */
  #collect(): Letter[] {
    const letters: Letter[] = [];
    for (const box of this.#dirty) {
      const isAll = this.#collectFrom(box, letters);
      if (isAll) this.#dirty.delete(box);
      else this.#isUrgent = true;
      if (letters.length >= limits.executionBatch) {
        this.#isUrgent ||= this.#dirty.size > 0;
        break;
      }
    }
    return letters;
  }

  #collectFrom(box: Mailbox, letters: Letter[]): boolean {
    const hasRoom = () => letters.length < limits.executionBatch;
    const { attemptId, token, log } = box;
    if (box.wantsHeartbeat && (!box.end || box.troubles > 0) && hasRoom()) {
      letters.push(this.#heartbeat(box));
    }
    if (box.isWaiting) return true;
    if (log.lineCount > 0) {
      if (!hasRoom()) return false;
      const { from, lines } = log.peek();
      letters.push({
        box,
        call: { call: "log", attemptId, token, from, lines },
        settle: (result) => this.#linesAnswered(box, lines.length, result),
      });
      // The rest, and the end, go with the next request: these may have to be sent again.
      if (log.lineCount > lines.length) return false;
    }
    if (!box.end) return true;
    if (!hasRoom()) return false;
    const { end } = box.end;
    letters.push({
      box,
      call: { call: "end", attemptId, token, end },
      settle: (result) => this.#endAnswered(box, result),
    });
    return true;
  }

  #heartbeat(box: Mailbox): Letter {
    const { attemptId, token } = box;
    box.wantsHeartbeat = false;
    return {
      box,
      call: { call: "heartbeat", attemptId, token },
      settle: (result) => {
        if (result.token) box.token = result.token;
        if (isStop(result)) box.onRefused(result);
      },
    };
  }

  #linesAnswered(box: Mailbox, count: number, result: CallResult): void {
    if (isTrouble(result) && this.#retryLater(box, result)) return;
    this.#outOfTrouble(box);
    if (result.status < 300) return box.log.sent(count);
    // Not these lines nor later ones: refused for what they are, or for whose they are.
    box.log.close();
    if (isStop(result)) box.onRefused(result);
    else this.#warn(box, "lines", result);
  }

  #endAnswered(box: Mailbox, result: CallResult): void {
    if (isTrouble(result) && this.#retryLater(box, result)) return;
    const letter = box.end!;
    if (result.status === 413 && letter.end.outcome !== null) {
      letter.end = { ...letter.end, ...tooLarge(result) };
      return this.#urge(box);
    }
    if (result.status >= 300 && !isStop(result)) this.#warn(box, "the end", result);
    this.#forget(box);
    letter.answered.resolve(result);
  }

  #forget(box: Mailbox): void {
    this.#outOfTrouble(box);
    box.log.close();
    this.#mailboxes.delete(box);
    this.#dirty.delete(box);
  }

  /** False when it was tried often enough. */
  #retryLater(box: Mailbox, result: CallResult): boolean {
    if (box.isWaiting) return true;
    // A full disk is emptied some time; an error that nobody expected stays.
    if (++box.troubles > TROUBLES_MAX && result.status !== 507) return false;
    this.#inTrouble(box, result);
    const ms = TROUBLE_DELAY_MS * 2 ** Math.min(box.troubles - 1, 5);
    box.isWaiting = true;
    this.#parts.clock.sleep(ms, { signal: this.#given.signal }).then(() => {
      box.isWaiting = false;
      if (this.#mailboxes.has(box)) this.#urge(box);
    });
    return true;
  }

  /** Said once, however many attempts it concerns. */
  #inTrouble(box: Mailbox, { status, reason }: CallResult): void {
    this.#troubled.add(box);
    if (this.#trouble !== null) return;
    this.#trouble = reason ?? `status ${status}`;
    this.#parts.log.warn("The API cannot take reports of attempts now; they are sent again later", {
      error: this.#trouble,
    });
  }

  #outOfTrouble(box: Mailbox): void {
    box.troubles = 0;
    if (!this.#troubled.delete(box) || this.#troubled.size > 0) return;
    this.#trouble = null;
    this.#parts.log.info("The API takes reports of attempts again");
  }

  #warn({ attemptId }: Mailbox, what: string, { status, reason }: CallResult): void {
    this.#parts.log.error(`The API refused ${what} of an attempt`, {
      attempt: attemptId,
      status,
      reason,
    });
  }
}

function isStop({ status }: CallResult): boolean {
  return status === 409 || status === 410;
}

/** What is said instead of an end that cannot be sent. */
function tooLarge({ reason }: CallResult) {
  return failedEnd("invalid_outcome", {
    message: `What the task put out beside its output is too large to be reported (${reason}); ` +
      "put large data into files with ctx.files.put()",
  });
}

/** Worth another try: the API or its disk has trouble, not the call. */
function isTrouble({ status }: CallResult): boolean {
  return status === 500 || status === 507;
}
