/** @module Workbooks in Excel's binary form of Office Open XML. */
import { RecordReader } from "./binary_record.ts";
import {
  cellKind,
  columnsMax,
  type Sheet,
  type SheetRow,
  type Workbook,
  WorkbookError,
} from "./book.ts";
import { type CellValue, errorNames, numberValue } from "./cells.ts";
import { builtInParts, partsOfCode } from "./number_formats.ts";
import type { Package } from "./package.ts";
import type { TimeParts } from "./serials.ts";
import { SharedStrings } from "./shared_strings.ts";
import type { Related } from "./xlsx.ts";

const record = {
  row: 0,
  sharedText: 19,
  format: 44,
  style: 47,
  richText: 62,
  endData: 146,
  bookProperties: 153,
  sheet: 156,
  beginCellStyles: 617,
  endCellStyles: 618,
} as const;
const RECORD_BYTES_MAX = 64 * 1024 * 1024;
/** Cells of records 12 to 18 are those of 1 to 7, in the column behind the last. */
const SHORT = 11;

interface Context {
  strings: SharedStrings;
  styles: (TimeParts | null)[];
  is1904: boolean;
}

/** Open a workbook whose parts are open. Throws WorkbookError. */
export async function openXlsb(
  parts: Package,
  book: string,
  related: ReadonlyMap<string, Related>,
): Promise<Workbook> {
  const listed: { name: string; id: string; isHidden: boolean }[] = [];
  let is1904 = false;
  for await (const [type, bytes] of records(parts, book)) {
    const reader = new RecordReader(bytes);
    if (type === record.bookProperties) is1904 = (reader.u32() & 1) !== 0;
    if (type !== record.sheet) continue;
    const isHidden = reader.u32() !== 0;
    reader.u32();
    listed.push({ id: reader.wide(), name: reader.wide(), isHidden });
  }
  let context: Promise<Context> | null = null;
  const contextOf = () =>
    context ??= (async () => ({
      strings: await readStrings(parts, pathOf(related, "sharedStrings")),
      styles: await readStyles(parts, pathOf(related, "styles")),
      is1904,
    }))();
  const sheets = listed.flatMap(({ name, id, isHidden }): Sheet[] => {
    const part = related.get(id);
    if (part?.type !== "worksheet" || !parts.has(part.path)) return [];
    return [{
      name,
      isHidden,
      weight: parts.bytesOf(part.path),
      rows: (signal) => rowsOf(parts, part.path, { contextOf, signal }),
    }];
  });
  return { sheets, [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose]() };
}

function pathOf(related: ReadonlyMap<string, Related>, type: string): string {
  return [...related.values()].find((part) => part.type === type)?.path ?? `xl/${type}.bin`;
}

async function* rowsOf(
  parts: Package,
  path: string,
  { contextOf, signal }: { contextOf(): Promise<Context>; signal: AbortSignal },
): AsyncGenerator<SheetRow[]> {
  const context = await contextOf();
  let rows: SheetRow[] = [];
  let row: SheetRow = { number: 0, cells: [], kinds: [] };
  let column = -1;
  for await (const [type, bytes] of records(parts, path)) {
    if (type === record.endData) break;
    if (type === record.row) {
      if (row.cells.length > 0) rows.push(row);
      row = { number: new RecordReader(bytes).u32() + 1, cells: [], kinds: [] };
      column = -1;
      if (rows.length < 256) continue;
      signal.throwIfAborted();
      yield rows;
      rows = [];
    } else if (type <= 18 || type === record.richText) {
      const reader = new RecordReader(bytes);
      const isShort = type > SHORT && type <= 18;
      column = isShort ? column + 1 : reader.u32();
      if (column >= columnsMax) {
        throw new WorkbookError(`row ${row.number} has a column ${column + 1}`);
      }
      const value = valueOf(isShort ? type - SHORT : type, reader, context);
      if (value === null) continue;
      row.cells[column] = value.text;
      row.kinds[column] = value.kind;
    }
  }
  if (row.cells.length > 0) rows.push(row);
  yield rows;
}

