/**
 * @module Records that are not quite of the table and still say beyond doubt what they mean: empty
 * cells that are left out at the end or too many there, and a quote that stands for itself.
 */
import { fits } from "./cell_kind.ts";
import type { Dialect } from "./dialect.ts";
import type { ColumnProfile } from "./layout.ts";
import { nullLike } from "./profile.ts";
import { recordAt, type SampleRecord } from "./tokenize.ts";

const decoder = new TextDecoder();

/** The record's cells as the table has them, or null when there is more than one way. */
export function mend(bytes: Uint8Array, dialect: Dialect): SampleRecord | null {
  const text = decoder.decode(bytes);
  let record = recordAt(text, 0, dialect);
  if (record.isBroken && dialect.escape === "doubled") {
    record = recordAt(text, 0, { ...dialect, escape: "loose" });
  }
  if (record.isBroken || record.end < text.length) return null;
  const { cells, quoted = cells.map(() => false) } = record;
  const width = dialect.columns.length;
  if (cells.slice(width).some((cell) => cell.trim() !== "")) return null;
  if (dialect.profiles.slice(cells.length).some(({ isEverEmpty }) => !isEverEmpty)) return null;
  const isOfTable = cells.slice(0, width).every((cell, i) =>
    isPlausible(cell, dialect.profiles[i])
  );
  if (!isOfTable) return null;
  const missing = Math.max(0, width - cells.length);
  return {
    ...record,
    cells: [...cells.slice(0, width), ...Array<string>(missing).fill("")],
    quoted: [...quoted.slice(0, width), ...Array<boolean>(missing).fill(false)],
  };
}

function isPlausible(cell: string, { kind, isEverEmpty }: ColumnProfile): boolean {
  const text = cell.trim();
  if (text === "") return isEverEmpty;
  return kind === null || fits(text, kind) || nullLike.test(text);
}

/** A record as the engine reads it: quotes where they were, or where they are needed. */
export function encodeRecord(
  { cells, quoted }: Pick<SampleRecord, "cells" | "quoted">,
  { delimiter, quote }: Pick<Dialect, "delimiter" | "quote">,
): Uint8Array {
  return new TextEncoder().encode(
    cells.map((cell, i) => {
      const isNeeded = quoted?.[i] || cell.includes(delimiter) || /[\r\n]/.test(cell) ||
        (quote !== "" && cell.includes(quote));
      if (!isNeeded || quote === "") return cell;
      return quote + cell.replaceAll(quote, quote + quote) + quote;
    }).join(delimiter),
  );
}
