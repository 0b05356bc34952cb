/**
 * @module Careful reading: each good record is copied to a file of its own with its position in
 * front, each bad one is refused with its bytes.
 */
import { ByteWriter } from "../byte_writer.ts";
import type { ReadCall } from "../format.ts";
import type { Dialect } from "./dialect.ts";
import { encodeRecord, mend } from "./mend.ts";
import { CsvSplitter } from "./split.ts";
import { isSwallowed } from "./swallowed.ts";
import type { Table } from "./table.ts";
import { recordAt } from "./tokenize.ts";

const CHUNK_BYTES = 1 << 20;
const decoder = new TextDecoder();

/** A copy of the good records. */
export interface StagedCsv {
  path: string;
  /** Good records. */
  rows: number;
  /** All records, refused ones too. */
  records: number;
  /** How the copy is written. */
  dialect: Pick<Dialect, "delimiter" | "quote">;
}

/** Copy the good records and refuse the others. */
export async function stageCsv(
  { file, options, tempPath, refuse, signal }: ReadCall,
  { dialect, end }: Table,
): Promise<StagedCsv> {
  const path = tempPath("staged.csv");
  using output = await Deno.open(path, { write: true, createNew: true });
  const writer = new ByteWriter();
  const refused: Parameters<ReadCall["refuse"]>[0][] = [];
  let rows = 0;
  const isCopied = isEngines(dialect);
  const target = isCopied
    ? { delimiter: dialect.delimiter, quote: dialect.quote }
    : { delimiter: ",", quote: '"' };
  const delimiter = new TextEncoder().encode(target.delimiter);
  const encoded = (bytes: Uint8Array) =>
    encodeRecord(recordAt(decoder.decode(bytes), 0, dialect), target);
  const splitter = (base: number) =>
    new CsvSplitter(dialect, {
      base,
      isSwallowed: (record) => isSwallowed(record, dialect, options.plausible ?? []),
      sink: {
        record({ row, offset, bytes, isMended }) {
          rows++;
          writer.number(row);
          writer.bytes(delimiter);
          writer.number(offset);
          writer.bytes(delimiter);
          writer.number(bytes.length);
          writer.bytes(delimiter);
          writer.bytes(isCopied || isMended ? bytes : encoded(bytes));
          writer.byte(10);
        },
        mend(bytes) {
          const record = mend(bytes, dialect);
          return record && encodeRecord(record, target);
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
  const records = await eachChunk({ path: file.path, end, signal }, splitter, async () => {
    await writer.flush(output);
    for (const row of refused.splice(0)) await refuse(row);
    return false;
  });
  return { path, rows, records, dialect: target };
}

/** Does the engine read such records when they are copied byte by byte? */
function isEngines({ delimiter, escape, isPadded, isMerged }: Dialect): boolean {
  return escape === "doubled" && !isPadded && !isMerged &&
    new TextEncoder().encode(delimiter).length <= 4;
}

/** Where records of a file are, by their ordinals. */
export async function locateRecords(
  { file, signal }: Pick<ReadCall, "file" | "signal">,
  { dialect, end }: Table,
  rows: readonly number[],
): Promise<Map<number, { offset: number; bytes: number }>> {
  const wanted = new Set(rows);
  const last = Math.max(...rows);
  const found = new Map<number, { offset: number; bytes: number }>();
  const note = ({ row, offset, bytes }: { row: number; offset: number; bytes: Uint8Array }) => {
    if (wanted.has(row)) found.set(row, { offset, bytes: bytes.length });
  };
  await eachChunk(
    { path: file.path, end, signal },
    (base) => new CsvSplitter(dialect, { base, sink: { record: note, refuse: note } }),
    ({ rows }) => Promise.resolve(rows >= last),
  );
  return found;
}

/** Give a file to a splitter in chunks until `isDone`; how many records it found. */
async function eachChunk(
  { path, end, signal }: { path: string; end: number | null; signal: AbortSignal },
  splitterAt: (base: number) => CsvSplitter,
  isDone: (splitter: CsvSplitter) => Promise<boolean>,
): Promise<number> {
  using input = await Deno.open(path);
  let at = await skipMark(input);
  const splitter = splitterAt(at);
  const chunk = new Uint8Array(CHUNK_BYTES);
  while (end === null || at < end) {
    const room = end === null ? chunk : chunk.subarray(0, Math.min(chunk.length, end - at));
    const read = await input.read(room);
    if (read === null) break;
    signal.throwIfAborted();
    splitter.push(chunk.subarray(0, read));
    at += read;
    if (await isDone(splitter)) return splitter.rows;
  }
  splitter.end();
  await isDone(splitter);
  return splitter.rows;
}

/** Go past a byte order mark; how many bytes it has. */
async function skipMark(input: Deno.FsFile): Promise<number> {
  const mark = new Uint8Array(3);
  const read = await input.read(mark);
  const isMark = read === 3 && mark[0] === 0xef && mark[1] === 0xbb && mark[2] === 0xbf;
  await input.seek(isMark ? 3 : 0, Deno.SeekMode.Start);
  return isMark ? 3 : 0;
}
