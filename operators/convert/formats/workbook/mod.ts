/** @module Workbooks: xlsx with its kin, xls and ODS. */
import { AppError, messageOf } from "../../../../src/model/errors.ts";
import type { Format, ReadCall, RowSource } from "../format.ts";
import { LockedError, type Workbook, WorkbookError } from "./book.ts";
import { compoundMagic } from "./cfb.ts";
import { openOds } from "./ods.ts";
import { findSheet } from "./sheets.ts";
import { stageSheet } from "./table.ts";
import { openXls } from "./xls.ts";
import { openXlsx } from "./xlsx.ts";

/** Office Open XML: xlsx, xlsm and xlsb. */
export const xlsx: Format = workbook({
  name: "xlsx",
  extensions: ["xlsx", "xlsm", "xlsb", "xltx", "xltm"],
  mediaType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  open: openXlsx,
  recognise: (head) => isZip(head) && has(head, /\[Content_Types\]\.xml|xl\/|_rels\/\.rels/),
});

/** Excel 5 to 2003. */
export const xls: Format = workbook({
  name: "xls",
  extensions: ["xls", "xlt"],
  mediaType: "application/vnd.ms-excel",
  open: openXls,
  // New workbooks with a password are compound files as well, and say so when they are opened.
  recognise: (head) => compoundMagic.every((byte, i) => head[i] === byte),
});

/** OpenDocument spreadsheets. */
export const ods: Format = workbook({
  name: "ods",
  extensions: ["ods", "ots"],
  mediaType: "application/vnd.oasis.opendocument.spreadsheet",
  open: openOds,
  recognise: (head) =>
    isZip(head) && has(head, /application\/vnd\.oasis\.opendocument|content\.xml/),
});

const openers = [[ods, openOds], [xlsx, openXlsx], [xls, openXls]] as const;

function workbook(
  { open, recognise, ...format }:
    & Pick<Format, "name" | "extensions" | "mediaType">
    & { open(path: string): Promise<Workbook>; recognise(head: Uint8Array): boolean },
): Format {
  return {
    ...format,
    content: "binary",
    recognise(head, name) {
      if (recognise(head)) return 1;
      return format.extensions.some((extension) => name.toLowerCase().endsWith(`.${extension}`))
        ? 0.3
        : 0;
    },
    read: (call) => readWorkbook(call, format.name, open),
  };
}

async function readWorkbook(
  call: ReadCall,
  kind: string,
  open: (path: string) => Promise<Workbook>,
): Promise<RowSource> {
  try {
    await using book = await (await openerOf(call) ?? open)(call.file.path);
    const { sheet, note } = findSheet(book, call);
    const source = await stageSheet(call, sheet);
    return { ...source, notes: [...note, ...source.notes ?? []] };
  } catch (error) {
    if (call.signal.aborted || error instanceof AppError) throw error;
    if (error instanceof LockedError) {
      throw new AppError("INVALID", `Cannot read ${call.file.name} as ${kind}: ${error.message}`);
    }
    if (error instanceof WorkbookError || error instanceof RangeError) {
      throw new AppError(
        "CORRUPT",
        `Cannot read ${call.file.name} as ${kind}: ${messageOf(error)}`,
        { cause: error },
      );
    }
    throw error;
  }
}

/** By the content, also where another format was named, or its name says so. */
async function openerOf(call: ReadCall): Promise<((path: string) => Promise<Workbook>) | null> {
  using file = await Deno.open(call.file.path);
  const head = new Uint8Array(64 * 1024);
  const bytes = head.subarray(0, await file.read(head) ?? 0);
  return openers.find(([{ recognise }]) => recognise(bytes, "") === 1)?.[1] ?? null;
}

function isZip(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4;
}

function has(head: Uint8Array, name: RegExp): boolean {
  return name.test(new TextDecoder("latin1").decode(head));
}