function valueOf(type: number, reader: RecordReader, context: Context): CellValue | null {
  const { strings, styles, is1904 } = context;
  const parts = styles[reader.u32() & 0xffffff] ?? null;
  switch (type) {
    case 2:
      return numberValue(reader.rk(), parts, is1904);
    case 3:
    case 11:
      return { text: errorNames[reader.u8()] ?? "#UNKNOWN!", kind: cellKind.error };
    case 4:
    case 10:
      return { text: reader.u8() === 0 ? "false" : "true", kind: cellKind.boolean };
    case 5:
    case 9:
      return numberValue(reader.f64(), parts, is1904);
    case 6:
    case 8:
      return { text: reader.wide(), kind: cellKind.text };
    case record.richText:
      reader.u8();
      return { text: reader.wide(), kind: cellKind.text };
    case 7: {
      const index = reader.u32();
      const text = strings.get(index);
      if (text === null) throw new WorkbookError(`a cell refers to the shared text ${index}`);
      return { text, kind: cellKind.text };
    }
    default:
      return null;
  }
}

async function readStrings(parts: Package, path: string): Promise<SharedStrings> {
  const strings = new SharedStrings();
  for await (const [type, bytes] of records(parts, path)) {
    if (type === record.sharedText) strings.add(new RecordReader(bytes, 1).wide());
  }
  return strings;
}

async function readStyles(parts: Package, path: string): Promise<(TimeParts | null)[]> {
  const codes = new Map<number, TimeParts | null>();
  const styles: (TimeParts | null)[] = [];
  let isInCells = false;
  for await (const [type, bytes] of records(parts, path)) {
    const reader = new RecordReader(bytes);
    if (type === record.format) codes.set(reader.u16(), partsOfCode(reader.wide()));
    if (type === record.beginCellStyles) isInCells = true;
    if (type === record.endCellStyles) isInCells = false;
    if (type !== record.style || !isInCells) continue;
    reader.u16();
    const id = reader.u16();
    styles.push(codes.has(id) ? codes.get(id)! : builtInParts(id));
  }
  return styles;
}

/** The records of a part; none where it is not there. */
async function* records(
  parts: Package,
  path: string,
): AsyncGenerator<readonly [type: number, bytes: Uint8Array]> {
  if (!parts.has(path)) return;
  let bytes = new Uint8Array(0);
  let at = 0;
  for await (const chunk of parts.stream(path)) {
    const rest = bytes.subarray(at);
    bytes = new Uint8Array(rest.length + chunk.length);
    bytes.set(rest);
    bytes.set(chunk, rest.length);
    at = 0;
    for (let head = headAt(bytes, at); head !== null; head = headAt(bytes, at)) {
      if (head.length > RECORD_BYTES_MAX) {
        throw new WorkbookError(`a record of ${head.length} bytes in ${path}`);
      }
      if (head.from + head.length > bytes.length) break;
      yield [head.type, bytes.subarray(head.from, head.from + head.length)];
      at = head.from + head.length;
    }
  }
  if (at < bytes.length) throw new WorkbookError(`its part ${path} is cut off in a record`);
}

/** Type and length in sevens of bits; null where they are not all there. */
function headAt(
  bytes: Uint8Array,
  start: number,
): { type: number; from: number; length: number } | null {
  let at = start;
  if (at + 2 > bytes.length) return null;
  let type = bytes[at++];
  if (type >= 128) type = (type & 0x7f) | ((bytes[at++] & 0x7f) << 7);
  let length = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    if (at >= bytes.length) return null;
    const byte = bytes[at++];
    length |= (byte & 0x7f) << shift;
    if (byte < 128) break;
  }
  return { type, from: at, length };
}
