/** @module Nasdaq TotalView-ITCH 5.0 files: each message behind two bytes with its length. */
import { AppError } from "../../../../src/model/errors.ts";
import type { ReadCall, RowSource } from "../format.ts";
import { type StagedColumn, TableStage } from "../staging.ts";
import { FRAME_BYTES, type ItchField, type ItchLayout, layouts, typeOfField } from "./layouts.ts";

const CHUNK_BYTES = 4 << 20;
const MESSAGE_BYTES_MAX = 0xffff;

const head: readonly StagedColumn[] = [
  { name: "message_type", type: "VARCHAR" },
  { name: "message", type: "VARCHAR" },
  { name: "stock_locate", type: "UINTEGER" },
  { name: "tracking_number", type: "UINTEGER" },
  { name: "timestamp_ns", type: "BIGINT" },
];

const fields = new Map<string, ItchField>();
for (const layout of layouts.values()) {
  for (const field of layout.fields) if (!fields.has(field.name)) fields.set(field.name, field);
}
const columns: readonly StagedColumn[] = [
  ...head,
  ...[...fields.values()].map((field) => ({ name: field.name, type: typeOfField(field) })),
];
const indexOf = new Map(columns.map(({ name }, i) => [name, i]));

/** Read the messages of a file. */
export async function readItch(call: ReadCall): Promise<RowSource> {
  const { file, signal } = call;
  const stage = new TableStage(call, columns, { isPositioned: true });
  using input = Deno.openSync(file.path);
  const chunk = new Uint8Array(CHUNK_BYTES + FRAME_BYTES + MESSAGE_BYTES_MAX);
  const view = new DataView(chunk.buffer);
  let length = 0;
  let base = 0;
  let row = 0;
  const refuse = async (at: number, bytes: number, reason: string) => {
    await call.refuse({
      file: file.name,
      row: ++row,
      offset: file.isAsCollected ? base + at : null,
      column: null,
      rule: "itch",
      reason: `Record ${row} is refused: ${reason}`,
      raw: chunk.subarray(at, at + bytes).toHex(),
    });
  };
  for (let isEnd = false; !isEnd;) {
    signal.throwIfAborted();
    const read = input.readSync(chunk.subarray(length));
    isEnd = read === null;
    length += read ?? 0;
    let at = 0;
    while (at + FRAME_BYTES <= length) {
      const bytes = view.getUint16(at);
      const start = at + FRAME_BYTES;
      if (start + bytes > length) break;
      const layout = layouts.get(chunk[start]);
      if (bytes === 0) {
        // The end of the session; nothing may follow.
        if (row === 0 || at + FRAME_BYTES < length) throw noFrame(file.name, base + at);
      } else if (layout?.bytes !== bytes) {
        await refuse(at, FRAME_BYTES + bytes, misfit(chunk[start], bytes, layout));
        if (row === 1 && stage.rows === 0) throw noFrame(file.name, base + at);
      } else {
        stage.add(rowOf(view, chunk, start, layout), {
          row: ++row,
          offset: base + at,
          bytes: FRAME_BYTES + bytes,
        });
      }
      at = start + bytes;
    }
    if (isEnd && at < length) {
      const bytes = at + FRAME_BYTES < length ? view.getUint16(at) : null;
      if (row === 0 && bytes !== null && layouts.get(chunk[at + FRAME_BYTES])?.bytes !== bytes) {
        throw noFrame(file.name, base + at);
      }
      await refuse(at, length - at, "the file ends within the message: it was cut off");
    }
    chunk.copyWithin(0, at, length);
    base += at;
    length -= at;
  }
  return stage.finish();
}

function rowOf(view: DataView, bytes: Uint8Array, start: number, layout: ItchLayout): unknown[] {
  const row: unknown[] = new Array(columns.length).fill(null);
  row[0] = String.fromCharCode(bytes[start]);
  row[1] = layout.name;
  row[2] = view.getUint16(start + 1);
  row[3] = view.getUint16(start + 3);
  row[4] = (BigInt(view.getUint16(start + 5)) << 32n) | BigInt(view.getUint32(start + 7));
  for (const { name, offset, bytes: width, kind } of layout.fields) {
    const at = start + offset;
    row[indexOf.get(name)!] = kind === "a"
      ? textAt(bytes, at, width)
      : width === 8
      ? view.getBigUint64(at)
      : kind === "u"
      ? view.getUint32(at)
      : BigInt(view.getUint32(at));
  }
  return row;
}

/** Without the blanks behind it; nothing but blanks is none. */
function textAt(bytes: Uint8Array, at: number, width: number): string | null {
  let end = at + width;
  while (end > at && bytes[end - 1] === 0x20) end--;
  return end === at ? null : String.fromCharCode(...bytes.subarray(at, end));
}

function misfit(type: number, bytes: number, layout: ItchLayout | undefined): string {
  const shown = JSON.stringify(String.fromCharCode(type));
  return layout
    ? `a message of type ${shown} has ${layout.bytes} bytes, this one ${bytes}`
    : `there is no message of type ${shown}`;
}

function noFrame(name: string, offset: number): AppError {
  return new AppError(
    "CORRUPT",
    `Cannot read ${name} as ITCH 5.0: at byte ${offset} is no message behind its length`,
  );
}
