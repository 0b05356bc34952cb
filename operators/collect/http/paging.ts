/** @module Which page comes next, and when there is none. */
import { HttpFailure } from "./failure.ts";
import { valueAt } from "./json_pointer.ts";
import type { Paging } from "./paging_params.ts";

/** What distinguishes the request for one page. */
export interface PageAsk {
  /** From 1. */
  page: number;
  query: Record<string, string>;
  body: Record<string, unknown>;
  /** The whole URL, where the source gave it. */
  url: string | null;
}

/** What came back for it. */
export interface PageSeen {
  document: unknown;
  headers: Headers;
  /** Records in this page; null when they cannot be counted. */
  records: number | null;
  /** Records so far, this page and no repeats included. */
  recordsSoFar: number;
}

/** The first page. */
export function firstPage(paging: Paging): PageAsk {
  const ask: PageAsk = { page: 1, query: {}, body: {}, url: null };
  if (paging.kind === "page") {
    ask.query[paging.param] = String(paging.first);
    if (paging.sizeParam && paging.size) ask.query[paging.sizeParam] = String(paging.size);
  }
  if (paging.kind === "offset") {
    ask.query[paging.offsetParam] = "0";
    ask.query[paging.limitParam] = String(paging.limit);
  }
  return ask;
}

/** The page after `ask`, or null after the last. Throws {@link HttpFailure} when it cannot tell. */
export function nextPage(paging: Paging, ask: PageAsk, seen: PageSeen): PageAsk | null {
  if (paging.kind === "none" || isLast(paging, seen)) return null;
  if (ask.page >= paging.pagesMax) {
    throw new HttpFailure(
      "final",
      `there are more than ${paging.pagesMax} pages; raise paging.pagesMax if that is right`,
    );
  }
  const next: PageAsk = { page: ask.page + 1, query: { ...ask.query }, body: {}, url: null };
  switch (paging.kind) {
    case "page":
      next.query[paging.param] = String(paging.first + ask.page);
      return next;
    case "offset":
      next.query[paging.offsetParam] = String(seen.recordsSoFar);
      return next;
    case "cursor": {
      const cursor = paging.pointer === undefined
        ? seen.headers.get(paging.header!)
        : valueAt(seen.document, paging.pointer);
      if (cursor === null || cursor === undefined || cursor === "") return null;
      const target = paging.in === "query" ? next.query : next.body;
      const before = paging.in === "query" ? ask.query[paging.param] : ask.body[paging.param];
      if (String(before) === String(cursor)) throw stuck("cursor");
      target[paging.param] = paging.in === "query" ? String(cursor) : cursor;
      return next;
    }
    case "link": {
      const link = paging.pointer === undefined
        ? nextLink(seen.headers.get("link"))
        : valueAt(seen.document, paging.pointer);
      if (typeof link !== "string" || link === "") return null;
      if (link === ask.url) throw stuck("link to the next page");
      return { ...next, query: {}, url: link };
    }
  }
}

/** How many records there are in all, by the source's own word; null when it does not say. */
export function statedTotal(paging: Paging, document: unknown): number | null {
  if (paging.kind === "none" || paging.total === undefined) return null;
  const total = valueAt(document, paging.total);
  const count = typeof total === "string" && /^\d+$/.test(total) ? Number(total) : total;
  if (typeof count === "number" && Number.isSafeInteger(count) && count >= 0) return count;
  throw new HttpFailure("retry", `the page has no number of records at "${paging.total}"`);
}

function isLast(paging: Exclude<Paging, { kind: "none" }>, seen: PageSeen): boolean {
  const total = statedTotal(paging, seen.document);
  if (total !== null && seen.recordsSoFar >= total) return true;
  if (paging.more !== undefined) {
    const more = valueAt(seen.document, paging.more);
    if (more === undefined || more === null || more === false) return true;
  }
  if (seen.records === 0) return true;
  if (paging.kind === "cursor" || paging.kind === "link") return false;
  if (seen.records === null && paging.more === undefined) {
    throw new HttpFailure(
      "final",
      "the records of a page cannot be counted, so the last page cannot be told; set format, " +
        "records, paging.more or paging.total",
    );
  }
  const size = paging.kind === "page" ? paging.size : paging.limit;
  return paging.shortPageLast && size !== undefined && seen.records! < size;
}

/** The target of `rel="next"` in a Link header (RFC 8288). */
export function nextLink(header: string | null): string | null {
  for (const [, target, attributes] of (header ?? "").matchAll(/<([^>]*)>((?:[^,"]|"[^"]*")*)/g)) {
    const rel = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))/i.exec(attributes);
    if ((rel?.[1] ?? rel?.[2] ?? "").toLowerCase().split(/\s+/).includes("next")) return target;
  }
  return null;
}

function stuck(what: string): HttpFailure {
  return new HttpFailure("retry", `the ${what} is the one that was just followed`);
}
