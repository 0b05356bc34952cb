/** @module The product's services, each made from the parts of its role. */
import { join } from "node:path";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { createApi } from "../api/mod.ts";
import { systemRandom } from "../base/random.ts";
import type { Service } from "../base/service.ts";
import { enginePool } from "../engine/pool.ts";
import { type AttemptLogs, fileLogs } from "../logs/mod.ts";
import { createTracer } from "../metrics/mod.ts";
import { watcherService } from "../triggers/watchers.ts";
import { parserService } from "../parser/mod.ts";
import { schedulerService } from "../scheduler/loop.ts";
import { isBulkOpen, workBulk } from "../store/bulk_work.ts";
import { stepCascades } from "../store/backfill_cascade.ts";
import { pgBackfillStore } from "../store/backfill_pg.ts";
import { attemptPhases } from "../store/attempt_phase.ts";
import { parserStore } from "../store/dag.ts";
import { knownPlace } from "../store/embedded/place.ts";
import { RetentionService } from "../store/retention.ts";
import { batchManager } from "../triggers/batch/service.ts";
import { triggersService } from "../triggers/waits/mod.ts";
import { type Fetch, type WorkerOptions, workerService } from "../worker/mod.ts";
import { processExecutor } from "../../executors/process/mod.ts";
import config from "../../deno.json" with { type: "json" };
import { objectsUrl } from "./home.ts";
import { recordLife } from "./last_life.ts";
import type { DatabaseParts, Parts } from "./parts.ts";
import { leftoverSweep } from "./retention.ts";
import { tableReader } from "./table_reader.ts";
import { takeWorkDir } from "./work_dir.ts";

/** The leader's loop. */
export function makeScheduler(
  { store, handOver, clock, ids, log, metrics, settings }: DatabaseParts,
) {
  return schedulerService({
    ...{ store, handOver, clock, ids, log, metrics },
    random: systemRandom,
    holder: `${hostname()}:${Deno.pid}`,
    heartbeatTimeoutMs: settings.heartbeatTimeoutMs,
    tracer: createTracer({ enabled: settings.jaegerEnabled }),
  });
}

/** What looks at the triggers of deferred tasks. */
export function makeTriggers({ store, clock, ids, log, metrics }: DatabaseParts): Service {
  return triggersService({
    ...{ store, clock, ids, log, metrics },
    random: systemRandom,
    holder: `${hostname()}:${Deno.pid}`,
  });
}

/** The parser of the dags folder. */
export function makeParser(
  { sql, ids, settings, objects, home, clock, log, metrics, hints }: DatabaseParts,
) {
  return parserService({
    dagsDir: settings.dagsDir,
    objects,
    store: parserStore(sql, ids, { pausedAtCreation: settings.pausedAtCreation }),
    cacheDir: home.bundles,
    clock,
    log,
    metrics,
    onHint: (hint) => hints.publish(hint),
  });
}

/** Makes the runs of backfills, and does bulk jobs. */
export function makeBatchManager(parts: DatabaseParts): Service {
  const { clock, log, metrics, hints, settings } = parts;
  const withProduct = { ...parts, product: { version: config.version, image: settings.image } };
  return batchManager({
    ...{ clock, log, metrics },
    backfills: pgBackfillStore(withProduct),
    workBulk: (now) => workBulk(withProduct, {}, now),
    isBulkOpen: () => isBulkOpen(parts.sql),
    stepCascades: (now) => stepCascades(parts, now),
    listen: (onHint) => hints.subscribe(onHint),
  });
}

/** Looks out for files, for messages of topics, or both. */
export function makeWatchers(
  { sql, store, objects, secrets, clock, log, metrics }: DatabaseParts,
  kinds: readonly ("files" | "kafka")[] = ["files", "kafka"],
): Service {
  return watcherService({ kinds, sql, store, objects, secrets, clock, log, metrics });
}

/** Removes what is old. */
export function makeRetention(
  { sql, clock, log, settings, objects, home }: DatabaseParts,
): Service {
  return new RetentionService({
    ...{ sql, clock, log },
    policy: { runDays: settings.retentionDays },
    also: leftoverSweep({
      ...{ sql, clock, log, objects },
      logsDir: home.logs,
      cacheDir: home.bundles,
    }),
  });
}

/** Logs of attempts, as the API keeps them. */
export function makeLogs({ home, objects, clock, log, sql }: DatabaseParts): AttemptLogs {
  return fileLogs({
    dir: home.logs,
    objects,
    clock,
    log,
    phases: (attemptIds) => attemptPhases(sql, attemptIds),
  });
}

/** The API over its parts; `services` are those whose health it shows. */
export function makeApi(
  parts: DatabaseParts,
  services: readonly Service[],
  tokenKeys: readonly string[],
) {
  const engines = enginePool({ clock: parts.clock });
  const workDir = join(parts.home.work, "tables");
  const api = createApi({
    ...parts,
    random: systemRandom,
    logs: makeLogs(parts),
    tracer: createTracer({ enabled: parts.settings.jaegerEnabled }),
    tables: tableReader({ engines, objects: parts.objects, workDir }),
    services,
    settings: {
      version: config.version,
      image: parts.settings.image,
      tokenKey: tokenKeys,
      allowedHosts: parts.settings.allowedHosts,
      allowedOrigins: parts.settings.allowedOrigins,
    },
  });
  return { api, engines };
}

/** What no task may touch, whatever it declares: the product's secrets and the data of all tasks. */
async function denied({ home, settings }: Parts): Promise<string[]> {
  const database = await knownPlace(home.dir);
  const objects = objectsUrl(settings, home);
  return [
    ...["token", "secret.key", "postgres", "objects", "logs"].map((name) => join(home.dir, name)),
    ...(database ? [database.dir] : []),
    ...(objects.startsWith("file:") ? [fileURLToPath(objects)] : []),
  ];
}

/** Heartbeats of an attempt within the time after which it is lost. */
const HEARTBEATS = 6;

/** A worker, the id of its last life, and how what is its own is closed; `fetch` reaches the API. */
export async function makeWorker(
  parts: Parts,
  { fetch, direct, apiUrl, token, queues }: {
    fetch: Fetch;
    direct?: WorkerOptions["direct"];
    apiUrl?: string;
    token: string;
    queues: readonly string[];
  },
) {
  const { settings, home, clock, ids, log, metrics, objects } = parts;
  const { dir: workDir, release } = await takeWorkDir(home.work, queues);
  const workerId = `${hostname()}:${Deno.pid}:${ids.uuid().slice(-6)}`;
  const lastWorkerId = await recordLife(workDir, workerId);
  const engines = enginePool({ clock });
  const worker = workerService({
    fetch,
    direct,
    apiUrl,
    workerToken: token,
    workerId,
    hostname: hostname(),
    pid: Deno.pid,
    version: config.version,
    queues,
    slots: settings.workerSlots,
    heartbeatMs: settings.heartbeatTimeoutMs / HEARTBEATS,
    executor: processExecutor({
      workDir,
      clock,
      log,
      denied: await denied(parts),
      warmChildren: settings.warmChildren,
      onStarted: (isolation) =>
        metrics.inc("tidewheel_worker_children_started_total", { isolation }),
    }),
    objects,
    bundleCacheDir: home.bundles,
    engine: engines,
    clock,
    random: systemRandom,
    log,
    tracer: createTracer({ enabled: settings.jaegerEnabled }),
    metrics,
  });
  const close = () => engines.close().finally(release);
  return { worker, lastWorkerId, close };
}
