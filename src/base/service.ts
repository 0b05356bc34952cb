/** @module What every background part looks like from outside. */

/** State of a service for its health routes. */
export interface Health {
  /** False until the first full pass; the start-up probe. */
  started: boolean;
  /** Can it do its work now; the readiness probe. */
  ready: boolean;
  /** Shown as is: what is wrong, or figures that help. */
  detail?: Readonly<Record<string, unknown>>;
}

/** A part with a life of its own. `start` returns once it runs; `stop` once nothing of it does. */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  health(): Health;
}
