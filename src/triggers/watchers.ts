/**
 * @module The service that looks out for events which nobody sends: files, messages of topics. Any
 * number of them may run: an event's key is stored once.
 */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import type { Health, Service } from "../base/service.ts";
import { messageOf } from "../model/errors.ts";
import type { ObjectStore } from "../objects/port.ts";
import type { Sql } from "../store/database.ts";
import { countEvents, countRefused, type EventSource, type Metrics } from "../metrics/mod.ts";
import type { EngineStore, NewDatasetEvent } from "../store/port.ts";
import type { SecretBox } from "../store/secrets.ts";
import { readConnectionSecret } from "../store/connection.ts";
import { keepRefused, listKnownFiles, listWatches, type WatchRow } from "../store/watch_query.ts";
import type { KafkaSpec } from "../model/watch_spec.ts";
import { FileWatch } from "./files.ts";
import { KafkaWatch } from "./kafka.ts";
import { openConsumer } from "./kafka_client.ts";

/** What the service needs. */
export interface WatcherParts {
  /** What it looks out for. */
  kinds: readonly ("files" | "kafka")[];
  sql: Sql;
  store: EngineStore;
  objects: ObjectStore;
  secrets: SecretBox;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
}

/** The service; `runOnce` is one look at files, for tests; topics are listened to once it is started. */
export interface WatcherService extends Service {
  runOnce(): Promise<void>;
}

/** A look that took long is followed by a pause of so many times its length. */
const PAUSE_RATIO = 10;

/** Make it; nothing is watched before `start` or `runOnce`. */
export function watcherService(parts: WatcherParts): WatcherService {
  const { clock, log } = parts;
  const files = new Map<string, FileWatch>();
  const topics = new Map<string, KafkaWatch>();
  const troubles = new Map<string, string>();
  let stopping: AbortController | null = null;
  let running: Promise<void> = Promise.resolve();
  let hasLooked = false;
  let lastError: string | null = null;

  /** Say each trouble once, and when it is over. */
  async function attempt(dataset: string, look: () => Promise<unknown>): Promise<void> {
    try {
      await look();
      if (troubles.delete(dataset)) log.info("Events are looked for again", { dataset });
    } catch (error) {
      const why = messageOf(error);
      if (troubles.get(dataset) !== why) {
        log.warn("Cannot look for events; trying again", { dataset, error: why });
      }
      troubles.set(dataset, why);
    }
  }

  async function record(source: EventSource, events: NewDatasetEvent[]): Promise<void> {
    countEvents(parts.metrics, source, await parts.store.recordEvents(events, clock.now()));
  }

  async function lookAtFiles(): Promise<void> {
    const wanted = new Map(
      (await listWatches(parts.sql, "files")).map((row) => [row.dataset + markOf(row.watch), row]),
    );
    for (const key of files.keys()) if (!wanted.has(key)) files.delete(key);
    for (const [key, { dataset, watch }] of wanted) {
      const made = files.get(key) ?? new FileWatch({
        ...{ dataset, spec: watch, clock, objects: parts.objects },
        known: () => listKnownFiles(parts.sql, dataset),
        record: (event) => record("files", [event]),
      });
      files.set(key, made);
      await attempt(dataset, () => made.look());
    }
  }

  /** Listen to the topics that are asked for, and no longer to others. */
  async function lookAtTopics(): Promise<void> {
    const wanted = new Map(
      (await listWatches(parts.sql, "kafka")).map((row) => [row.dataset + markOf(row.watch), row]),
    );
    const over = [...topics].filter(([key]) => !wanted.has(key));
    for (const [key] of over) topics.delete(key);
    await Promise.all(over.map(([, watch]) => watch.stop()));
    for (const [key, row] of wanted) {
      if (!topics.has(key)) topics.set(key, listen(row));
    }
  }

  function listen({ dataset, watch }: WatchRow<KafkaSpec>): KafkaWatch {
    const { sql, secrets: box } = parts;
    const reader = { actor: `kafka:${watch.topic}` };
    return new KafkaWatch({
      ...{ dataset, spec: watch, clock, log },
      open: async () =>
        await openConsumer(
          await readConnectionSecret(sql, {
            ...{ connectionId: watch.connection, box, reader },
            now: clock.now(),
          }),
          watch.group,
        ),
      record: (events) => record("kafka", events),
      async refuse(refused) {
        await keepRefused(sql, refused, clock.now());
        countRefused(parts.metrics, "kafka", refused.length);
      },
    });
  }

  function troublesOf(): Record<string, string> {
    const ofTopics = [...topics].flatMap(([key, { trouble }]) =>
      trouble === null ? [] : [[key.split("\n")[0], trouble] as const]
    );
    return Object.fromEntries([...troubles, ...ofTopics]);
  }

  async function runOnce(): Promise<void> {
    if (parts.kinds.includes("files")) await lookAtFiles();
    if (parts.kinds.includes("kafka") && stopping) await lookAtTopics();
    hasLooked = true;
  }

  async function loop(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs();
      await runOnce().then(() => lastError = null, (error) => {
        lastError = messageOf(error);
        log.error("Cannot find out what is watched; trying again", { error: lastError });
      });
      const tookMs = clock.monotonicMs() - startedMs;
      await clock.sleep(Math.max(limits.watchEveryMs, PAUSE_RATIO * tookMs), { signal });
    }
  }

  return {
    name: "watchers",
    runOnce,
    start() {
      if (!stopping) {
        stopping = new AbortController();
        running = loop(stopping.signal);
      }
      return Promise.resolve();
    },
    async stop() {
      stopping?.abort();
      stopping = null;
      await running;
      await Promise.all([...topics.values()].map((watch) => watch.stop()));
      topics.clear();
    },
    health: (): Health => ({
      started: hasLooked,
      ready: hasLooked && lastError === null,
      detail: {
        watched: files.size + topics.size,
        troubles: troublesOf(),
        ...(lastError ? { error: lastError } : {}),
      },
    }),
  };
}

function markOf(watch: unknown): string {
  return `\n${JSON.stringify(watch)}`;
}
