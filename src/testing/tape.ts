/**
 * @module HTTP of tasks in this process: recorded, answered from a record, or refused. Which task a
 * request is of is known by the asynchronous context, so that several runs can go on at one time.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** Answers the requests of tasks in place of the network. */
export type Answer = (request: Request) => Response | Promise<Response>;

/** The attempt that code belongs to. */
export interface AttemptScope {
  attemptId: string;
  /** Null: its requests go to the network. */
  answer: Answer | null;
  /** Requests that are not answered yet. */
  openRequests: number;
  /** Sleeps that have not ended yet. */
  sleeps: number;
}

const scopes = new AsyncLocalStorage<AttemptScope>();
const network: typeof fetch = globalThis.fetch;
let isPatched = false;

/** Run code as that of an attempt. */
export function inScope<T>(scope: AttemptScope, body: () => Promise<T>): Promise<T> {
  patchFetch();
  return scopes.run(scope, body);
}

/** The attempt whose code calls; null: none. */
export function currentScope(): AttemptScope | null {
  return scopes.getStore() ?? null;
}

/** Ask the network, whatever stands in for it. */
export function askNetwork(request: Request): Promise<Response> {
  return scopes.exit(() => network(request));
}

function patchFetch(): void {
  if (isPatched) return;
  isPatched = true;
  globalThis.fetch = async (input, init) => {
    const scope = currentScope();
    if (!scope) return await network(input, init);
    scope.openRequests++;
    try {
      if (!scope.answer) return await network(input, init);
      init?.signal?.throwIfAborted();
      return await scope.answer(new Request(input, init));
    } finally {
      scope.openRequests--;
    }
  };
}
