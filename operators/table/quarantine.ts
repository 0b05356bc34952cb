/** @module Rows that were refused: all of them in one NDJSON file, the first few with the attempt. */
import { writeAll } from "./write_all.ts";
import { limits } from "../../src/base/limits.ts";
import type { Quarantine } from "../../src/model/data.ts";
import type { TaskContext } from "../../src/sdk/context.ts";

/** One refused row. */
export type RefusedRow = Quarantine["sample"][number];

const FLUSH_CHARS = 256 * 1024;

/** Collects refused rows of one task in `path`; memory does not grow with their number. */
export class QuarantineWriter {
  /** Where the rows are, once it is closed. */
  readonly path: string;
  #file: Deno.FsFile | null = null;
  #pending: string[] = [];
  #pendingChars = 0;
  #reasons = new Map<string, number>();
  #sample: RefusedRow[] = [];
  #rows = 0;

  constructor(path: string) {
    this.path = path;
  }

  get rows(): number {
    return this.#rows;
  }

  get reasons(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#reasons);
  }

  get sample(): readonly RefusedRow[] {
    return this.#sample;
  }

  async add(row: RefusedRow): Promise<void> {
    this.#rows++;
    this.#reasons.set(row.rule, (this.#reasons.get(row.rule) ?? 0) + 1);
    if (this.#sample.length < limits.quarantineRowsInline) this.#sample.push(shortened(row));
    const line = JSON.stringify(row) + "\n";
    this.#pending.push(line);
    this.#pendingChars += line.length;
    if (this.#pendingChars >= FLUSH_CHARS) await this.#flush();
  }

  /** Put the file away. Null when nothing was refused. */
  async finish(
    ctx: Pick<TaskContext, "files">,
    { dataset, source }: { dataset: string; source: string },
  ): Promise<Quarantine | null> {
    if (this.#rows === 0) return null;
    await this.close();
    const file = await ctx.files.put(this.path, {
      name: "quarantine.ndjson",
      mediaType: "application/x-ndjson",
      rows: this.#rows,
    });
    return {
      dataset,
      source,
      file,
      rows: this.#rows,
      reasons: this.reasons,
      sample: this.#sample,
    };
  }

  /** Write what is pending and close the file. */
  async close(): Promise<void> {
    await this.#flush();
    this.#file?.close();
    this.#file = null;
  }

  async #flush(): Promise<void> {
    if (this.#pending.length === 0) return;
    this.#file ??= await Deno.open(this.path, { create: true, append: true });
    await writeAll(this.#file, new TextEncoder().encode(this.#pending.join("")));
    this.#pending = [];
    this.#pendingChars = 0;
  }
}

/** A sample travels with the attempt: raw text past 4,000 characters is in the file only. */
function shortened(row: RefusedRow): RefusedRow {
  return row.raw.length > 4_000 ? { ...row, raw: `${row.raw.slice(0, 4_000)}…` } : row;
}
