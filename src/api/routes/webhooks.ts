/** @module Webhooks: events that others send, signed; and what of events from outside was refused. */
import { z } from "zod";
import { limits } from "../../base/limits.ts";
import { eventKey } from "../../contract/event_key.ts";
import { AppError } from "../../model/errors.ts";
import { countEvents, countRefused } from "../../metrics/mod.ts";
import type { WebhookSpec } from "../../model/watch_spec.ts";
import { readConnectionSecret } from "../../store/connection.ts";
import { listRefused, listWatches, type WatchRow } from "../../store/watch_query.ts";
import { isStorable } from "../../base/storable.ts";
import { readBytes } from "../guard.ts";
import { pageOf, type Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { At, Name, paging, Text } from "../shapes/basic.ts";
import { isSigned } from "../signature.ts";

const tag = "Webhooks";
/** How long who listens, and the secret of a webhook, are taken to be the same. */
const TRUST_MS = 5_000;
const SECRETS_KEPT = 1_000;

const WebhookAnswer = z.object({
  event_key: z.string(),
  is_new: z.boolean().meta({ doc: "false: an event of that key was there" }),
}).meta({ id: "WebhookResponse" });

const RefusedEvents = z.object({
  refused_events: z.array(z.object({
    id: z.int(),
    name: z.string().meta({ doc: "The dataset" }),
    place: z.string().meta({ doc: "Topic, partition and offset" }),
    reason: z.string(),
    raw: z.string().meta({ doc: "The beginning of it" }),
    timestamp: At,
  })),
  total_entries: z.int(),
}).meta({ id: "RefusedEventCollectionResponse" });

/** Add them. */
export function addWebhookRoutes(book: RouteBook, rest: Rest): void {
  const listeners = listenersOf(rest);
  const secretOf = secretsOf(rest);

  book.add({
    method: "post",
    path: "/api/v2/webhooks/{name}",
    permission: "webhooks.call",
    tag,
    summary: `Send an event to whoever listens: at most ${limits.eventBytes} bytes, signed`,
    params: z.object({ name: Name }),
    returns: WebhookAnswer,
    status: 202,
  }, async ({ params: { name }, request }) => {
    const { headers } = request;
    const body = await readBytes(request, limits.eventBytes);
    for (const { dataset, watch } of await listeners(name)) {
      const secret = await secretOf(watch);
      const now = rest.clock.now();
      if (secret === null || !isSigned(watch.signature, { headers, body, secret, now })) continue;
      const event = eventOf(watch, { dataset, body, headers });
      const recorded = await rest.store.recordEvents([event], now);
      countEvents(rest.metrics, "webhook", recorded);
      return { event_key: event.key, is_new: recorded[0].isNew };
    }
    countRefused(rest.metrics, "webhook", 1);
    throw new AppError(
      "UNAUTHENTICATED",
      `Cannot take this call: no webhook "${name}" knows its signature`,
    );
  });

  book.add({
    method: "get",
    path: "/api/v2/refusedEvents",
    permission: "datasets.read",
    tag,
    summary: "List messages of topics that are no events, with the reason, newest first",
    query: z.object({ name: Text.optional(), ...paging(["id"], "-id") }),
    returns: RefusedEvents,
  }, async ({ query }) => {
    const { items, total } = await listRefused(rest.sql, { dataset: query.name }, pageOf(query));
    return {
      refused_events: items.map(({ id, dataset, place, reason, raw, createdAt }) => ({
        ...{ id, name: dataset, place, reason, raw },
        timestamp: createdAt.toISOString(),
      })),
      total_entries: total,
    };
  });
}

function eventOf(
  watch: WebhookSpec,
  { dataset, body, headers }: { dataset: string; body: Uint8Array; headers: Headers },
) {
  const text = new TextDecoder().decode(body);
  const json = parsed(text);
  const key = eventKey(watch.key, { body, json, header: (name) => headers.get(name) });
  const payload = json === undefined ? text : json;
  if (!isStorable(JSON.stringify(payload)) || !isStorable(key)) {
    throw new AppError("INVALID", "Cannot keep the event: it has a NUL or half a surrogate pair");
  }
  const contentType = headers.get("content-type");
  return { dataset, partition: key, key, extra: { payload, contentType } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Who listens to a webhook, asked for at most once in a while. */
function listenersOf({ sql, clock, hints }: Rest) {
  let untilMs = -Infinity;
  let isSubscribed = false;
  let all: Promise<WatchRow<WebhookSpec>[]> = Promise.resolve([]);
  return async (name: string) => {
    if (!isSubscribed) {
      isSubscribed = true;
      hints.subscribe(({ topic }) => {
        if (topic === "dags") untilMs = -Infinity;
      });
    }
    if (clock.monotonicMs() >= untilMs) {
      untilMs = clock.monotonicMs() + TRUST_MS;
      all = listWatches(sql, "webhook");
      all.catch(() => untilMs = -Infinity);
    }
    return (await all).filter(({ watch }) => watch.name === name);
  };
}

/** A webhook's secret, or null where there is none; every read of the store is audited. */
function secretsOf({ sql, secrets: box, clock, log }: Rest) {
  const kept = new Map<string, { secret: string | null; untilMs: number }>();
  return async ({ name, connection: connectionId }: WebhookSpec): Promise<string | null> => {
    const found = kept.get(connectionId);
    if (found && found.untilMs > clock.monotonicMs()) return found.secret;
    const reader = { actor: `webhook:${name}` };
    const secret = await readConnectionSecret(sql, {
      ...{ connectionId, box, reader },
      now: clock.now(),
    }).then(({ password }) => password || null, (error) => {
      if (error?.code !== "NOT_FOUND") throw error;
      return null;
    });
    if (secret === null) {
      log.warn("A webhook has no secret, so it takes no calls: give its connection a password", {
        ...{ webhook: name, connectionId },
      });
    }
    if (kept.size >= SECRETS_KEPT) kept.delete(kept.keys().next().value!);
    kept.set(connectionId, {
      secret,
      untilMs: clock.monotonicMs() + (secret === null ? 1 : 12) * TRUST_MS,
    });
    return secret;
  };
}
