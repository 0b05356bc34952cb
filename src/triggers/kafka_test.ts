import { assertEquals, assertStringIncludes } from "@std/assert";
import { VirtualClock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import { silentLogger } from "../base/log.ts";
import type { EventKeySpec, KafkaSpec } from "../model/watch_spec.ts";
import type { RefusedEvent } from "../store/watch_query.ts";
import { eventOf, KafkaWatch } from "./kafka.ts";
import { clientOptions, type KafkaMessage, type KafkaOffset } from "./kafka_client.ts";

const spec = (key: EventKeySpec): KafkaSpec => ({
  ...{ kind: "kafka", connection: "c", topic: "t", group: "g", from: "latest" },
  key,
});

const bytes = (text: string) => new TextEncoder().encode(text);

const message = (offset: number, value: string | null, key = "IBM"): KafkaMessage => ({
  ...{ topic: "t", partition: 0, offset: BigInt(offset), leaderEpoch: 0, key: bytes(key) },
  value: value === null ? null : bytes(value),
  headerEntries: [[bytes("ID"), bytes("h1")]],
});

Deno.test("eventOf() finds the key where it is said to be", () => {
  const keyOf = (key: EventKeySpec, value: string | null = `{"a":[{"b":7}]}`) =>
    eventOf(message(5, value), "d", spec(key)).key;
  assertEquals(keyOf({ from: "body", path: ["a", "0", "b"] }), "7");
  assertEquals(keyOf({ from: "message" }), "IBM");
  assertEquals(keyOf({ from: "header", name: "id" }), "h1");
  assertEquals(keyOf({ from: "offset" }), "t/0/5");
  const { extra } = eventOf(message(5, null), "d", spec({ from: "message" }));
  assertEquals([extra.payload, extra.offset], [null, "5"]);
});

/** A consumer that gives these messages and then waits to be closed. */
function consumerOf(messages: KafkaMessage[], start: bigint) {
  const committed: KafkaOffset[] = [];
  const closed = Promise.withResolvers<void>();
  const consumer = {
    consume: () =>
      Promise.resolve({
        readableLength: 0,
        offsetsCommitted: new Map([["t:0", start]]),
        on: () => {},
        close: () => Promise.resolve(closed.resolve()),
        async *[Symbol.asyncIterator]() {
          yield* messages;
          await closed.promise;
        },
      }),
    commit: ({ offsets }: { offsets: KafkaOffset[] }) =>
      Promise.resolve(void committed.push(...offsets)),
    close: () => Promise.resolve(),
  };
  return { consumer, committed };
}

Deno.test("an offset is committed only when its events are stored; poison does not hold up others", async () => {
  const clock = new VirtualClock();
  const big = `{"id":"${"x".repeat(limits.eventBytes)}"}`;
  const { consumer, committed } = consumerOf(
    [message(0, `{"id":1}`), message(1, "no"), message(2, big), message(3, `{"id":"\\u0000"}`)],
    0n,
  );
  const stored: string[] = [];
  const refused: RefusedEvent[] = [];
  let failures = 2;
  const watch = new KafkaWatch({
    ...{ dataset: "d", spec: spec({ from: "body", path: ["id"] }), clock, log: silentLogger },
    open: () => Promise.resolve(consumer),
    record(events) {
      if (failures-- > 0) return Promise.reject(new Error("database away"));
      return Promise.resolve(stored.push(...events.map(({ key }) => key!)));
    },
    refuse: (more) => Promise.resolve(refused.push(...more)),
  });
  for (let i = 0; i < 50; i++) await null;
  assertEquals([stored, committed.map(({ offset }) => offset)], [[], [0n]]);
  assertEquals(watch.trouble, "database away");

  for (let i = 0; i < 4; i++) {
    clock.advance(30_000);
    for (let i = 0; i < 50; i++) await null;
  }
  assertEquals(stored, ["1"]);
  assertEquals(committed.map(({ offset }) => offset), [0n, 1n, 2n, 3n, 4n]);
  assertEquals(watch.trouble, null);
  assertEquals(refused.map(({ place }) => place), ["t/0/1", "t/0/2", "t/0/3"]);
  assertStringIncludes(refused[0].reason, "$.id: it is not JSON");
  assertStringIncludes(refused[1].reason, "at most 1048576 are taken");
  assertStringIncludes(refused[2].reason, "NUL");
  assertEquals(refused[1].raw.length, limits.refusedEventBytes);
  await watch.stop();
});

Deno.test("clientOptions() reads brokers, encryption and credentials of a connection", () => {
  const connection = {
    ...{ connectionId: "c", connType: "kafka", host: "a:1, b", port: 9093, schema: null },
    ...{ login: "me", password: "pw", extra: { tls: true, sasl_mechanism: "SCRAM-SHA-256" } },
  };
  assertEquals(clientOptions(connection), {
    clientId: "tidewheel",
    bootstrapBrokers: ["a:1", "b:9093"],
    tls: {},
    sasl: { mechanism: "SCRAM-SHA-256", username: "me", password: "pw" },
  });
});
