/** @module Recorded HTTP exchanges: made from real ones without their secrets, and answered from. */
import { z } from "zod";
import { type Answer, askNetwork } from "./tape.ts";

/** One request and its answer. Bodies are text, or base64 where they are not UTF-8. */
export const Exchange = z.strictObject({
  method: z.string(),
  url: z.string(),
  /** Body of the request. */
  sent: z.string().optional(),
  status: z.int(),
  headers: z.record(z.string(), z.string()),
  body: z.string().optional(),
  base64: z.string().optional(),
});
/** See {@link Exchange}. */
export type Exchange = z.infer<typeof Exchange>;

/** Takes secrets out of a text. */
export type Scrub = (text: string) => string;

/** Parameters of URLs whose values are never kept. */
const SECRET_PARAMETER = /^(.*[_-])?(api[_-]?key|apikey|key|token|secret|password|sig|signature)$/i;
/** Headers of answers that are kept; all else can be a session, a secret or a trace of a person. */
const KEPT_HEADERS =
  /^(content-(type|language|range|disposition)|etag|last-modified|retry-after|location|link|date|x-ratelimit-.*|x-total-.*|x-next-.*)$/;
/** Exchanges of one run. */
const EXCHANGES_MAX = 10_000;
/** Bytes of one body. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;

/** Ask the network, and keep what it says; the task is given just what is kept. */
export function recorder(exchanges: Exchange[], scrub: () => Scrub): Answer {
  return async (request) => {
    const sent = request.body ? await request.clone().text() : undefined;
    const { method, url } = request;
    const answer = await askNetwork(request);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (exchanges.length >= EXCHANGES_MAX || bytes.length > BODY_BYTES_MAX) {
      throw new Error(
        `Cannot record ${method} ${url}: a record holds ${EXCHANGES_MAX} exchanges of at most ` +
          `${BODY_BYTES_MAX} bytes; run it for less`,
      );
    }
    const exchange: Exchange = {
      method,
      url: scrubbedUrl(url, scrub()),
      ...(sent === undefined ? {} : { sent: scrub()(sent) }),
      status: answer.status,
      headers: keptHeaders(answer.headers, scrub()),
      ...bodyOf(bytes, scrub()),
    };
    exchanges.push(exchange);
    return responseOf(exchange);
  };
}

/** Answer from a record; equal requests get their answers in order, the last one from then on. */
export function player(exchanges: readonly Exchange[], where: string): Answer {
  const byRequest = Map.groupBy(exchanges, keyOf);
  const asked = new Map<string, number>();
  return async (request) => {
    const sent = request.body ? await request.text() : undefined;
    const { method } = request;
    const url = scrubbedUrl(request.url, (text) => text);
    const key = keyOf({ method, url, sent });
    const found = byRequest.get(key);
    if (!found) {
      const near = exchanges.filter((one) => new URL(one.url).host === new URL(url).host);
      throw new TypeError(
        `${where} has no answer to ${method} ${url}; it has ` +
          `${near.slice(0, 5).map((one) => `${one.method} ${one.url}`).join(", ") || "none"}`,
      );
    }
    const count = asked.get(key) ?? 0;
    asked.set(key, count + 1);
    return responseOf(found[Math.min(count, found.length - 1)]);
  };
}

const keyOf = ({ method, url, sent }: Pick<Exchange, "method" | "url" | "sent">) =>
  `${method} ${url} ${sent ?? ""}`;

function scrubbedUrl(text: string, scrub: Scrub): string {
  const url = new URL(text);
  for (const name of [...url.searchParams.keys()]) {
    if (SECRET_PARAMETER.test(name)) url.searchParams.set(name, "***");
  }
  url.username = url.password = "";
  return scrub(url.href);
}

function keptHeaders(headers: Headers, scrub: Scrub): Record<string, string> {
  const kept = [...headers].filter(([name]) => KEPT_HEADERS.test(name));
  return Object.fromEntries(kept.map(([name, value]) => [name, scrub(value)]));
}

function bodyOf(bytes: Uint8Array<ArrayBuffer>, scrub: Scrub): Pick<Exchange, "body" | "base64"> {
  if (bytes.length === 0) return {};
  try {
    return {
      body: scrub(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)),
    };
  } catch {
    return { base64: bytes.toBase64() };
  }
}

function responseOf({ status, headers, body, base64 }: Exchange): Response {
  const hasNoBody = [204, 205, 304].includes(status);
  const content = base64 === undefined ? body ?? "" : Uint8Array.fromBase64(base64);
  return new Response(hasNoBody ? null : content, { status, headers });
}
