/** @module An answer of a vendor before it is sent, and how it is sent: validators, ranges, digests. */
import { createHash } from "node:crypto";

/** What a vendor has to say. */
export interface Answer {
  status: number;
  contentType: string;
  body: string;
  headers?: Record<string, string>;
  /** Of the content, for `Last-Modified`. */
  modifiedAt?: Date;
}

/** An answer of JSON. */
export function json(value: unknown, status = 200, headers?: Record<string, string>): Answer {
  const body = typeof value === "string" ? value : JSON.stringify(value, null, 4);
  return { status, contentType: "application/json", body, headers };
}

/** An answer of plain text. */
export function text(body: string, status = 200, contentType = "text/plain"): Answer {
  return { status, contentType, body };
}

/** Headers and bytes as they go out, for this request. */
export interface Wire {
  status: number;
  headers: Headers;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Serve an answer by HTTP's rules: conditional requests, ranges, digests. */
export function toWire(answer: Answer, request: Request): Wire {
  const bytes = new TextEncoder().encode(answer.body);
  const headers = new Headers({ "content-type": answer.contentType, ...answer.headers });
  if (answer.status !== 200) return { status: answer.status, headers, bytes };
  const digest = createHash("sha256").update(bytes).digest("base64");
  const etag = `"${digest.slice(0, 22)}"`;
  headers.set("etag", etag);
  headers.set("accept-ranges", "bytes");
  headers.set("repr-digest", `sha-256=:${digest}:`);
  if (answer.modifiedAt) headers.set("last-modified", answer.modifiedAt.toUTCString());
  if (notModified(request, etag, answer.modifiedAt)) {
    return { status: 304, headers, bytes: new Uint8Array() };
  }
  const start = rangeStart(request, etag, headers.get("last-modified"));
  if (start === null) return { status: 200, headers, bytes };
  if (start >= bytes.length) {
    headers.set("content-range", `bytes */${bytes.length}`);
    return { status: 416, headers, bytes: new Uint8Array() };
  }
  headers.set("content-range", `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
  return { status: 206, headers, bytes: bytes.slice(start) };
}

function notModified({ headers }: Request, etag: string, modifiedAt?: Date): boolean {
  const none = headers.get("if-none-match");
  if (none !== null) return none.split(",").some((one) => one.trim() === etag);
  const since = Date.parse(headers.get("if-modified-since") ?? "");
  return modifiedAt !== undefined && modifiedAt.getTime() <= since;
}

/** Where an open range begins; null for the whole, also when `If-Range` no longer holds. */
function rangeStart({ headers }: Request, etag: string, modified: string | null): number | null {
  const range = /^bytes=(\d+)-$/.exec(headers.get("range") ?? "");
  if (range === null) return null;
  const ifRange = headers.get("if-range");
  return ifRange === null || ifRange === etag || ifRange === modified ? Number(range[1]) : null;
}
