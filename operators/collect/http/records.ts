/** @module The records of a page, each as text: to count them and to know them again. */
import { createHash } from "node:crypto";
import { HttpFailure } from "./failure.ts";
import { valueAt } from "./json_pointer.ts";
import type { BodyFormat } from "./request_params.ts";

/** Records of the page at `path`; null where the format does not tell. */
export async function recordsOf(
  path: string,
  format: BodyFormat,
  document: unknown,
  pointer: string | undefined,
): Promise<string[] | null> {
  if (format === "json") return jsonRecords(document, pointer);
  const lines = (await Deno.readTextFile(path)).split(/\r?\n/).filter((line) => line !== "");
  return format === "ndjson" ? lines : lines.slice(1);
}

function jsonRecords(document: unknown, pointer: string | undefined): string[] | null {
  const found = valueAt(document, pointer ?? "");
  if (Array.isArray(found)) return found.map((record) => JSON.stringify(record));
  if (pointer === undefined) return null;
  if (found !== null && typeof found === "object") {
    return Object.entries(found).map((entry) => JSON.stringify(entry));
  }
  throw new HttpFailure("retry", `the document has no records at "${pointer}"`);
}

/** Remembers records of earlier pages, to see when a page brings them again. */
export class SeenRecords {
  readonly #seen = new Set<string>();
  readonly #rememberMax: number;

  /** Past `rememberMax` records the oldest are forgotten. */
  constructor(rememberMax = 500_000) {
    this.#rememberMax = rememberMax;
  }

  /** How many of these came in an earlier page. */
  repeats(records: readonly string[]): number {
    return records.filter((record) => this.#seen.has(fingerprint(record))).length;
  }

  /** Remember the records of a page that is kept. */
  add(records: readonly string[]): void {
    for (const record of records) {
      this.#seen.add(fingerprint(record));
      if (this.#seen.size > this.#rememberMax) {
        this.#seen.delete(this.#seen.values().next().value!);
      }
    }
  }
}

function fingerprint(record: string): string {
  return createHash("sha256").update(record).digest("base64").slice(0, 16);
}
