/** @module `tidewheel start`: every service in one process. */
import type { VerbContext } from "../cli/mod.ts";
import type { Service } from "../base/service.ts";
import type { Settings } from "../settings.ts";
import { ensureAdminToken } from "./admin_token.ts";
import { makeDeliverer } from "./callbacks.ts";
import { serve } from "./http.ts";
import { endLastLife, freeLastLease } from "./last_life.ts";
import { type DatabaseParts, openDatabaseParts } from "./parts.ts";
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

/** A running installation. */
export interface Running {
  url: string;
  /** Drain: attempts end or are handed back, then everything stops. */
  stop(): Promise<void>;
}

/** Start everything; resolves when the API answers and DAG files are being read. */
export async function startAll(settings: Settings): Promise<Running> {
  const parts = await openDatabaseParts(settings, "start", { alone: true });
  try {
    return await startServices(parts);
  } catch (error) {
    await parts.close();
    throw error;
  }
}

async function startServices(parts: DatabaseParts): Promise<Running> {
  const { settings, home, log } = parts;
  await ensureAdminToken(parts);
  await rewrapStored(parts);
  const tokenKeys = await tokenKeysOf(settings, home.dir);
  const services: Service[] = [
    makeDeliverer(parts),
    makeParser(parts),
    makeScheduler(parts),
    makeBatchManager(parts),
    makeTriggers(parts),
    makeRetention(parts),
    makeWatchers(parts),
  ];
  const { api, engines } = makeApi(parts, services, tokenKeys);
  const { worker, lastWorkerId, close: closeWorker } = await makeWorker(parts, {
    fetch: (request) => api.fetch(request),
    direct: {
      claim: (request, signal) => api.execution.claim(["*"], request, signal),
      batch: async (calls) => (await api.execution.batch({ calls })).results,
    },
    apiUrl: "http://localhost",
    token: workerToken(tokenKeys, ["*"]),
    queues: ["*"],
  });
  services.push(api, worker);
  const server = serve(settings, (request) => api.fetch(request));
  log.info("Tidewheel is up", { url: server.url, home: home.dir });
  await freeLastLease(parts);
  await Promise.all(services.map((service) => service.start()));
  // Its children are gone now: the worker ended them when it started.
  await endLastLife(parts, lastWorkerId);
  return {
    url: server.url,
    async stop() {
      // Whoever makes work stops first, whoever records it last.
      for (const service of services.toReversed()) await service.stop();
      await server.stop();
      await Promise.all([engines.close(), closeWorker()]);
      await parts.close();
      log.info("Tidewheel is down");
    },
  };
}

/** What `tidewheel start` does. */
export async function runStart(settings: Settings, { output }: VerbContext): Promise<number> {
  const running = await startAll(settings);
  output.err(`Tidewheel is up: ${running.url}  (API docs: ${running.url}/api/docs)\n`);
  await untilSignal();
  output.err("Draining; Ctrl-C again ends at once\n");
  await running.stop();
  return 0;
}
