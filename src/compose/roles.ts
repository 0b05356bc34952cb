/** @module One role a process, as in a deployment: `tidewheel api`, `scheduler`, `parser`,
 * `file-manager`, `batch-manager`, `stream-manager`, `worker`. */
import { healthApp } from "../api/mod.ts";
import type { Service } from "../base/service.ts";
import type { VerbOptions } from "../cli/mod.ts";
import { AppError } from "../model/errors.ts";
import type { Settings } from "../settings.ts";
import { ensureAdminToken } from "./admin_token.ts";
import { makeDeliverer } from "./callbacks.ts";
import { apiUrl } from "./home.ts";
import { serve } from "./http.ts";
import { type DatabaseParts, openDatabaseParts, openParts, type Parts } from "./parts.ts";
import {
  makeApi,
  makeBatchManager,
  makeParser,
  makeRetention,
  makeScheduler,
  makeTriggers,
  makeWatchers,
  makeWorker,
} from "./services.ts";
import { untilSignal } from "./signals.ts";
import { rewrapStored, tokenKeysOf, workerToken } from "./secret_keys.ts";
import config from "../../deno.json" with { type: "json" };

/** Ports of the deployed services: their own, and that of their metrics. */
export const rolePorts: Readonly<Record<string, { port: number; metricsPort: number }>> = {
  "api": { port: 9000, metricsPort: 9100 },
  "scheduler": { port: 8081, metricsPort: 9091 },
  "parser": { port: 8087, metricsPort: 9097 },
  "file-manager": { port: 9002, metricsPort: 9102 },
  "triggers": { port: 9001, metricsPort: 9101 },
  "batch-manager": { port: 9003, metricsPort: 9103 },
  "stream-manager": { port: 9004, metricsPort: 9104 },
  "worker merger": { port: 8082, metricsPort: 9092 },
  "worker collector": { port: 8083, metricsPort: 9093 },
  "worker converter": { port: 8085, metricsPort: 9095 },
  "worker retry": { port: 8086, metricsPort: 9096 },
  "worker": { port: 8088, metricsPort: 9098 },
};

/** A role under way: what it serves, and how it stops. */
interface RunningRole {
  parts: Parts;
  services: Service[];
  handle: (request: Request) => Response | Promise<Response>;
  close(): Promise<void>;
}

/** Run one role until Ctrl-C. */
export async function runRole(
  role: string,
  settings: Settings,
  options: VerbOptions,
): Promise<number> {
  const queues = role === "worker" ? queuesOf(options) : [];
  const ports = rolePorts[`${role} ${queues.join(" ")}`] ?? rolePorts[role];
  const port = options.port === undefined
    ? portOf(settings, role, ports.port)
    : Number(options.port);
  const { parts, services, handle, close } = await openers[role](settings, queues);
  const { host } = settings;
  const server = serve({ host, port }, handle);
  const metrics = parts.metrics.enabled
    ? serve({ host, port: settings.metricsPort ?? ports.metricsPort }, metricsOnly(parts))
    : null;
  for (const service of services) await service.start();
  parts.log.info(`${role} is up`, {
    url: server.url,
    ...(metrics ? { metrics: `${metrics.url}/metrics` } : {}),
  });
  await untilSignal();
  for (const service of services.toReversed()) await service.stop();
  await Promise.all([server.stop(), metrics?.stop()]);
  await close();
  return 0;
}

/** TIDEWHEEL_PORT where it was set; else the role's own. */
function portOf(settings: Settings, role: string, own: number): number {
  return role === "api" || settings.port !== rolePorts.api.port ? settings.port : own;
}

function queuesOf({ queue }: VerbOptions): string[] {
  if (Array.isArray(queue) && queue.length > 0) return queue;
  return ["default"];
}

function metricsOnly({ metrics }: Parts) {
  return async (request: Request) => {
    if (new URL(request.url).pathname !== "/metrics") {
      return new Response("Only /metrics is served here\n", { status: 404 });
    }
    return new Response(await metrics.render(), {
      headers: { "content-type": metrics.contentType },
    });
  };
}

type Opener = (settings: Settings, queues: string[]) => Promise<RunningRole>;

const openers: Readonly<Record<string, Opener>> = {
  async api(settings) {
    const parts = await openDatabaseParts(settings, "api", { alone: false });
    await ensureAdminToken(parts);
    await rewrapStored(parts);
    const { api, engines } = makeApi(parts, [], await tokenKeysOf(settings, parts.home.dir));
    return {
      parts,
      services: [api],
      handle: (request) => api.fetch(request),
      async close() {
        await engines.close();
        await parts.close();
      },
    };
  },
  scheduler: (settings) =>
    databaseRole(
      settings,
      "scheduler",
      (parts) => [makeScheduler(parts), makeDeliverer(parts), makeRetention(parts)],
    ),
  "file-manager": (settings) =>
    databaseRole(settings, "file-manager", (parts) => [makeWatchers(parts, ["files"])]),
  "stream-manager": (settings) =>
    databaseRole(settings, "stream-manager", (parts) => [makeWatchers(parts, ["kafka"])]),
  "batch-manager": (settings) =>
    databaseRole(settings, "batch-manager", (parts) => [makeBatchManager(parts)]),
  triggers: (settings) => databaseRole(settings, "triggers", (parts) => [makeTriggers(parts)]),
  parser: (settings) => databaseRole(settings, "parser", (parts) => [makeParser(parts)]),
  async worker(settings, queues) {
    const parts = await openParts(settings, "worker");
    const token = settings.token ?? await derivedToken(settings, parts, queues);
    const { worker, close } = await makeWorker(parts, {
      fetch,
      apiUrl: apiUrl(settings),
      token,
      queues,
    });
    return {
      parts,
      services: [worker],
      handle: roleHandler(parts, "worker", [worker]),
      close,
    };
  },
};

async function databaseRole(
  settings: Settings,
  role: string,
  make: (parts: DatabaseParts) => Service[],
): Promise<RunningRole> {
  const parts = await openDatabaseParts(settings, role, { alone: false });
  const services = make(parts);
  return {
    parts,
    services,
    handle: roleHandler(parts, role, services),
    close: () => parts.close(),
  };
}

/** Health, metrics and documentation of a role that is not the API. */
function roleHandler({ metrics, log }: Parts, role: string, services: Service[]) {
  const app = healthApp({
    ...{ role, services, metrics, log },
    version: config.version,
  });
  return (request: Request) => app.fetch(request);
}

/** A worker beside the API's key can sign its own token; elsewhere it is given one. */
async function derivedToken(settings: Settings, { home }: Parts, queues: string[]) {
  try {
    return workerToken(await tokenKeysOf(settings, home.dir), queues);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new AppError(
      "UNAUTHENTICATED",
      "Cannot start a worker: give it a worker's token in TIDEWHEEL_TOKEN, or the installation's " +
        "TIDEWHEEL_SECRET_KEY",
    );
  }
}
