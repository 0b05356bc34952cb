/** @module One type for a column that has several in several files. */
import { columnType } from "../table/column_type.ts";

const DIGITS_MAX = 38;
/** Digits of whole numbers by their type. */
const digitsOf: Readonly<Record<string, number>> = {
  TINYINT: 3,
  UTINYINT: 3,
  SMALLINT: 5,
  USMALLINT: 5,
  INTEGER: 10,
  UINTEGER: 10,
  BIGINT: 19,
  UBIGINT: 20,
};
/** Digits of whole numbers that every double has. */
const DOUBLE_DIGITS = 15;

/** The type that holds all values of these exactly; VARCHAR where none does. */
export function commonType(types: readonly string[]): string {
  const unique = [...new Set(types)];
  if (unique.length === 1) return unique[0];
  const known = unique.map((type) => columnType(type));
  if (known.every(({ kind }) => kind === "integer" || kind === "decimal")) {
    return numberType(unique) ?? "VARCHAR";
  }
  if (known.every(({ kind }) => /^(integer|decimal|float)$/.test(kind))) {
    const exact = numberParts(unique.filter((type) => columnType(type).kind !== "float"));
    const isExact = exact !== null && exact.whole + exact.scale <= DOUBLE_DIGITS;
    return isExact ? "DOUBLE" : "VARCHAR";
  }
  const isDay = (type: string) => type === "DATE" || type === "TIMESTAMP";
  return unique.every(isDay) ? "TIMESTAMP" : "VARCHAR";
}

function numberType(types: readonly string[]): string | null {
  if (types.every((type) => type in digitsOf && !type.startsWith("U"))) {
    return types.reduce((a, b) => digitsOf[a] >= digitsOf[b] ? a : b);
  }
  const parts = numberParts(types);
  if (parts === null || parts.whole + parts.scale > DIGITS_MAX) return null;
  return `DECIMAL(${parts.whole + parts.scale <= 18 ? 18 : DIGITS_MAX},${parts.scale})`;
}

/** Digits before and behind the point that any of them may have. */
function numberParts(types: readonly string[]): { whole: number; scale: number } | null {
  let whole = 0;
  let scale = 0;
  for (const type of types) {
    const known = columnType(type);
    if (known.kind === "decimal") {
      whole = Math.max(whole, known.precision - known.scale);
      scale = Math.max(scale, known.scale);
    } else if (digitsOf[type] !== undefined) whole = Math.max(whole, digitsOf[type]);
    else return null;
  }
  return { whole, scale };
}
