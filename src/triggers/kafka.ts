/**
 * @module Messages of a topic as events. The group's offset is committed once the events are stored,
 * so a message may be read twice and is an event once; one that cannot be an event is kept aside.
 */
import { Buffer } from "node:buffer";
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import { isStorable } from "../base/storable.ts";
import { eventKey } from "../contract/event_key.ts";
import { hasCode, messageOf } from "../model/errors.ts";
import type { KafkaSpec } from "../model/watch_spec.ts";
import type { NewDatasetEvent } from "../store/port.ts";
import type { RefusedEvent } from "../store/watch_query.ts";
import type { KafkaConsumer, KafkaMessage, KafkaOffset, KafkaStream } from "./kafka_client.ts";

/** What a {@link KafkaWatch} needs. */
export interface KafkaWatchParts {
  dataset: string;
  spec: KafkaSpec;
  clock: Clock;
  log: Logger;
  open(): Promise<KafkaConsumer>;
  record(events: NewDatasetEvent[]): Promise<unknown>;
  refuse(refused: RefusedEvent[]): Promise<unknown>;
}

/** Messages stored in one transaction. */
const BATCH_MAX = 200;
/** Pauses after a trouble, doubling. */
const PAUSE_MS_MIN = 500;
const PAUSE_MS_MAX = 30_000;

/** Listens to one topic until it is stopped. */
export class KafkaWatch {
  readonly #parts: KafkaWatchParts;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #trouble: string | null = null;
  #pauseMs = PAUSE_MS_MIN;
  /** Commits follow each other, so that none takes back a later one. */
  #committing: Promise<unknown> = Promise.resolve();

  /** It listens from now on. */
  constructor(parts: KafkaWatchParts) {
    this.#parts = parts;
    this.#running = this.#loop(this.#stopping.signal);
  }

  /** What keeps it from listening, if anything does. */
  get trouble(): string | null {
    return this.#trouble;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      await this.#consume(signal).catch((error) => this.#note(error));
      if (signal.aborted) return;
      await clock.sleep(this.#pauseMs, { signal });
      this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MS_MAX);
    }
  }

  async #consume(signal: AbortSignal): Promise<void> {
    const { spec } = this.#parts;
    const consumer = await this.#parts.open();
    let close = () => {};
    try {
      const stream = await consumer.consume({
        ...{ topics: [spec.topic], mode: "committed", autocommit: false },
        fallbackMode: spec.from,
      });
      close = () => void stream.close().catch(() => {});
      signal.addEventListener("abort", close, { once: true });
      if (signal.aborted) return;
      const keepStart = () => this.#commit(consumer, startOf(stream)).catch((e) => this.#note(e));
      stream.on("offsets", keepStart);
      void keepStart();
      await this.#read(consumer, stream, signal);
    } finally {
      signal.removeEventListener("abort", close);
      close();
      await consumer.close(true).catch(() => {});
    }
  }

  async #read(consumer: KafkaConsumer, stream: KafkaStream, signal: AbortSignal): Promise<void> {
    let batch: KafkaMessage[] = [];
    for await (const message of stream) {
      batch.push(message);
      if (batch.length < BATCH_MAX && stream.readableLength > 0) continue;
      await this.#store(batch, signal);
      if (signal.aborted) return;
      await this.#commit(consumer, endOf(batch));
      batch = [];
      this.#settle();
    }
  }

  /** Until it is stored: nothing behind it is looked at before. */
  async #store(batch: readonly KafkaMessage[], signal: AbortSignal): Promise<void> {
    const { record, refuse, clock } = this.#parts;
    const { events, refused } = this.#sort(batch);
    for (
      let pauseMs = PAUSE_MS_MIN;
      !signal.aborted;
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)
    ) {
      try {
        if (events.length > 0) await record(events);
        if (refused.length > 0) await refuse(refused);
        return;
      } catch (error) {
        this.#note(error);
        await clock.sleep(pauseMs, { signal });
      }
    }
  }

  #sort(batch: readonly KafkaMessage[]) {
    const { dataset, spec } = this.#parts;
    const events: NewDatasetEvent[] = [];
    const refused: RefusedEvent[] = [];
    for (const message of batch) {
      try {
        events.push(eventOf(message, dataset, spec));
      } catch (error) {
        if (!hasCode(error, "INVALID") && !(error instanceof RangeError)) throw error;
        const raw = Buffer.from(message.value ?? []).subarray(0, limits.refusedEventBytes);
        refused.push({
          ...{ dataset, place: placeOf(message), reason: messageOf(error) },
          raw: raw.toString("utf8"),
        });
      }
    }
    if (refused.length > 0) {
      this.#parts.log.warn("Messages of a topic are no events; they are kept aside", {
        ...{ dataset, messages: refused.length, place: refused[0].place },
        reason: refused[0].reason,
      });
    }
    return { events, refused };
  }

  #commit(consumer: KafkaConsumer, offsets: KafkaOffset[]): Promise<unknown> {
    if (offsets.length === 0) return this.#committing;
    const next = this.#committing.then(() => consumer.commit({ offsets }));
    this.#committing = next.catch(() => {});
    return next;
  }

  #note(error: unknown): void {
    const { log, dataset } = this.#parts;
    const why = messageOf(error);
    if (why !== this.#trouble) {
      log.warn("Cannot listen to a topic; trying again", { dataset, error: why });
    }
    this.#trouble = why;
  }

  #settle(): void {
    this.#pauseMs = PAUSE_MS_MIN;
    if (this.#trouble === null) return;
    this.#trouble = null;
    this.#parts.log.info("Listening to a topic again", { dataset: this.#parts.dataset });
  }
}

