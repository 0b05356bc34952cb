/** @module The key of an event from outside. */
import { sha256 } from "../base/hash.ts";
import { AppError } from "../model/errors.ts";
import type { EventKeySpec } from "../model/watch_spec.ts";

/** Longest key that is kept as it is; of a longer one the SHA-256 is. */
const KEY_CHARS_MAX = 250;

/** What a key is found in. */
export interface KeySources {
  body: Uint8Array;
  /** The body as JSON; undefined where it is none. */
  json: unknown;
  header(name: string): string | null;
  /** Of a message. */
  messageKey?: string | null;
  place?: string;
}

/** Find the key; throws INVALID where the event has none. */
export function eventKey(spec: EventKeySpec, sources: KeySources): string {
  const found = keyIn(spec, sources);
  return found.length <= KEY_CHARS_MAX ? found : `sha256:${sha256(found)}`;
}

function keyIn(spec: EventKeySpec, sources: KeySources): string {
  switch (spec.from) {
    case "content":
      return sha256(sources.body);
    case "offset":
      return sources.place ?? missing("its place in the topic");
    case "message":
      return sources.messageKey || missing("the message's key");
    case "header":
      return sources.header(spec.name) || missing(`the header "${spec.name}"`);
    case "body":
      return keyAt(sources.json, spec.path);
  }
}

function keyAt(json: unknown, path: readonly string[]): string {
  const name = `$${path.map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`)).join("")}`;
  if (json === undefined) return missing(`${name}: it is not JSON`);
  let at: unknown = json;
  for (const part of path) {
    at = typeof at === "object" && at !== null && Object.hasOwn(at, part)
      ? (at as Record<string, unknown>)[part]
      : undefined;
  }
  if (typeof at === "string" && at !== "") return at;
  if (typeof at === "number" || typeof at === "bigint") return String(at);
  return missing(`${name}: it must be text or a number`);
}

function missing(what: string): never {
  throw new AppError("INVALID", `Cannot find the event's key in ${what}`);
}
