/** @module Runs for messages of a real Kafka topic. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type KafkaServer, startKafka } from "../support/kafka.ts";
import { startProduct } from "../support/product.ts";
import type { Run } from "../support/product_api.ts";
import { until } from "../support/until.ts";

const dags = {
  "ticks.ts": `import { dag, onKafka, task } from "tidewheel";
export default dag({
  id: "ticks",
  schedule: onKafka({ connection: "stream", topic: "ticks", key: "$.id", from: "earliest" }),
}, () => {
  task({ id: "take" }, ({ event, partition }) => [partition, event.payload, event.extra.messageKey]);
});
`,
};

interface Producer {
  send(batch: { messages: { topic: string; key?: string; value: string }[] }): Promise<unknown>;
  close(): Promise<void>;
}

async function withProducer(kafka: KafkaServer, values: string[]): Promise<void> {
  const { Producer, Admin, stringSerializers } = await import("@platformatic/kafka");
  const options = { clientId: "test", bootstrapBrokers: [kafka.broker] };
  const admin = new Admin(options);
  await admin.createTopics({ topics: ["ticks"], partitions: 2, replicas: 1 }).catch(() => {});
  await admin.close();
  const producer = new Producer({ ...options, serializers: stringSerializers }) as Producer;
  await producer.send({
    messages: values.map((value) => ({ topic: "ticks", key: "IBM", value })),
  });
  await producer.close();
}

Deno.test("messages of a topic start one run for each key, also after a crash; poison is kept aside", async () => {
  await using kafka = await startKafka();
  const message = (id: number) => JSON.stringify({ id, price: "1.5" });
  await withProducer(kafka, [message(1), "poison", message(2), message(1)]);
  await using product = await startProduct({ dags });
  await product.api.call("POST", "/api/v2/connections", {
    body: { connection_id: "stream", conn_type: "kafka", host: kafka.broker },
  });
  const runs = async (count: number) =>
    await until(`${count} runs`, async () => {
      const page = await product.api.get<{ dag_runs: Run[] }>("/api/v2/dags/ticks/dagRuns");
      return page.dag_runs.length >= count ? page.dag_runs : undefined;
    }, { withinMs: 60_000 });
  const [first] = await runs(2);
  await product.api.ended(first);
  const refused = await product.api.get<{ refused_events: { reason: string; raw: string }[] }>(
    "/api/v2/refusedEvents",
  );
  assertEquals(refused.refused_events.map(({ raw }) => raw), ["poison"]);
  assertStringIncludes(refused.refused_events[0].reason, "$.id: it is not JSON");

  await product.end("SIGKILL");
  await withProducer(kafka, [message(2), message(3)]);
  await product.start();
  const all = await runs(3);
  const outputs = await Promise.all(all.map(async (run) => {
    await product.api.ended(run);
    return await product.api.output(run, "take") as unknown[];
  }));
  assertEquals(outputs.map(([key, , messageKey]) => [key, messageKey]).sort(), [
    ["1", "IBM"],
    ["2", "IBM"],
    ["3", "IBM"],
  ]);
});
