/**
 * @module Sends an event to an address, signed as Standard Webhooks has it: `webhook-signature` is
 * `v1,` and the base64 of HMAC-SHA-256 over `<webhook-id>.<webhook-timestamp>.<body>`.
 */
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { deadline } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { ConnectionSecret } from "../contract/execution.ts";
import { AppError, messageOf } from "../model/errors.ts";
import type { NoticeTarget } from "../model/notice_spec.ts";
import { bodyOf } from "./cloud_event.ts";
import type { TakenEvent } from "./port.ts";

type Webhook = Extract<NoticeTarget, { kind: "webhook" }>;

/** A try that failed. */
export class DeliveryError extends Error {
  constructor(
    message: string,
    /** No try will do better. */
    readonly isFinal: boolean = false,
    /** How long the receiver asks to be left alone, in milliseconds. */
    readonly waitMs: number | null = null,
  ) {
    super(message);
  }
}

/** Tell a webhook; throws {@link DeliveryError} unless it answers 2xx. */
export async function sendWebhook(
  target: Webhook,
  event: TakenEvent,
  { connection, now, signal, send = fetch }: {
    connection: ConnectionSecret | null;
    now: Date;
    signal: AbortSignal;
    send?: typeof fetch;
  },
): Promise<void> {
  const url = addressOf(target, connection);
  const { type, body } = bodyOf(event, target.format);
  const stamp = String(Math.floor(now.getTime() / 1000));
  const headers = new Headers(headersOf(connection));
  headers.set("content-type", type);
  headers.set("user-agent", "tidewheel");
  headers.set("webhook-id", event.eventId);
  headers.set("webhook-timestamp", stamp);
  if (connection?.password) {
    headers.set(
      "webhook-signature",
      signatureOf(connection.password, `${event.eventId}.${stamp}.${body}`),
    );
  }
  using timer = deadline(limits.deliveryMs, signal);
  let response: Response;
  try {
    response = await send(url, {
      method: "POST",
      headers,
      body,
      redirect: "manual",
      signal: timer,
    });
  } catch (error) {
    const why = timer.aborted && !signal.aborted
      ? `did not answer within ${limits.deliveryMs / 1000} s`
      : `cannot be reached: ${messageOf(error)}`;
    throw new DeliveryError(`${url.origin} ${why}`);
  }
  const said = await beginningOf(response);
  if (response.ok) return;
  const moved = response.status >= 300 && response.status < 400
    ? "; redirects are not followed"
    : "";
  throw new DeliveryError(
    `${url.origin} answered ${response.status}${moved}${said === "" ? "" : `: ${said}`}`,
    response.status === 410,
    retryAfterMs(response, now),
  );
}

/** The header of a signature; a secret that begins with `whsec_` is base64 after that. */
export function signatureOf(secret: string, text: string): string {
  const key = secret.startsWith("whsec_")
    ? Buffer.from(secret.slice("whsec_".length), "base64")
    : Buffer.from(secret, "utf8");
  return `v1,${createHmac("sha256", key).update(text).digest("base64")}`;
}

function addressOf({ url, path }: Webhook, connection: ConnectionSecret | null): URL {
  if (url !== null) return new URL(url);
  const { connectionId, host, port, schema, extra } = connection!;
  if (!host) {
    throw new DeliveryError(
      `Cannot use connection "${connectionId}": it has no host; give it one or the webhook a url`,
    );
  }
  const text = /^https?:\/\//.test(host) ? host : `${schema || "https"}://${host}`;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new DeliveryError(
      `Cannot use connection "${connectionId}": "${text}" is not an http or https address`,
    );
  }
  const address = new URL(text);
  if (port !== null) address.port = String(port);
  const parts = [address.pathname, extra.path, path].filter((part) => typeof part === "string");
  address.pathname = parts.join("/").replace(/\/{2,}/g, "/").replace(/(.)\/$/, "$1");
  return address;
}

function headersOf(connection: ConnectionSecret | null): Record<string, string> {
  const headers = connection?.extra.headers ?? {};
  if (typeof headers === "object" && headers !== null && !Array.isArray(headers)) {
    return headers as Record<string, string>;
  }
  throw new AppError(
    "INVALID",
    `Cannot use connection "${connection!.connectionId}": its extra.headers is not an object`,
  );
}

/** What a receiver says is for people to read: a little of it is enough. */
async function beginningOf(response: Response): Promise<string> {
  if (response.ok) {
    await response.body?.cancel().catch(() => {});
    return "";
  }
  const reader = response.body?.getReader();
  if (!reader) return "";
  let text = "";
  const decoder = new TextDecoder();
  try {
    while (text.length < SAID_CHARS) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
    await reader.cancel();
  } catch {
    // What has come so far will do.
  }
  // deno-lint-ignore no-control-regex
  return text.slice(0, SAID_CHARS).replace(/[\x00-\x1f]+/g, " ").trim();
}
const SAID_CHARS = 300;

function retryAfterMs(response: Response, now: Date): number | null {
  const text = response.headers.get("retry-after");
  if (text === null) return null;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now.getTime();
  return Number.isFinite(ms) && ms > 0 ? ms : null;
}
