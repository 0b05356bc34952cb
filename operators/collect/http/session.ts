/** @module One attempt's dealings with one source. */
import { createHash } from "node:crypto";
import type { Logger } from "../../../src/base/log.ts";
import type { TaskContext } from "../../../src/sdk/context.ts";
import { FinalError } from "../../../src/sdk/operator.ts";
import { type HttpEndpoint, plainEndpoint, readConnection } from "./connection.ts";
import { createPacer, type Pacer } from "./pacing.ts";
import { createRedactor, type Redact } from "./redact.ts";
import type { HttpRequest } from "./request_params.ts";

/** Sums over an attempt, shown with it. */
export interface HttpCounters {
  requests: number;
  bytes: number;
  pages: number;
  records: number;
  /** Records that a page brought again and that were kept: exact duplicates, merged away later. */
  repeatedRecords: number;
  retries: number;
  throttled: number;
  waitedMs: number;
  notModified: number;
}

/** A source, ready to be asked. */
export interface HttpSession {
  ctx: TaskContext;
  source: string;
  params: HttpRequest;
  endpoint: HttpEndpoint;
  redact: Redact;
  /** The task's log without secrets. */
  log: Pick<Logger, "info" | "warn">;
  pacer: Pacer;
  counters: HttpCounters;
  /** The next number in [0, 1), the same for the same attempt. */
  chance(): number;
}

/** Read the connection and get ready. Throws {@link FinalError} when it cannot be used. */
export async function openSession(
  ctx: TaskContext,
  source: string,
  params: HttpRequest,
): Promise<HttpSession> {
  const endpoint = await openEndpoint(ctx, source, params);
  const redact = createRedactor(endpoint.secrets);
  const write = (level: "info" | "warn") => (message: string, fields: object = {}) =>
    ctx.log[level](redact(message), JSON.parse(redact(JSON.stringify(fields))));
  let draws = 0;
  return {
    ctx,
    source,
    params,
    endpoint,
    redact,
    log: { info: write("info"), warn: write("warn") },
    pacer: createPacer(ctx.clock, params.rate),
    counters: {
      requests: 0,
      bytes: 0,
      pages: 0,
      records: 0,
      repeatedRecords: 0,
      retries: 0,
      throttled: 0,
      waitedMs: 0,
      notModified: 0,
    },
    chance: () => {
      const digest = createHash("sha256").update(`${ctx.attemptId}:${source}:${draws++}`).digest();
      return digest.readUInt32BE(0) / 2 ** 32;
    },
  };
}

/** A URL that can be shown. */
export function showUrl({ redact, endpoint }: HttpSession, url: URL): string {
  const shown = new URL(url);
  if (endpoint.auth.kind === "api_key" && endpoint.auth.in === "query") {
    shown.searchParams.delete(endpoint.auth.name);
  }
  shown.username = shown.password = "";
  return redact(readable(shown.href));
}

/** Escapes that are not UTF-8 stay as they are. */
function readable(href: string): string {
  try {
    return decodeURI(href);
  } catch {
    return href;
  }
}

async function openEndpoint(
  ctx: TaskContext,
  source: string,
  { connection, url }: HttpRequest,
): Promise<HttpEndpoint> {
  if (connection !== undefined) return readConnection(await ctx.connection(connection), url);
  if (url !== undefined) return plainEndpoint(url);
  throw new FinalError(`Cannot ask source "${source}": it has neither a connection nor a url`);
}
