/** @module How to ask an HTTP source, as parameters: shared by `collect.http` and `retry.parts`. */
import { z } from "zod";
import { BodyCheck } from "./body_check_params.ts";
import { Paging } from "./paging_params.ts";

const Scalar = z.union([z.string(), z.number(), z.boolean()]);

/** Query parameters; a list repeats the name, null leaves it out. */
export const Query = z.record(z.string(), z.union([Scalar, z.array(Scalar), z.null()]));
/** See {@link Query}. */
export type Query = z.infer<typeof Query>;

/** One request, or one run of pages, of several that differ only in these values. */
export const RequestPart = z.object({
  name: z.string().min(1).max(100).meta({ doc: "Names its files and failures", example: "aapl" }),
  query: Query.default({}),
  path: z.string().optional().meta({ doc: "Takes the place of the request's path" }),
  labels: z.record(z.string(), z.string()).default({}).meta({
    doc: "Facts for `convert` that the answer's bytes do not carry",
    example: { symbol: "AAPL" },
  }),
});
/** See {@link RequestPart}. */
export type RequestPart = z.infer<typeof RequestPart>;

/** What the answer's body should be; an HTML page in its place is an error. */
export const BodyFormat = z.enum(["json", "ndjson", "csv", "tsv", "xml", "binary"]);
/** See {@link BodyFormat}. */
export type BodyFormat = z.infer<typeof BodyFormat>;

/** Tries within one attempt. The task's own retries come after these. */
export const HttpRetry = z.object({
  tries: z.int().min(1).max(20).default(5).meta({ doc: "Requests for one page, the first too" }),
  delayMs: z.int().min(0).default(500).meta({ doc: "Cap of the first wait; doubles each try" }),
  delayMsMax: z.int().min(0).default(30_000).meta({ doc: "Cap of every wait" }),
  holdMsMax: z.int().min(0).default(120_000).meta({
    doc: "Longest Retry-After that is waited for; above it the task is started again at that time",
  }),
});
/** See {@link HttpRetry}. */
export type HttpRetry = z.infer<typeof HttpRetry>;

/** At most `requests` in any window of `perMs`, within one attempt. */
export const HttpRate = z.object({
  requests: z.int().positive(),
  perMs: z.int().positive().meta({ doc: "Window", unit: "ms", example: 60_000 }),
});
/** See {@link HttpRate}. */
export type HttpRate = z.infer<typeof HttpRate>;

/** All that says how a source is asked. Constant headers and bodies hold no secrets. */
export const HttpRequest = z.object({
  connection: z.string().optional().meta({
    doc: "Connection with the base URL and the secret",
    example: "marketstack",
  }),
  url: z.url({ protocol: /^https?$/ }).optional().meta({
    doc: "Base URL, where there is no connection or another host than its own",
  }),
  method: z.enum(["GET", "POST"]).default("GET").meta({ doc: "Method of the request" }),
  path: z.string().default("").meta({ doc: "Added to the base URL's path", example: "/v1/eod" }),
  query: Query.default({}).meta({
    doc: "Query parameters; a list repeats the name, null leaves it out",
    example: { symbols: "AAPL,IBM" },
  }),
  headers: z.record(z.string(), z.string()).default({}).meta({
    doc: "Headers; no secrets, those are the connection's",
  }),
  body: z.union([z.string(), z.record(z.string(), z.json())]).optional().meta({
    doc: "Sent as it is when text, as JSON when an object",
  }),
  format: BodyFormat.default("binary").meta({
    doc: "What the body should be; binary: anything",
    example: "json",
  }),
  records: z.string().optional().meta({
    doc: "JSON pointer to the records in a page; the whole document when left out",
    example: "/data",
  }),
  paging: Paging.default({ kind: "none" }).meta({
    doc: "How the pages follow each other",
    example: { kind: "offset", limit: 100, total: "/pagination/total" },
  }),
  parts: z.array(RequestPart).max(10_000).optional().meta({
    doc: "Ask once for each: symbols, accounts, days. Each can fail and be fetched again by itself",
  }),
  successWhen: z.array(BodyCheck).default([]).meta({ doc: "All must hold in an answer of 2xx" }),
  failedWhen: z.array(BodyCheck).default([]).meta({
    doc: "Any in an answer of 2xx: an error that asking again does not cure",
    example: [{ pointer: "/Error Message" }],
  }),
  throttledWhen: z.array(BodyCheck).default([]).meta({
    doc: "Any in an answer of 2xx: asked too often, wait and ask again",
    example: [{ pointer: "/Note" }, { pointer: "/Information" }],
  }),
  emptyWhen: z.array(BodyCheck).default([]).meta({
    doc: "Any in an answer of 2xx: there is no data; the page leaves no file",
    example: [{ text: "No data" }],
  }),
  requestRetry: HttpRetry.prefault({}).meta({ doc: "Tries of one request within the attempt" }),
  answerMs: z.int().positive().default(60_000).meta({ doc: "Longest wait for the headers" }),
  stallMs: z.int().positive().default(30_000).meta({ doc: "Longest time without a byte of body" }),
  bytesMax: z.int().positive().default(16 * 1024 ** 3).meta({ doc: "Largest body of one page" }),
  compressed: z.boolean().default(false).meta({
    doc: "Let the server compress. Then neither resuming nor length and digest checks are possible",
  }),
  rate: HttpRate.optional().meta({ doc: "At most so many requests in any such window" }),
  redirectHosts: z.array(z.string()).default([]).meta({
    doc: "Other hosts that a redirect may lead to; no credential goes there",
    example: ["files.example.com"],
  }),
});
/** See {@link HttpRequest}. */
export type HttpRequest = z.infer<typeof HttpRequest>;

/** A request as authors write it, for a constant that several tasks share. */
export type HttpRequestOptions = z.input<typeof HttpRequest>;

/** Permissions that the constant part of {@link HttpRequest} asks for. */
export function requestPermissions(params: Record<string, unknown>): { net: string[] } {
  const net: string[] = [];
  if (typeof params.connection === "string") net.push(`connection:${params.connection}`);
  if (typeof params.url === "string" && URL.canParse(params.url)) {
    net.push(new URL(params.url).host);
  }
  if (Array.isArray(params.redirectHosts)) {
    net.push(...params.redirectHosts.filter((host) => typeof host === "string"));
  }
  return { net };
}

/** Connections that the constant part of {@link HttpRequest} names. */
export function requestConnections(params: Record<string, unknown>): string[] {
  return typeof params.connection === "string" ? [params.connection] : [];
}
