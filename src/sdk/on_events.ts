/** @module Schedules of events from outside: a run for each webhook call, file, message or run. */
import { globToRegExp } from "../base/glob.ts";
import {
  type EventKeySpec,
  runDataset,
  type SignatureSpec,
  type WatchSpec,
} from "../model/watch_spec.ts";
import { type Duration, durationMs } from "./duration.ts";
import { type Schedule, scheduleBrand } from "./schedule.ts";

/** Where the key of an event is: a path into its JSON, or a header. */
export type EventKeyOption = string | { header: string };

/** Options of {@link onWebhook}. */
export interface OnWebhookOptions {
  /** Calls go to `POST /api/v2/webhooks/<name>`. Letters, digits and `_ . -`. */
  name: string;
  /** Id of the connection whose password is the secret shared with the caller. */
  secret: string;
  /**
   * How calls are signed with it: `"github"` (`x-hub-signature-256`), `"stripe"`, `"standard"`
   * (Standard Webhooks), or an HMAC over the body in a header of its own.
   */
  signature: "github" | "stripe" | "standard" | {
    header: string;
    /** `"sha256"`. */
    algorithm?: "sha256" | "sha384" | "sha512";
    /** `"hex"`. */
    encoding?: "hex" | "base64";
    /** What stands before it in the header: `"sha256="`. */
    prefix?: string;
  };
  /**
   * What tells one event from another: `"$.data.id"`, a path into the call's JSON, or
   * `{ header: "x-delivery" }`. A call repeated with the same key starts nothing. Left out: the
   * body's content.
   */
  key?: EventKeyOption;
}

/** Options of {@link onFiles}. */
export type OnFilesOptions =
  & {
    /** Names of the files, below the folder or prefix: `"*.csv"`, `"2026/*.xml"`. */
    pattern: string;
    /** A file is whole once it has not changed for so long: 30 seconds. */
    settle?: Duration;
    /** Or once a file of its name and this is beside it: `".done"`. */
    marker?: string;
  }
  & (
    /** An absolute path, on the machine of the `triggers` role. */
    | { folder: string; objects?: undefined }
    /** Or a prefix in object storage: `"incoming/"`. */
    | { objects: string; folder?: undefined }
  );

/** Options of {@link onKafka}. */
export interface OnKafkaOptions {
  /** Id of the connection: `host` has the brokers, `login` and `password` are for SASL. */
  connection: string;
  topic: string;
  /** The consumer group, `"tidewheel"`: where it stands is kept by Kafka. */
  group?: string;
  /**
   * What tells one event from another: `"message"`, the message's key, `"$.id"`, a path into its
   * JSON, or `{ header: "id" }`. Left out: its place in the topic, so that each message is one.
   */
  key?: EventKeyOption | "message";
  /** Where a new group begins: `"latest"`, or `"earliest"`. */
  from?: "earliest" | "latest";
}

/**
 * A run for each event that somebody sends: exactly one for each key. `ctx.event` has what was sent,
 * `ctx.event.payload` its JSON. Throws RangeError for what cannot be.
 */
export function onWebhook({ name, secret, signature, key }: OnWebhookOptions): Schedule {
  requireName(name, "onWebhook() has the name");
  requireName(secret, "onWebhook() has the connection");
  return watching(`webhook:${name}`, {
    kind: "webhook",
    name,
    connection: secret,
    signature: signatureOf(signature),
    key: key === undefined ? { from: "content" } : keyOf(key, "onWebhook()"),
  });
}

/**
 * A run for each file that is dropped, once it is whole. The same bytes dropped again under their
 * name start nothing; other bytes are another event. `ctx.event.extra` has `path`, `bytes`, `sha256`.
 */
