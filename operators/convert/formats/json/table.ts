/** @module Which records of a file are rows, and what their columns are beside their own fields. */
import type { ReadOptions } from "../format.ts";
import { type RecordsAt, tokensOf } from "./records.ts";

/** A column that is no field of the record. */
export type Extra =
  /** A value inside of the record, at the JSON pointer that is its name. */
  | { kind: "inside"; name: string }
  /** The record's name in its map. */
  | { kind: "key"; name: string }
  /** A value outside of the record, by what the wildcards of the record's way stand for. */
  | { kind: "parent"; name: string; textOf(matches: readonly string[]): string | null };

/** How a file is a table. */
export interface JsonTable {
  /** Null: one record a line. */
  at: RecordsAt | null;
  /** Names of the elements of records that are arrays. */
  header: readonly string[] | null;
  extras: readonly Extra[];
}

/** The table of a file with one record a line. */
export function lineTable(options: ReadOptions): JsonTable {
  return { at: null, header: null, extras: extrasOf(options) };
}

/** The table of a document whose records are at a pointer. */
export function documentTable(options: ReadOptions): JsonTable {
  return {
    at: { tokens: tokensOf(options.records ?? ""), isMap: options.recordKey !== undefined },
    header: null,
    extras: extrasOf(options),
  };
}

function extrasOf({ pointers, recordKey }: ReadOptions): Extra[] {
  return [
    ...pointers.map((name) => ({ kind: "inside" as const, name })),
    ...(recordKey === undefined ? [] : [{ kind: "key" as const, name: recordKey }]),
  ];
}
