/** @module Reads a sheet of a workbook. */
import { AppError, messageOf } from "../../../../src/model/errors.ts";
import type { ReadCall, RowSource } from "../format.ts";
import { LockedError, type Workbook, WorkbookError } from "./book.ts";
import { ods, xls, xlsx } from "./mod.ts";
import { openOds } from "./ods.ts";
import { findSheet } from "./sheets.ts";
import { stageSheet } from "./table.ts";
import { openXls } from "./xls.ts";
import { openXlsx } from "./xlsx.ts";

const openers = [[ods, openOds], [xlsx, openXlsx], [xls, openXls]] as const;

/** Read a sheet, by what the file is; by its `kind` where that does not tell. */
export async function readWorkbook(call: ReadCall, kind: string): Promise<RowSource> {
  try {
    await using book = await (await openerOf(call, kind))(call.file.path);
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
async function openerOf(
  call: ReadCall,
  kind: string,
): Promise<(path: string) => Promise<Workbook>> {
  using file = await Deno.open(call.file.path);
  const head = new Uint8Array(64 * 1024);
  const bytes = head.subarray(0, await file.read(head) ?? 0);
  const told = openers.find(([{ recognise }]) => recognise(bytes, "") === 1);
  return (told ?? openers.find(([{ name }]) => name === kind)!)[1];
}