export function onFiles(options: OnFilesOptions): Schedule {
  const { folder = null, objects = null, pattern, settle, marker = null } = options;
  if ((folder === null) === (objects === null)) {
    throw new RangeError("onFiles() watches a folder or objects; give one of them");
  }
  if (folder !== null && !folder.startsWith("/")) {
    throw new RangeError(`onFiles() has the folder "${folder}"; give an absolute path`);
  }
  try {
    globToRegExp(pattern);
  } catch (error) {
    throw new RangeError(`onFiles(): ${(error as Error).message}`);
  }
  if (pattern.trim() === "" || pattern.startsWith("/") || pattern.split("/").includes("..")) {
    throw new RangeError(`onFiles() has the pattern "${pattern}"; give names such as "*.csv"`);
  }
  if (marker !== null && !/^[A-Za-z0-9._-]+$/.test(marker)) {
    throw new RangeError(`onFiles() has the marker "${marker}"; give an ending such as ".done"`);
  }
  const where = folder === null ? `objects:${objects}` : folder.replace(/\/+$/, "");
  const settleMs = settle === undefined ? 30_000 : durationMs(settle, "onFiles() settle");
  return watching(`files:${where}/${pattern}`, {
    kind: "files",
    folder: folder === null ? null : where,
    objects,
    pattern,
    settleMs,
    marker,
  });
}

/**
 * A run for each message of a topic: exactly one for each key. `ctx.event.payload` is its value as
 * JSON, or as text. The group's offset moves on only when the event is stored; a message that has no
 * key to be found is kept aside, with the reason, and does not hold up the others.
 */
export function onKafka(options: OnKafkaOptions): Schedule {
  const { connection, topic, group = "tidewheel", key, from = "latest" } = options;
  requireName(connection, "onKafka() has the connection");
  requireName(topic, "onKafka() has the topic");
  requireName(group, "onKafka() has the group");
  return watching(`kafka:${connection}/${topic}/${group}`, {
    kind: "kafka",
    connection,
    topic,
    group,
    key: key === undefined
      ? { from: "offset" }
      : key === "message"
      ? { from: "message" }
      : keyOf(key, "onKafka()"),
    from,
  });
}

/**
 * A run whenever a run of another DAG has ended, for the same data interval: with success, or as
 * `states` says. It runs again when that run is cleared and ends once more.
 */
export function afterRun(
  dagId: string,
  { states = ["success"] }: { states?: readonly ("success" | "failed")[] } = {},
): Schedule {
  requireName(dagId, "afterRun() has the DAG");
  const known = [...new Set(states)].sort();
  if (known.length === 0 || known.some((state) => state !== "success" && state !== "failed")) {
    throw new RangeError(
      `afterRun() has the states ${JSON.stringify(states)}; give "success", "failed" or both`,
    );
  }
  return watching(runDataset(dagId), { kind: "run", dagId, states: known });
}

function watching(dataset: string, watch: WatchSpec): Schedule {
  return {
    [scheduleBrand]: true,
    spec: () => ({
      kind: "datasets",
      datasets: [dataset],
      anyOf: [[dataset]],
      partition: { kind: "each" },
      watch,
    }),
  };
}

type CustomSignature = Exclude<OnWebhookOptions["signature"], string>;

function signatureOf(given: OnWebhookOptions["signature"]): SignatureSpec {
  if (given === "stripe" || given === "standard") return { kind: given };
  const custom: CustomSignature = given === "github"
    ? { header: "x-hub-signature-256", prefix: "sha256=" }
    : given;
  if (typeof custom !== "object" || !/^[A-Za-z0-9-]+$/.test(custom?.header ?? "")) {
    throw new RangeError(
      `onWebhook() has the signature ${JSON.stringify(given)}; ` +
        `give "github", "stripe", "standard" or { header: "x-signature" }`,
    );
  }
  const { header, algorithm = "sha256", encoding = "hex", prefix = "" } = custom;
  return { kind: "header", header: header.toLowerCase(), algorithm, encoding, prefix };
}

/** `$.data.items[0].id`, or a header. */
function keyOf(key: EventKeyOption, what: string): EventKeySpec {
  if (typeof key === "object") return { from: "header", name: key.header.toLowerCase() };
  const isPath = /^\$(\.[A-Za-z_][\w-]*|\[\d+\])+$/.test(key);
  if (!isPath) {
    throw new RangeError(
      `${what} has the key ${JSON.stringify(key)}; ` +
        `give a path such as "$.data.id" or { header: "x-delivery" }`,
    );
  }
  return { from: "body", path: key.slice(1).match(/[^.[\]]+/g)! };
}

function requireName(name: string, what: string): void {
  if (typeof name === "string" && /^[A-Za-z0-9_.-]{1,200}$/.test(name)) return;
  throw new RangeError(`${what} ${JSON.stringify(name)}; use letters, digits and _ . -`);
}
