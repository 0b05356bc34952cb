/** @module Where events come from outside: webhooks, files, Kafka, as data. */
import { z } from "zod";

/** What tells an event from others: one event, and one run, for each key. */
const EventKeySpec = z.discriminatedUnion("from", [
  z.object({ from: z.literal("content") }).meta({ doc: "The SHA-256 of its bytes" }),
  z.object({ from: z.literal("body"), path: z.array(z.string()).min(1) }).meta({
    doc: "A value of its JSON, by names and indexes",
  }),
  z.object({ from: z.literal("header"), name: z.string() }),
  z.object({ from: z.literal("message") }).meta({ doc: "Of Kafka: the message's key" }),
  z.object({ from: z.literal("offset") }).meta({ doc: "Of Kafka: topic, partition and offset" }),
]);
/** See {@link EventKeySpec}. */
export type EventKeySpec = z.infer<typeof EventKeySpec>;

/** How a caller proves that a call is theirs: an HMAC under a shared secret. */
const SignatureSpec = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("header"),
    header: z.string(),
    algorithm: z.enum(["sha256", "sha384", "sha512"]),
    encoding: z.enum(["hex", "base64"]),
    prefix: z.string(),
  }).meta({ doc: "Over the body" }),
  z.object({ kind: z.literal("standard") }).meta({
    doc: "Standard Webhooks: webhook-id, webhook-timestamp and the body, at most 5 minutes old",
  }),
  z.object({ kind: z.literal("stripe") }).meta({
    doc: "stripe-signature: a timestamp and the body, at most 5 minutes old",
  }),
]);
/** See {@link SignatureSpec}. */
export type SignatureSpec = z.infer<typeof SignatureSpec>;

const WebhookSpec = z.object({
  kind: z.literal("webhook"),
  name: z.string(),
  connection: z.string().meta({ doc: "Its password is the secret" }),
  signature: SignatureSpec,
  key: EventKeySpec,
});
/** See {@link WebhookSpec}. */
export type WebhookSpec = z.infer<typeof WebhookSpec>;

const FilesSpec = z.object({
  kind: z.literal("files"),
  folder: z.string().nullable().meta({ doc: "An absolute path" }),
  objects: z.string().nullable().meta({ doc: "Or a prefix in object storage" }),
  pattern: z.string().meta({ doc: "Of paths below it: *, **, ?, {a,b}", example: "*.csv" }),
  settleMs: z.int().min(0).meta({ doc: "A file is whole when it has not changed for so long" }),
  marker: z.string().nullable().meta({ doc: "Or when this is beside it, after its name: .done" }),
});
/** See {@link FilesSpec}. */
export type FilesSpec = z.infer<typeof FilesSpec>;

const KafkaSpec = z.object({
  kind: z.literal("kafka"),
  connection: z.string(),
  topic: z.string(),
  group: z.string(),
  key: EventKeySpec,
  from: z.enum(["earliest", "latest"]).meta({ doc: "Where a new group begins" }),
});
/** See {@link KafkaSpec}. */
export type KafkaSpec = z.infer<typeof KafkaSpec>;

const RunSpec = z.object({
  kind: z.literal("run"),
  dagId: z.string(),
  states: z.array(z.enum(["success", "failed"])).min(1),
}).meta({ doc: "Runs of another DAG, when they end" });

/** A source of events of a dataset. */
export const WatchSpec = z.discriminatedUnion("kind", [
  WebhookSpec,
  FilesSpec,
  KafkaSpec,
  RunSpec,
]);
/** See {@link WatchSpec}. */
export type WatchSpec = z.infer<typeof WatchSpec>;

/** The dataset whose events are the ends of a DAG's runs. */
export function runDataset(dagId: string): string {
  return `run:${dagId}`;
}
