/** @module What a workbook is to those who read its rows, in whatever file it comes. */

/** What a cell holds. */
export const cellKind = { none: 0, text: 1, number: 2, boolean: 3, time: 4, error: 5 } as const;
/** One of {@link cellKind}. */
export type CellKind = (typeof cellKind)[keyof typeof cellKind];

/** A value as text, or as its UTF-8 bytes. */
export type CellText = string | Uint8Array;

/** A row with a value in it. */
export interface SheetRow {
  /** From 1, as people see it. */
  number: number;
  /** By column from 0; holes and null for nothing. */
  cells: (CellText | null | undefined)[];
  kinds: CellKind[];
}

/** A sheet with cells; charts and macros are none. */
export interface Sheet {
  name: string;
  isHidden: boolean;
  /** How much is in it, to compare sheets of one workbook. */
  weight: number;
  /** Rows from the top, in batches. */
  rows(signal: AbortSignal): AsyncIterable<SheetRow[]>;
}

/** A workbook that was opened. */
export interface Workbook extends AsyncDisposable {
  sheets: Sheet[];
}

/** Most columns that a sheet has. */
export const columnsMax = 16_384;

/** A workbook that is damaged. */
export class WorkbookError extends Error {}

/** A workbook that is whole and cannot be read, as one behind a password. */
export class LockedError extends Error {}
