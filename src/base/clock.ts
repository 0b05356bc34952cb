/** @module The only door to time. Everything else takes a {@link Clock}. */

/** A source of time. Wall time is for records; the monotonic reading is for measuring. */
export interface Clock {
  /** Wall time. */
  now(): Date;
  /** Milliseconds from an arbitrary origin; never goes back. */
  monotonicMs(): number;
  /** Resolve after `ms`; resolve early (never reject) when `signal` aborts. */
  sleep(ms: number, options?: { signal?: AbortSignal }): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep(ms, { signal } = {}) {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(finish, Math.min(Math.max(ms, 0), 2 ** 31 - 1));
      signal?.addEventListener("abort", finish, { once: true });
      function finish() {
        clearTimeout(timer);
        signal?.removeEventListener("abort", finish);
        resolve();
      }
    });
  },
};

/** A signal that aborts when `ms` have passed or `parent` aborts; dispose it to free the timer. */
export function deadline(ms: number, parent?: AbortSignal): AbortSignal & Disposable {
  const controller = new AbortController();
  const timer = setTimeout(
    () => controller.abort(new DOMException(`Timed out after ${ms} ms`, "TimeoutError")),
    ms,
  );
  const relay = () => controller.abort(parent!.reason);
  if (parent?.aborted) relay();
  else parent?.addEventListener("abort", relay, { once: true });
  return Object.assign(controller.signal, {
    [Symbol.dispose]() {
      clearTimeout(timer);
      parent?.removeEventListener("abort", relay);
    },
  });
}

/** A clock that moves only when told: for tests, `tidewheel run` and the simulation. */
export class VirtualClock implements Clock {
  #nowMs: number;
  /** In the order in which they went to sleep. */
  #sleepers: { atMs: number; wake: () => void }[] = [];

  constructor(start: Date | string = "2030-01-01T00:00:00Z") {
    this.#nowMs = new Date(start).getTime();
  }

  now(): Date {
    return new Date(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(ms: number, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = {
        atMs: this.#nowMs + Math.max(ms, 0),
        wake: () => {
          this.#sleepers = this.#sleepers.filter((s) => s !== sleeper);
          signal?.removeEventListener("abort", sleeper.wake);
          resolve();
        },
      };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", sleeper.wake, { once: true });
    });
  }

  /** The instant of the next sleeper to wake, if any. */
  nextWakeAt(): Date | null {
    const next = this.#next();
    return next ? new Date(next.atMs) : null;
  }

  /** Move to `at`, waking every sleeper due until then, in order. */
  advanceTo(at: Date): void {
    const untilMs = at.getTime();
    for (let next = this.#next(); next && next.atMs <= untilMs; next = this.#next()) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** Move forward by `ms`. */
  advance(ms: number): void {
    this.advanceTo(new Date(this.#nowMs + ms));
  }

  #next() {
    let next = this.#sleepers.at(0);
    for (const sleeper of this.#sleepers) {
      if (sleeper.atMs < next!.atMs) next = sleeper;
    }
    return next;
  }
}
