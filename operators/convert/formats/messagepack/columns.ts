/** @module Columns of values that have a type each: the narrowest type that holds all of them exactly. */
import type { StagedType } from "../staged_type.ts";
import { instantText, kinds } from "./decoder.ts";

/** A column's type; `mixed`: of values of several kinds, each as text. */
export interface Widest {
  type: StagedType;
  mixed: boolean;
}

const long = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

/** Sees a column's values, then says its type. */
export function widestOf(): { add(kind: number, value: unknown): void; end(): Widest } {
  let seen = 0;
  let min: bigint | number = 0;
  let max: bigint | number = 0;
  let isUnsafe = false;
  return {
    add(kind, value) {
      seen |= 1 << kind;
      if (kind !== kinds.integer && kind !== kinds.timestamp) return;
      const number = value as bigint | number;
      if (typeof number === "bigint" && kind === kinds.integer) isUnsafe = true;
      if (number < min) min = number;
      if (number > max) max = number;
    },
    end() {
      switch (seen & ~(1 << kinds.null)) {
        case 1 << kinds.boolean:
          return { type: "BOOLEAN", mixed: false };
        case 1 << kinds.integer:
          if (max <= long.max) return { type: "BIGINT", mixed: false };
          return { type: min >= 0 ? "UBIGINT" : { decimal: [38, 0] }, mixed: false };
        case 1 << kinds.float:
          return { type: "DOUBLE", mixed: false };
        case 1 << kinds.integer | 1 << kinds.float:
          // Whole prices come as integers; a double holds them, up to 2^53.
          return isUnsafe ? { type: "VARCHAR", mixed: true } : { type: "DOUBLE", mixed: false };
        case 1 << kinds.binary:
          return { type: "BLOB", mixed: false };
        case 1 << kinds.timestamp:
          if (min < long.min || max > long.max) return { type: "VARCHAR", mixed: true };
          return { type: "TIMESTAMP_NS", mixed: false };
        case 1 << kinds.array:
        case 1 << kinds.map:
        case 1 << kinds.array | 1 << kinds.map:
          return { type: "JSON", mixed: false };
        case 1 << kinds.string:
        case 0:
          return { type: "VARCHAR", mixed: false };
      }
      return { type: "VARCHAR", mixed: true };
    },
  };
}

/** A value as the column's type has it. */
export function valueOf(value: unknown, kind: number, { type, mixed }: Widest): unknown {
  if (kind === kinds.null) return null;
  if (mixed) return textOf(value, kind);
  if (kind === kinds.integer) return type === "DOUBLE" ? Number(value) : BigInt(value as number);
  // The window's bytes change with its next step.
  return kind === kinds.binary ? (value as Uint8Array).slice() : value;
}

function textOf(value: unknown, kind: number): string {
  if (kind === kinds.binary) return (value as Uint8Array).toBase64();
  if (kind === kinds.timestamp) return instantText(value as bigint);
  return String(value);
}
