/** @module What a connection means to an HTTP source: its base URL and how its secret is shown. */
import { z } from "zod";
import type { ConnectionSecret } from "../../../src/contract/execution.ts";
import { FinalError } from "../../../src/sdk/operator.ts";

/** How the secret becomes a credential: `extra.auth` of the connection. */
export const HttpAuth = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("none") }),
  z.object({
    kind: z.literal("api_key"),
    in: z.enum(["query", "header", "body"]).default("query"),
    name: z.string().meta({ doc: "Parameter or header", example: "apikey" }),
    prefix: z.string().default("").meta({ doc: "Before the key", example: "Token " }),
  }),
  z.object({ kind: z.literal("basic") }),
  z.object({ kind: z.literal("bearer") }),
]);
/** See {@link HttpAuth}. */
export type HttpAuth = z.infer<typeof HttpAuth>;

/** `extra` of a connection to an HTTP source. */
export const HttpExtra = z.object({
  auth: HttpAuth.optional().meta({ doc: "Left out: basic with a login and password, else none" }),
  path: z.string().default("").meta({ doc: "Path of the base URL", example: "/v1" }),
  headers: z.record(z.string(), z.string()).default({}).meta({
    doc: "Sent with every request; values count as secrets",
    secret: true,
  }),
});

/** A connection made ready for requests. */
export interface HttpEndpoint {
  baseUrl: URL;
  headers: Record<string, string>;
  auth: HttpAuth;
  login: string;
  secret: string;
  /** Every text that must never be shown. */
  secrets: string[];
}

/** An endpoint without a credential. */
export function plainEndpoint(url: string): HttpEndpoint {
  return {
    baseUrl: new URL(url),
    headers: {},
    auth: { kind: "none" },
    login: "",
    secret: "",
    secrets: [],
  };
}

/** Read a connection; `url` takes the place of its base URL. Throws {@link FinalError}. */
export function readConnection(connection: ConnectionSecret, url?: string): HttpEndpoint {
  const extra = HttpExtra.safeParse(connection.extra);
  if (!extra.success) {
    throw new FinalError(
      `Cannot use connection "${connection.connectionId}": its extra does not fit: ` +
        z.prettifyError(extra.error),
    );
  }
  const { login, password } = connection;
  const auth = extra.data.auth ?? (login && password ? { kind: "basic" } : { kind: "none" });
  if (auth.kind !== "none" && !password) {
    throw new FinalError(
      `Cannot use connection "${connection.connectionId}": auth is "${auth.kind}" and it has ` +
        "no password to show; store the key as its password",
    );
  }
  const basic = `${login ?? ""}:${password ?? ""}`;
  return {
    baseUrl: url === undefined ? baseUrl(connection, extra.data.path) : new URL(url),
    headers: extra.data.headers,
    auth,
    login: login ?? "",
    secret: password ?? "",
    secrets: [
      password ?? "",
      ...(password ? [btoaUtf8(basic)] : []),
      ...Object.values(extra.data.headers),
    ],
  };
}

/** Base64 of the text's UTF-8 bytes. */
export function btoaUtf8(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

function baseUrl({ connectionId, host, port, schema }: ConnectionSecret, path: string): URL {
  if (!host) {
    throw new FinalError(
      `Cannot use connection "${connectionId}": it has no host; give it one or the task a url`,
    );
  }
  const text = /^https?:\/\//.test(host) ? host : `${schema || "https"}://${host}`;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new FinalError(
      `Cannot use connection "${connectionId}": "${text}" is not an http or https address; ` +
        'its schema must be "http" or "https"',
    );
  }
  const url = new URL(text);
  if (port !== null) url.port = String(port);
  if (path !== "") url.pathname = joinPath(url.pathname, path);
  return url;
}

/** Two paths with one slash between them. */
export function joinPath(base: string, path: string): string {
  if (path === "") return base;
  return `${base.replace(/\/+$/, "")}/${path.replace(/^\/+/, "")}`;
}
