/** @module The API: REST for people and programs, the Task Execution API for workers. */
import { limits } from "../base/limits.ts";
import { messageOf } from "../model/errors.ts";
import type { Service } from "../base/service.ts";
import { appendAudit } from "../store/audit_log.ts";
import { pgBackfillStore } from "../store/backfill_pg.ts";
import { readConnectionSecret } from "../store/connection.ts";
import { findNewestVersion, versionInfo } from "../store/dataset_query.ts";
import { readVariable } from "../store/variable.ts";
import { type AttemptClaims, tokenMint } from "./attempt_token.ts";
import { authenticator } from "./auth.ts";
import { collectGauges } from "./gauges.ts";
import { allowOrigin, answerPreflight } from "./cors.ts";
import { errorResponse } from "./errors.ts";
import { createExecution, type Execution, type ExecutionLookups } from "./execution/execution.ts";
import { answerBatch, answerClaim, hotPaths } from "./execution/hot.ts";
import { addExecutionRoutes } from "./execution/routes.ts";
import { versionCache } from "./execution/versions.ts";
import { guard } from "./guard.ts";
import type { ApiParts } from "./parts.ts";
import { productOf, type Rest, versionRowCache } from "./rest.ts";
import { addServiceRoutes } from "./role_app.ts";
import { type AnyRoute, routeBook } from "./route.ts";
import { addBackfillRoutes } from "./routes/backfills.ts";
import { addBulkRoutes } from "./routes/bulk.ts";
import { addByHandRoutes } from "./routes/by_hand.ts";
import { addConnectionRoutes } from "./routes/connections.ts";
import { addDagRunRoutes } from "./routes/dag_runs.ts";
import { addDagRunBulk } from "./routes/dag_runs_bulk.ts";
import { addVersionDiff } from "./routes/dag_version_diff.ts";
import { addDagRoutes } from "./routes/dags.ts";
import { addDagWarningRoutes } from "./routes/dag_warnings.ts";
import { addDatasetRoutes } from "./routes/datasets.ts";
import { addQuarantineRoutes } from "./routes/quarantine.ts";
import { addSchemaRoutes } from "./routes/schemas.ts";
import { addLogRoutes } from "./routes/logs.ts";
import { addMaintenanceRoutes } from "./routes/maintenance.ts";
import { addMetaRoutes } from "./routes/meta.ts";
import { addPoolRoutes } from "./routes/pools.ts";
import { addAssetRoutes } from "./routes/assets.ts";
import { addQueuedEventRoutes } from "./routes/queued_events.ts";
import { addDeadlineRoutes } from "./routes/deadlines.ts";
import { addEventRoutes } from "./routes/events.ts";
import { addRecordRoutes } from "./routes/records.ts";
import { addHitlRoutes } from "./routes/hitl.ts";
import { addTaskInstanceRoutes } from "./routes/task_instances.ts";
import { addTaskSummaryRoutes } from "./routes/task_summaries.ts";
import { addTokenRoutes } from "./routes/tokens.ts";
import { addWebhookRoutes } from "./routes/webhooks.ts";
import { addVariableRoutes } from "./routes/variables.ts";
import { confCheck } from "./runs.ts";

/** The API of one process; as a service it hands out work and looks after logs. */
export interface Api extends Service {
  /** Answers any request; never rejects. */
  fetch(request: Request): Promise<Response>;
  /** The Task Execution API without HTTP: for a worker in this process. */
  readonly execution: Execution;
  /** Makes a worker's token for these queues (default: all). */
  workerToken(queues?: readonly string[]): string;
  /** Every route with its permission. */
  readonly routes: readonly AnyRoute[];
  /** What the router holds: the same, unless somebody went past the book. */
  readonly registered: readonly { method: string; path: string }[];
}

