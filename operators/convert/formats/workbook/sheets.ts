/** @module Which sheet of a workbook is read. */
import { AppError } from "../../../../src/model/errors.ts";
import type { ReadCall } from "../format.ts";
import type { Sheet, Workbook } from "./book.ts";

const NAMES_MAX = 50;

/**
 * The sheet that is named, or that has most in it of the visible ones (of all, when all are hidden).
 * Throws INVALID where it is not there.
 */
export function findSheet(
  { sheets }: Workbook,
  call: ReadCall,
): { sheet: Sheet; note: string[] } {
  const wanted = call.options.workbook?.sheet;
  if (wanted !== undefined) {
    const found = typeof wanted === "number" ? sheets[wanted - 1] : named(sheets, wanted);
    if (found) return { sheet: found, note: [] };
    throw new AppError(
      "INVALID",
      `Cannot read sheet ${JSON.stringify(wanted)} of ${call.file.name}: it has ${list(sheets)}`,
    );
  }
  const visible = sheets.filter(({ isHidden }) => !isHidden);
  const among = visible.some(({ weight }) => weight > 0) ? visible : sheets;
  if (among.length === 0) {
    throw new AppError(
      "INVALID",
      `Cannot read rows of ${call.file.name}: it has no sheet with cells`,
    );
  }
  const sheet = among.reduce((most, sheet) => sheet.weight > most.weight ? sheet : most);
  const others = sheets.filter((other) => other !== sheet && other.weight > 0);
  const note = `Sheet ${JSON.stringify(sheet.name)} was read, which has most in it; others are ` +
    `${list(others)}`;
  return { sheet, note: others.length === 0 ? [] : [note] };
}

function named(sheets: readonly Sheet[], wanted: string): Sheet | undefined {
  const plain = wanted.trim().toLowerCase();
  return sheets.find(({ name }) => name === wanted) ??
    sheets.find(({ name }) => name.trim().toLowerCase() === plain);
}

function list(sheets: readonly Sheet[]): string {
  const names = sheets.slice(0, NAMES_MAX).map(({ name }) => JSON.stringify(name)).join(", ");
  return sheets.length > NAMES_MAX ? `${names} and ${sheets.length - NAMES_MAX} more` : names;
}
