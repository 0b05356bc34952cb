/**
 * @module Careful reading: each good record is copied to a file of its own with its position in
 * front, each bad one is refused with its bytes.
 */
import type { ReadCall } from "../format.ts";
import { CsvSplitter } from "./split.ts";
import { isSwallowed } from "./swallowed.ts";
import type { Dialect } from "./dialect.ts";

const CHUNK_BYTES = 1 << 20;
const decoder = new TextDecoder();

/** Copy the records; the path of the copy, and how many there are. */
export async function stageCsv(
  { file, options, tempPath, refuse, signal }: ReadCall,
  dialect: Dialect,
): Promise<{ path: string; rows: number }> {
  const path = tempPath("staged.csv");
  using input = await Deno.open(file.path);
  using output = await Deno.open(path, { write: true, createNew: true });
  const writer = new ByteWriter();
  const refused: Parameters<ReadCall["refuse"]>[0][] = [];
  let rows = 0;
  const delimiter = new TextEncoder().encode(dialect.delimiter);
  const base = await skipMark(input);
  const splitter = new CsvSplitter(dialect, {
    base,
    isSwallowed: (record) => isSwallowed(record, dialect, options.plausible ?? []),
    sink: {
      record({ row, offset, bytes }) {
        rows++;
        writer.number(row);
        writer.bytes(delimiter);
        writer.number(offset);
        writer.bytes(delimiter);
        writer.number(bytes.length);
        writer.bytes(delimiter);
        writer.bytes(bytes);
        writer.byte(10);
      },
      refuse({ row, offset, bytes, rule, reason }) {
        refused.push({
          file: file.name,
          row,
          offset: file.isAsCollected ? offset : null,
          column: null,
          rule,
          reason: `Record ${row} is refused: ${reason}`,
          raw: decoder.decode(bytes).replace(/\r$/, ""),
        });
      },
    },
  });
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let read = await input.read(chunk); read !== null; read = await input.read(chunk)) {
    signal.throwIfAborted();
    splitter.push(chunk.subarray(0, read));
    await writer.flush(output);
    for (const row of refused.splice(0)) await refuse(row);
  }
  splitter.end();
  await writer.flush(output);
  for (const row of refused.splice(0)) await refuse(row);
  return { path, rows };
}

/** Where records of a file are, by their ordinals. */
export async function locateRecords(
  { file, signal }: Pick<ReadCall, "file" | "signal">,
  dialect: Dialect,
  rows: readonly number[],
): Promise<Map<number, { offset: number; bytes: number }>> {
  const wanted = new Set(rows);
  const last = Math.max(...rows);
  const found = new Map<number, { offset: number; bytes: number }>();
  using input = await Deno.open(file.path);
  const base = await skipMark(input);
  const note = ({ row, offset, bytes }: { row: number; offset: number; bytes: Uint8Array }) => {
    if (wanted.has(row)) found.set(row, { offset, bytes: bytes.length });
  };
  const splitter = new CsvSplitter(dialect, { base, sink: { record: note, refuse: note } });
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let read = await input.read(chunk); read !== null; read = await input.read(chunk)) {
    signal.throwIfAborted();
    splitter.push(chunk.subarray(0, read));
    if (splitter.rows >= last) return found;
  }
  splitter.end();
  return found;
}

/** Go past a byte order mark; how many bytes it has. */
async function skipMark(input: Deno.FsFile): Promise<number> {
  const mark = new Uint8Array(3);
  const read = await input.read(mark);
  const isMark = read === 3 && mark[0] === 0xef && mark[1] === 0xbb && mark[2] === 0xbf;
  await input.seek(isMark ? 3 : 0, Deno.SeekMode.Start);
  return isMark ? 3 : 0;
}

/** Bytes on their way to a file. */
class ByteWriter {
  #buffer = new Uint8Array(2 * CHUNK_BYTES);
  #length = 0;

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** Decimal digits. */
  number(value: number): void {
    this.#reserve(20);
    let digits = 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) digits++;
    let at = this.#length += digits;
    let rest = value;
    do {
      this.#buffer[--at] = 48 + rest % 10;
      rest = Math.floor(rest / 10);
    } while (rest > 0);
  }

  async flush(output: Deno.FsFile): Promise<void> {
    let rest = this.#buffer.subarray(0, this.#length);
    while (rest.length > 0) rest = rest.subarray(await output.write(rest));
    this.#length = 0;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = new Uint8Array(2 * (this.#length + bytes));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}