/** Make the API; `start` it before it takes requests. */
export function createApi(parts: ApiParts): Api {
  const { sql, clock, metrics, settings, log } = parts;
  const mint = tokenMint(settings.tokenKey);
  const auth = authenticator({ sql, mint, clock });
  const versions = versionCache(parts.store);
  const execution = createExecution({ ...parts, mint, versions });
  const closing = new AbortController();
  const rest: Rest = {
    ...parts,
    closing: closing.signal,
    versions,
    checkConf: confCheck(),
    backfills: pgBackfillStore({ ...parts, product: productOf(parts) }),
    versionRows: versionRowCache(sql),
  };
  const book = routeBook({
    auth,
    log,
    audit: (event) => appendAudit(sql, { event, now: clock.now() }),
    onRefused: (code) => metrics.inc("tidewheel_api_refused_total", { code }),
    checkAnswers: settings.checkAnswers,
  });
  collectGauges(rest);
  addDagRoutes(book, rest);
  addVersionDiff(book, rest);
  addDagWarningRoutes(book, rest);
  addDagRunRoutes(book, rest);
  addDagRunBulk(book, rest);
  addLogRoutes(book, rest);
  addTaskInstanceRoutes(book, rest);
  addByHandRoutes(book, rest);
  addTaskSummaryRoutes(book, rest);
  addHitlRoutes(book, rest);
  addBackfillRoutes(book, rest);
  addBulkRoutes(book, rest);
  addDatasetRoutes(book, rest);
  addQuarantineRoutes(book, rest);
  addSchemaRoutes(book, rest);
  addPoolRoutes(book, rest);
  addVariableRoutes(book, rest);
  addConnectionRoutes(book, rest);
  addTokenRoutes(book, rest);
  addEventRoutes(book, rest);
  addDeadlineRoutes(book, rest);
  addRecordRoutes(book, rest);
  addAssetRoutes(book, rest);
  addQueuedEventRoutes(book, rest);
  addWebhookRoutes(book, rest);
  addMaintenanceRoutes(book, rest);
  addMetaRoutes(book, rest, auth);
  addExecutionRoutes(book, { execution, objects: parts.objects, lookups: lookupsOf(parts) });
  const service = apiService(parts, { execution, closing });
  const services = () => [service, ...parts.services];
  addServiceRoutes(book, { role: "api", version: settings.version, services, metrics });

  async function answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    guard(request, url, settings);
    const preflight = answerPreflight(request);
    if (preflight) return preflight;
    if (request.method === "GET" && docsAliases.has(url.pathname)) {
      return new Response(null, { status: 302, headers: { location: "/api/docs" } });
    }
    if (request.method === "POST") {
      if (url.pathname === hotPaths.batch) return await answerBatch(request, { execution });
      if (url.pathname === hotPaths.claim) return await answerClaim(request, { auth, execution });
    }
    const startedMs = clock.monotonicMs();
    const response = await book.app.fetch(request);
    const route = routeOf(url.pathname);
    metrics.inc("tidewheel_api_requests_total", {
      method: request.method,
      route,
      status: String(response.status),
    });
    const tookS = (clock.monotonicMs() - startedMs) / 1000;
    metrics.observe("tidewheel_api_request_duration_seconds", { route }, tookS);
    return response;
  }

  return {
    async fetch(request) {
      try {
        return allowOrigin(request, await answer(request), settings.allowedOrigins);
      } catch (error) {
        const { response, unforeseen } = errorResponse(error);
        metrics.inc("tidewheel_api_refused_total", {
          code: (error as { code?: string }).code ?? "INTERNAL",
        });
        if (unforeseen !== undefined) {
          log.error("Could not answer a request", {
            error: messageOf(unforeseen),
            stack: unforeseen instanceof Error ? unforeseen.stack : undefined,
          });
        }
        return allowOrigin(request, response, settings.allowedOrigins);
      }
    },
    execution,
    workerToken: (queues = ["*"]) => mint.worker(queues),
    ...service,
    routes: book.routes,
    registered: book.app.routes,
  };
}

/** What people type who look for the documentation. */
const docsAliases: ReadonlySet<string> = new Set(["/", "/api", "/api/", "/api/docs/", "/docs"]);

/** The resource of a path: few values, so that the metric stays small. */
function routeOf(path: string): string {
  const parts = path.split("/");
  const last = parts.findLast((part) => resources.has(part));
  return last ?? (parts[1] === "health" || parts[1] === "metrics" ? parts[1] : "other");
}

const resources = new Set([
  "dags",
  "dagRuns",
  "taskInstances",
  "logs",
  "tries",
  "xcomEntries",
  "wait",
  "clear",
  "clearTaskInstances",
  "attempts",
  "pools",
  "variables",
  "connections",
  "backfills",
  "bulk",
  "tokens",
  "importErrors",
  "eventLogs",
  "datasets",
  "assets",
  "events",
  "materialize",
  "webhooks",
  "queuedEvents",
  "partitions",
  "versions",
  "lineage",
  "quarantine",
  "task-instances",
  "bundles",
  "docs",
]);

function lookupsOf({ sql, secrets: box, clock }: ApiParts): ExecutionLookups {
  const readerOf = (attempt: AttemptClaims) => ({
    actor: `attempt:${attempt.attemptId}`,
    dagId: attempt.dagId,
    runId: attempt.runId,
    taskId: attempt.taskId,
    mapIndex: attempt.mapIndex,
    tryNumber: attempt.tryNumber,
  });
  return {
    connection: (connectionId, attempt) =>
      readConnectionSecret(sql, { connectionId, box, reader: readerOf(attempt), now: clock.now() }),
    variable: (key, attempt) =>
      readVariable(sql, { key, box, reader: readerOf(attempt), now: clock.now() }),
    async latestDataset(dataset, partition) {
      const found = await findNewestVersion(sql, { dataset, partition });
      return found && versionInfo(found);
    },
  };
}

/** What runs beside the requests: nothing in it is needed for an answer. */
function apiService(
  { logs, clock, log }: ApiParts,
  { execution, closing }: {
    execution: Execution;
    closing: AbortController;
  },
): Service {
  let stopping: AbortController | null = null;
  let running: Promise<void> = Promise.resolve();
  let isStarted = false;

  async function look() {
    await logs.sweep().catch((error) =>
      log.warn("Could not look after what the API keeps: it will look again", {
        what: "logs",
        error: messageOf(error),
      })
    );
  }

  return {
    name: "api",
    async start() {
      if (stopping) return;
      const { signal } = stopping = new AbortController();
      await execution.start();
      isStarted = true;
      running = (async () => {
        while (!signal.aborted) {
          await look();
          await clock.sleep(limits.apiLookMs, { signal });
        }
      })();
    },
    async stop() {
      closing.abort();
      stopping?.abort();
      stopping = null;
      await execution.stop();
      await running;
      await logs.settle();
    },
    health: () => ({ started: isStarted, ready: isStarted && stopping !== null }),
  };
}
