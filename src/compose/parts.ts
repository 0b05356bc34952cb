/** @module The parts that several roles share: database, hints, objects, logs, metrics. */
import config from "../../deno.json" with { type: "json" };
import { type Clock, systemClock } from "../base/clock.ts";
import { type Ids, systemIds } from "../base/ids.ts";
import { jsonLogger, type Logger } from "../base/log.ts";
import type { Service } from "../base/service.ts";
import { createMetrics, type Metrics } from "../metrics/mod.ts";
import { openObjectStore } from "../objects/open.ts";
import { AppError } from "../model/errors.ts";
import type { ObjectStore } from "../objects/port.ts";
import type { Settings } from "../settings.ts";
import { connect, openDatabase, type Sql } from "../store/database.ts";
import { startEmbedded } from "../store/embedded/mod.ts";
import { pgEngineStore } from "../store/engine_pg.ts";
import { HandOver } from "../store/hand_over.ts";
import { databaseHintBus, type HintBus, localHintBus } from "../store/hints.ts";
import { migrate } from "../store/migrate.ts";
import type { EngineStore } from "../store/port.ts";
import { openSecretBox, type SecretBox } from "../store/secrets.ts";
import { type Home, objectsUrl, openHome } from "./home.ts";

/** What every role is built from. */
export interface Parts {
  settings: Settings;
  home: Home;
  clock: Clock;
  ids: Ids;
  log: Logger;
  metrics: Metrics;
  objects: ObjectStore;
}

/** What a role with a database has beside them. */
export interface DatabaseParts extends Parts {
  databaseUrl: string;
  sql: Sql;
  hints: HintBus;
  /** Claims at this process's API, for its scheduler. */
  handOver: HandOver;
  store: EngineStore;
  secrets: SecretBox;
  /** The embedded server, where it is ours. */
  database: Service | null;
  /** Close what is open here, the server last. */
  close(): Promise<void>;
}

/** Connections of one process: for the engine's statements, and for everything else. */
const ENGINE_CONNECTIONS = 5;
const CONNECTIONS = 5;

/** Parts of any role. */
export async function openParts(settings: Settings, role: string): Promise<Parts> {
  const clock = systemClock;
  const home = await openHome(settings);
  return {
    settings,
    home,
    clock,
    ids: systemIds(clock),
    log: jsonLogger({ level: settings.logLevel, clock }).with({
      role,
      environment: settings.environment,
    }),
    metrics: createMetrics({
      enabled: settings.prometheusEnabled,
      environment: settings.environment,
    }),
    objects: openObjectStore(objectsUrl(settings, home)),
  };
}

/**
 * Parts of a role with a database. `alone`: no other process of the product writes to it, so that
 * hints need not leave this one.
 */
export async function openDatabaseParts(
  settings: Settings,
  role: string,
  { alone }: { alone: boolean },
): Promise<DatabaseParts> {
  if (settings.databaseUrl === null && !alone) {
    throw new AppError(
      "INVALID",
      `Cannot start the ${role} by itself: no database is named, and an embedded one belongs to the ` +
        "process that started it; set TIDEWHEEL_DATABASE_URL, or run all in one with tidewheel start",
    );
  }
  const parts = await openParts(settings, role);
  const { home, clock, ids, log } = parts;
  const embedded = settings.databaseUrl === null
    ? await startEmbedded({ home: home.dir, log, clock })
    : null;
  const databaseUrl = settings.databaseUrl ?? embedded!.url;
  try {
    const applicationName = `tidewheel ${role}`;
    const sql = await openDatabase(databaseUrl, { max: CONNECTIONS, applicationName });
    const engineSql = connect(databaseUrl, {
      max: ENGINE_CONNECTIONS,
      applicationName: `${applicationName} engine`,
      byKey: true,
    });
    const { applied } = await migrate(sql, { now: clock.now() });
    if (applied.length > 0) log.info("Migrated the database", { applied });
    const hints = alone ? localHintBus() : await databaseHintBus(sql, { origin: ids.uuid(), log });
    return {
      ...parts,
      databaseUrl,
      sql,
      hints,
      handOver: new HandOver(),
      store: pgEngineStore({
        ...{ sql: engineSql, hints, ids, clock },
        product: { version: config.version, image: settings.image },
      }),
      secrets: await openSecretBox({ home: home.dir, secretKey: settings.secretKey }),
      database: embedded?.service ?? null,
      async close() {
        await hints.close();
        await Promise.all([sql.end({ timeout: 2 }), engineSql.end({ timeout: 2 })]);
        await embedded?.service.stop();
      },
    };
  } catch (error) {
    await embedded?.service.stop();
    throw error;
  }
}