/** Throws INVALID, or RangeError, for what is no event. */
export function eventOf(
  message: KafkaMessage,
  dataset: string,
  { key: keySpec }: KafkaSpec,
): NewDatasetEvent {
  const { topic, partition, offset } = message;
  const body = Buffer.from(message.value ?? []);
  if (body.length > limits.eventBytes) {
    throw new RangeError(`It has ${body.length} bytes, at most ${limits.eventBytes} are taken`);
  }
  const text = body.toString("utf8");
  const json = message.value ? parsed(text) : undefined;
  const messageKey = message.key ? Buffer.from(message.key).toString("utf8") : null;
  const headers = Object.fromEntries(
    message.headerEntries.map(([name, value]) => [
      Buffer.from(name).toString("utf8").toLowerCase(),
      Buffer.from(value).toString("utf8"),
    ]),
  );
  const place = placeOf(message);
  const key = eventKey(keySpec, {
    ...{ body, json, messageKey, place },
    header: (name) => headers[name] ?? null,
  });
  const payload = message.value ? json === undefined ? text : json : null;
  const extra = { payload, topic, partition, offset: String(offset), messageKey, headers };
  if (!isStorable(JSON.stringify(extra)) || !isStorable(JSON.stringify(key))) {
    throw new RangeError("It has a NUL character or half a surrogate pair, which cannot be kept");
  }
  return { dataset, partition: key, key, extra };
}

function placeOf({ topic, partition, offset }: KafkaMessage): string {
  return `${topic}/${partition}/${offset}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** After the last message of each partition. */
function endOf(batch: readonly KafkaMessage[]): KafkaOffset[] {
  const last = new Map(batch.map((message) => [message.partition, message]));
  return Array.from(last.values(), ({ topic, partition, offset, leaderEpoch }) => ({
    ...{ topic, partition, leaderEpoch },
    offset: offset + 1n,
  }));
}

/** Where a new group begins is kept at once: what comes while nobody listens is read later. */
function startOf(stream: KafkaStream): KafkaOffset[] {
  return Array.from(stream.offsetsCommitted, ([name, offset]) => {
    const at = name.lastIndexOf(":");
    const partition = Number(name.slice(at + 1));
    return { topic: name.slice(0, at), partition, offset, leaderEpoch: -1 };
  }).filter(({ offset }) => offset !== undefined && offset >= 0n);
}
