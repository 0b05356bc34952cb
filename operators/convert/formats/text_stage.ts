/**
 * @module Rows of texts that TypeScript took out of a document, made readable for SQL: delimited by
 * characters that texts do not have, so that hardly one has to be looked at.
 */
import { writeAllSync } from "../../table/write_all.ts";
import { AppError } from "../../../src/model/errors.ts";
import { literal } from "../../table/sql.ts";
import type { ReadCall, RowSource } from "./format.ts";
import type { RecordPosition } from "./staging.ts";

const FLUSH_CHARS = 1 << 20;
const COLUMNS_MAX = 5000;
const DELIMITER = "\x01";
const QUOTE = "\x02";
/** Past it, the engine needs larger buffers, which are many times as long. */
const LINE_BYTES_USUAL = 2_000_000;

/** Takes rows of texts, null for none, and makes a {@link RowSource} of them. */
export class TextStage {
  readonly #call: Pick<ReadCall, "file" | "signal" | "tempPath">;
  readonly #columns: readonly string[];
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #encoder = new TextEncoder();
  #pending: string[] = [];
  #pendingChars = 0;
  #lineBytesMax = 0;
  #rows = 0;

  /** Throws CORRUPT for more columns than a table may have. */
  constructor(
    call: Pick<ReadCall, "file" | "signal" | "tempPath">,
    columns: readonly string[],
  ) {
    if (columns.length > COLUMNS_MAX) {
      throw new AppError(
        "CORRUPT",
        `Cannot read ${call.file.name}: its records have ${columns.length} different fields, more ` +
          `than ${COLUMNS_MAX}`,
      );
    }
    this.#call = call;
    this.#columns = columns;
    this.#path = call.tempPath("staged.csv");
    this.#file = Deno.openSync(this.#path, { write: true, createNew: true });
  }

  /** Rows until now. */
  get rows(): number {
    return this.#rows;
  }

  /** One row: a text a column. */
  add(cells: readonly (string | null | undefined)[], { row, offset, bytes }: RecordPosition): void {
    let line = `${row}${DELIMITER}${offset ?? ""}${DELIMITER}${bytes ?? ""}`;
    for (let i = 0; i < this.#columns.length; i++) {
      const text = cells[i];
      line += text === null || text === undefined ? DELIMITER : DELIMITER + quoted(text);
    }
    line += "\n";
    // A UTF-16 unit is at most three bytes of UTF-8.
    if (3 * line.length > this.#lineBytesMax) this.#lineBytesMax = 3 * line.length;
    this.#rows++;
    this.#pending.push(line);
    this.#pendingChars += line.length;
    if (this.#pendingChars >= FLUSH_CHARS) this.#flush();
  }

  /** Let go of the file, when it is not finished. */
  close(): void {
    this.#file.close();
    Deno.removeSync(this.#path);
  }

  /** The rows, once all were added. */
  finish(): RowSource {
    this.#flush();
    this.#file.close();
    const names = this.#columns.map((_, i) => `c${i}`);
    const columns = [
      ...["_tw_row", "_tw_offset", "_tw_bytes"].map((name) => `'${name}': 'BIGINT'`),
      ...names.map((name) => `'${name}': 'VARCHAR'`),
    ];
    const offset = this.#call.file.isAsCollected ? "_tw_offset" : "NULL::BIGINT AS _tw_offset";
    return {
      columns: this.#columns.map((name) => ({ name, type: "VARCHAR" })),
      relation:
        `SELECT ${[...names, "_tw_row", offset, "_tw_offset AS _tw_at", "_tw_bytes"].join(", ")} ` +
        `FROM read_csv(${literal(this.#path)}, auto_detect = false, columns = {${
          columns.join(", ")
        }}, header = false, delim = ${literal(DELIMITER)}, quote = ${literal(QUOTE)}, ` +
        `escape = ${literal(QUOTE)}, comment = '', nullstr = '', allow_quoted_nulls = false, ` +
        `new_line = '\\n'${lineLimits(this.#lineBytesMax)})`,
      position: "carried",
      leftOut: () => Promise.resolve(0),
      declaredRows: this.#rows,
      isTyped: false,
      hasNulls: false,
    };
  }

  #flush(): void {
    this.#call.signal.throwIfAborted();
    writeAllSync(this.#file, this.#encoder.encode(this.#pending.join("")));
    this.#pending = [];
    this.#pendingChars = 0;
  }
}

function quoted(text: string): string {
  return text.includes(QUOTE)
    ? QUOTE + text.replaceAll(QUOTE, QUOTE + QUOTE) + QUOTE
    : QUOTE + text + QUOTE;
}

function lineLimits(bytes: number): string {
  if (bytes < LINE_BYTES_USUAL) return "";
  return `, max_line_size = ${bytes + 1}, buffer_size = ${2 * (bytes + 1)}`;
}
