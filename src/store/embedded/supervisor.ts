/** @module Keeps the embedded PostgreSQL running: starts it again when it dies. */
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { Health, Service } from "../../base/service.ts";
import { messageOf } from "../../model/errors.ts";
import type { Postmaster } from "./postmaster.ts";

/** Waits between starts that fail or do not last; the last one repeats. */
const backoffMs = [0, 100, 250, 500, 1_000, 2_000, 5_000];
/** Tries of the first start: for a moment the helpers of a killed server may still hold its memory. */
const firstTries = 5;
/** A server that ran for this long is not in a loop of crashes. */
const lastedMs = 30_000;

/** The service around one server; `launch` starts a server on the same data and port. */
export class PostgresService implements Service {
  readonly name = "postgres";
  readonly #launch: () => Promise<Postmaster>;
  readonly #release: () => Promise<void>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #server: Postmaster | null = null;
  #loop: Promise<void> | null = null;
  #restarts = 0;
  #trouble: string | null = null;

  constructor(
    { launch, release, clock, log }: {
      launch: () => Promise<Postmaster>;
      /** Called once after the server stopped for good. */
      release: () => Promise<void>;
      clock: Clock;
      log: Logger;
    },
  ) {
    this.#launch = launch;
    this.#release = release;
    this.#clock = clock;
    this.#log = log;
  }

  /** Process id of the server that runs now. */
  get pid(): number | null {
    return this.#server?.pid ?? null;
  }

  async start(): Promise<void> {
    if (this.#loop) return;
    for (let tries = 1; !this.#server; tries++) {
      try {
        this.#server = await this.#launch();
      } catch (error) {
        if (tries === firstTries) throw error;
        await this.#clock.sleep(backoffMs[tries]);
      }
    }
    this.#loop = this.#watch();
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return await this.#loop ?? undefined;
    this.#stopping.abort();
    await this.#server?.stop();
    await this.#loop;
    await this.#release();
  }

  health(): Health {
    return {
      started: this.#loop !== null,
      ready: this.#server !== null,
      detail: {
        pid: this.pid,
        restarts: this.#restarts,
        ...(this.#trouble ? { trouble: this.#trouble } : {}),
      },
    };
  }

  async #watch(): Promise<void> {
    for (let tries = 0; this.#server;) {
      const startedMs = this.#clock.monotonicMs();
      const { code, signal } = await this.#server.ended;
      this.#server = null;
      if (this.#stopping.signal.aborted) return;
      this.#trouble = `ended by itself with ${signal ?? `code ${code}`}`;
      this.#log.error("The embedded PostgreSQL ended; starting it again", {
        code,
        signal,
        restarts: ++this.#restarts,
      });
      if (this.#clock.monotonicMs() - startedMs > lastedMs) tries = 0;
      tries = await this.#revive(tries);
    }
  }

  /** Start again, after the wait that is due for the try of this number; the number of the next. */
  async #revive(tries: number): Promise<number> {
    while (true) {
      const waitMs = backoffMs[Math.min(tries++, backoffMs.length - 1)];
      await this.#clock.sleep(waitMs, { signal: this.#stopping.signal });
      if (this.#stopping.signal.aborted) return tries;
      try {
        const server = await this.#launch();
        if (this.#stopping.signal.aborted) {
          await server.stop();
          return tries;
        }
        this.#server = server;
        this.#trouble = null;
        this.#log.info("The embedded PostgreSQL runs again", { pid: server.pid });
        return tries;
      } catch (error) {
        this.#trouble = messageOf(error);
        this.#log.error("The embedded PostgreSQL did not start; trying again", {
          error: this.#trouble,
        });
      }
    }
  }
}
