/** @module The Task Execution API in memory, for tests of workers: it can go away and come back. */
import type { Bundle } from "../../src/contract/bundle.ts";
import { packBundle } from "../../src/contract/bundle.ts";
import type {
  AttemptEnd,
  BatchRequest,
  CallResult,
  ClaimRequest,
  ConnectionSecret,
  ExecutionCall,
  LogLine,
  Workload,
} from "../../src/contract/execution.ts";

/** See the module. Methods that end in `…d` are what came in. */
export class FakeExecutionApi {
  /** Answers of bundles by hash. */
  readonly bundles = new Map<string, Bundle>();
  readonly connections = new Map<string, ConnectionSecret>();
  readonly variables = new Map<string, unknown>();
  readonly ends = new Map<string, AttemptEnd>();
  readonly lines = new Map<string, LogLine[]>();
  readonly heartbeats = new Map<string, number>();
  /** Calls of each batch, in order. */
  readonly batches: ExecutionCall[][] = [];
  readonly claims: ClaimRequest[] = [];
  /** Paths of all other requests. */
  readonly reads: string[] = [];
  /** While set, nobody gets an answer. */
  isDown = false;
  /** Called for each call; a result of its own takes the place of the usual one. */
  onCall: (call: ExecutionCall) => CallResult | undefined = () => undefined;
  readonly #queue: Workload[] = [];
  readonly #stops: string[] = [];
  #waiting: PromiseWithResolvers<void> | null = null;
  readonly #endWaiters = new Map<string, PromiseWithResolvers<AttemptEnd>>();

  /** Give these to the next who claims. */
  enqueue(...workloads: Workload[]): void {
    this.#queue.push(...workloads);
    this.#wake();
  }

  /** Tell the worker that somebody wants this attempt to stop. */
  requestStop(attemptId: string): void {
    this.#stops.push(attemptId);
    this.#wake();
  }

  /** Workloads that nobody has claimed. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Resolves with the end of an attempt. */
  ended(attemptId: string): Promise<AttemptEnd> {
    const end = this.ends.get(attemptId);
    if (end) return Promise.resolve(end);
    const waiter = this.#endWaiters.get(attemptId) ?? Promise.withResolvers<AttemptEnd>();
    this.#endWaiters.set(attemptId, waiter);
    return waiter.promise;
  }

  /** Messages of an attempt's log. */
  messages(attemptId: string): string[] {
    return (this.lines.get(attemptId) ?? []).map(({ message }) => message);
  }

  /** What a worker is given as its `fetch`. */
  readonly fetch = async (request: Request): Promise<Response> => {
    if (this.isDown) throw new TypeError("connection refused");
    const path = new URL(request.url).pathname.replace("/execution", "");
    if (path === "/claim") return await this.#claim(await request.json(), request.signal);
    if (path === "/batch") return this.#batch(await request.json());
    this.reads.push(path);
    return this.#read(path);
  };

  async #claim(claim: ClaimRequest, signal: AbortSignal): Promise<Response> {
    this.claims.push(claim);
    const has = () => (claim.slots > 0 && this.#queue.length > 0) || this.#stops.length > 0;
    if (!has()) {
      this.#waiting ??= Promise.withResolvers();
      const aborted = Promise.withResolvers<void>();
      if (signal.aborted) aborted.resolve();
      signal.addEventListener("abort", () => aborted.resolve(), { once: true });
      await Promise.race([this.#waiting.promise, aborted.promise]);
    }
    if (this.isDown) throw new TypeError("connection reset");
    if (signal.aborted) return Response.json({ workloads: [], stop: [] });
    return Response.json({
      workloads: this.#queue.splice(0, claim.slots),
      stop: this.#stops.splice(0),
    });
  }

  #batch({ calls }: BatchRequest): Response {
    this.batches.push(calls);
    return Response.json({ results: calls.map((call) => this.onCall(call) ?? this.#take(call)) });
  }

  #take(call: ExecutionCall): CallResult {
    const { attemptId } = call;
    if (call.token !== `token of ${attemptId}`) return { status: 401, reason: "wrong token" };
    if (this.ends.has(attemptId)) return { status: 410, reason: "gone" };
    switch (call.call) {
      case "heartbeat":
        this.heartbeats.set(attemptId, (this.heartbeats.get(attemptId) ?? 0) + 1);
        return { status: 204 };
      case "log": {
        const lines = this.lines.get(attemptId) ?? [];
        this.lines.set(attemptId, [...lines.slice(0, call.from), ...call.lines]);
        return { status: 204 };
      }
      case "end":
        this.ends.set(attemptId, call.end);
        this.#endWaiters.get(attemptId)?.resolve(call.end);
        return { status: 200 };
    }
  }

  #read(path: string): Response {
    const [, kind, id] = path.split("/").map(decodeURIComponent);
    if (kind === "bundles" && this.bundles.has(id)) {
      return new Response(packBundle(this.bundles.get(id)!) as Uint8Array<ArrayBuffer>);
    }
    if (kind === "connections" && this.connections.has(id)) {
      return Response.json(this.connections.get(id));
    }
    if (kind === "variables" && this.variables.has(id)) {
      return Response.json({ key: id, value: this.variables.get(id) });
    }
    if (kind === "datasets") return new Response(null, { status: 204 });
    return Response.json({ detail: `There is no ${path}` }, { status: 404 });
  }

  #wake(): void {
    this.#waiting?.resolve();
    this.#waiting = null;
  }
}
