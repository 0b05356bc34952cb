/** @module The Task Execution API for a worker in this process, over a store in memory. */
import { claimDesk } from "../api/execution/claim.ts";
import { executionCalls, type RawCall } from "../api/execution/batch.ts";
import { versionCache } from "../api/execution/versions.ts";
import { workloadBuilder } from "../api/execution/workload.ts";
import { tokenMint } from "../api/attempt_token.ts";
import type { Clock } from "../base/clock.ts";
import { randomToken } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import { systemRandom } from "../base/random.ts";
import type { ClaimRequest, LogLine } from "../contract/execution.ts";
import type { AttemptLogs } from "../logs/mod.ts";
import { noMetrics, noTracer } from "../metrics/mod.ts";
import { AppError, messageOf } from "../model/errors.ts";
import type { ObjectStore } from "../objects/port.ts";
import type { MemoryEngineStore } from "../store/engine_memory.ts";
import type { Fetch } from "../worker/mod.ts";
import type { LocalSecrets } from "./local_secrets.ts";

/** What the API is made of. */
export interface LocalApiParts {
  store: MemoryEngineStore;
  objects: ObjectStore;
  clock: Clock;
  log: Logger;
  secrets: LocalSecrets;
  /** Gets each log line. */
  print(attemptId: string, line: LogLine): void;
}

/** A handler of the API's requests. */
export function localExecutionApi(parts: LocalApiParts): Fetch {
  const { store, objects, clock, log, secrets } = parts;
  const versions = versionCache(store);
  const mint = tokenMint(randomToken());
  const logs = printedLogs(parts);
  const workloads = workloadBuilder({ store, versions, objects, mint, clock });
  const desk = claimDesk({ store, workloads, logs, metrics: noMetrics, clock, log });
  const calls = executionCalls({
    ...{ store, versions, logs, mint, clock, log },
    random: systemRandom,
    metrics: noMetrics,
    tracer: noTracer,
    onEnded: (attemptId) => desk.forget(attemptId),
  });
  const listening = store.listen((hint) => desk.onHint(hint));

  async function answer(request: Request): Promise<unknown> {
    const { pathname, searchParams } = new URL(request.url);
    const [, , what, id = ""] = pathname.split("/");
    await listening;
    if (what === "claim") {
      return await desk.claim(await request.json() as ClaimRequest, request.signal);
    }
    if (what === "batch") {
      const { calls: given } = await request.json() as { calls: RawCall[] };
      return { results: await calls.run(given) };
    }
    if (what === "connections") return secrets.connection(decodeURIComponent(id));
    if (what === "variables") return { value: secrets.variable(decodeURIComponent(id)) };
    if (what === "datasets") return latest(store, searchParams);
    throw new AppError("NOT_FOUND", `There is no ${pathname} in a run without a server`);
  }

  return async (request) => {
    try {
      return Response.json(await answer(request));
    } catch (error) {
      if ((error as Error).name === "AbortError") throw error;
      const status = error instanceof AppError && error.code === "NOT_FOUND" ? 404 : 500;
      return Response.json({ detail: messageOf(error) }, { status });
    }
  };
}

/** Lines go to the screen as they come; nothing is kept. */
function printedLogs({ print }: LocalApiParts): AttemptLogs {
  const seen = new Map<string, number>();
  return {
    begin() {},
    append(attemptId, from, lines) {
      const next = seen.get(attemptId) ?? 0;
      lines.slice(Math.max(0, next - from)).forEach((line) => print(attemptId, line));
      seen.set(attemptId, Math.max(next, from + lines.length));
      return Promise.resolve({ next: from + lines.length, open: true });
    },
    read: () => Promise.resolve({ lines: [], nextOffset: 0, ended: true, more: false }),
    end() {},
    changed: () => Promise.resolve(),
    sweep: () => Promise.resolve(),
    settle: () => Promise.resolve(),
  };
}

/** What this run published so far. */
function latest(store: MemoryEngineStore, query: URLSearchParams) {
  const partition = query.get("partition");
  const found = store.datasets().findLast(({ intent }) =>
    intent.dataset === query.get("dataset") &&
    (partition === null || intent.partition === partition)
  );
  if (!found) return null;
  const { intent } = found;
  return {
    id: found.id,
    dataset: intent.dataset,
    partition: intent.partition,
    version: found.version,
    kind: intent.kind,
    knownAt: new Date(Math.floor(found.knownAtMs)).toISOString(),
    sha256: found.sha256,
    rows: intent.rows,
    bytes: intent.files.reduce((sum, file) => sum + file.bytes, 0),
    schema: intent.schema,
    files: intent.files,
    lineageFiles: intent.lineageFiles,
  };
}
