/** @module Is this body what was asked for? */
import type { BodyCheck } from "./body_check_params.ts";
import type { Download } from "./download.ts";
import { excerpt, HttpFailure } from "./failure.ts";
import { valueAt } from "./json_pointer.ts";
import { recordsOf } from "./records.ts";
import type { HttpRequest } from "./request_params.ts";

/** Largest body that is read into memory to look into it. */
const lookBytesMax = 64 * 1024 * 1024;
/** Largest JSON body that is parsed only to see that it is whole. */
const parseBytesMax = 8 * 1024 * 1024;

/** What is known of a body that passed. */
export interface Body {
  /** The document, where it is JSON and something in it matters. */
  document: unknown;
  /** Each record as text, where the format and size let them be told apart. */
  records: string[] | null;
  /** The source says that there is no data. */
  empty: boolean;
}

/** Look into a body. Throws {@link HttpFailure} when it is not what was asked for. */
export async function inspectBody(page: Download, params: HttpRequest): Promise<Body> {
  const { format } = params;
  const head = new TextDecoder().decode(page.head);
  if (!matches(params.emptyWhen, head, undefined)) refuseHtml(head, page, format);
  const document = format === "json" ? await readJson(page, params) : undefined;
  checkConditions(params, head, document);
  if (matches(params.emptyWhen, head, document)) return { document, records: [], empty: true };
  if (page.bytes === 0) {
    throw new HttpFailure(
      "retry",
      "the body is empty; if that means no data, the source says " +
        "so by status 204",
    );
  }
  const countable = page.bytes <= lookBytesMax && format !== "binary" && format !== "xml";
  const records = countable && (params.paging.kind !== "none" || document !== undefined)
    ? await recordsOf(page.path, format, document, params.records)
    : null;
  return { document, records, empty: false };
}

function refuseHtml(head: string, { headers }: Download, format: string): void {
  if (format === "binary") return;
  const start = head.trimStart().slice(0, 200).toLowerCase();
  const html = start.startsWith("<!doctype html") || start.startsWith("<html") ||
    (format !== "xml" && /<(head|body|title)[\s>]/.test(start));
  if (html) {
    const title = /<title[^>]*>([^<]{0,200})/i.exec(head)?.[1].trim();
    throw new HttpFailure(
      "retry",
      `the body is an HTML page${title ? ` ("${title}")` : ""} where ${format} was expected`,
    );
  }
  if (format === "xml" && !start.startsWith("<") && start !== "") {
    throw new HttpFailure("retry", `the body is not XML: it begins with "${excerpt(head)}"`);
  }
  if ((format === "csv" || format === "tsv") && /^\s*[{[]\s*"/.test(start)) {
    const type = headers.get("content-type") ?? "none";
    throw new HttpFailure(
      "retry",
      `the body is JSON (content type ${type}) where ${format} was expected: ${excerpt(head)}`,
    );
  }
}

async function readJson(page: Download, params: HttpRequest): Promise<unknown> {
  if (page.bytes === 0) return undefined;
  const needed = params.paging.kind !== "none" || params.records !== undefined ||
    [params.successWhen, params.failedWhen, params.throttledWhen, params.emptyWhen].some(
      (checks) => checks.some((check) => "pointer" in check),
    );
  if (needed && page.bytes > lookBytesMax) {
    throw new HttpFailure(
      "final",
      `the JSON body has ${page.bytes} bytes and paging, records or conditions need a look into ` +
        `it, which goes up to ${lookBytesMax}; ask for smaller pages`,
    );
  }
  if (!needed && page.bytes > parseBytesMax) return undefined;
  const text = await Deno.readTextFile(page.path);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HttpFailure(
      "retry",
      `the body is not whole JSON (${(error as Error).message}); it begins with "${excerpt(text)}"`,
    );
  }
}

function checkConditions(params: HttpRequest, head: string, document: unknown): void {
  const met = (checks: BodyCheck[]) => checks.find((check) => holds(check, head, document));
  const throttled = met(params.throttledWhen);
  if (throttled) {
    throw new HttpFailure(
      "throttled",
      `the body says to slow down: ${said(throttled, head, document)}`,
    );
  }
  const failed = met(params.failedWhen);
  if (failed) {
    throw new HttpFailure("final", `the body tells of an error: ${said(failed, head, document)}`);
  }
  const missed = params.successWhen.find((check) => !holds(check, head, document));
  if (missed) {
    throw new HttpFailure(
      "retry",
      `the body does not meet ${JSON.stringify(missed)}; it begins with "${excerpt(head)}"`,
    );
  }
}

function matches(checks: BodyCheck[], head: string, document: unknown): boolean {
  return checks.some((check) => holds(check, head, document));
}

/** Does the condition hold? */
export function holds(check: BodyCheck, head: string, document: unknown): boolean {
  if ("text" in check) return head.toLowerCase().includes(check.text.toLowerCase());
  const value = valueAt(document, check.pointer);
  if (check.equals !== undefined) return value === check.equals;
  if (check.contains !== undefined) {
    return String(value ?? "").toLowerCase().includes(check.contains.toLowerCase());
  }
  return Array.isArray(value) ? value.length > 0 : Boolean(value) || value === 0;
}

function said(check: BodyCheck, head: string, document: unknown): string {
  if ("text" in check) return excerpt(head);
  const value = valueAt(document, check.pointer);
  return excerpt(typeof value === "string" ? value : JSON.stringify(value));
}
