/** @module Casts of texts that were found to be written in a way of their own. */
import type { ColumnType } from "../table/column_type.ts";
import { literal, literals } from "../table/sql.ts";
import type { Cast } from "./cast.ts";
import { numberPattern } from "./inference/numbers.ts";
import type { Reading } from "./inference/reading.ts";

/** The cast of `x` to `type` by a reading; `cast` is that of texts as SQL writes them. */
export function castReading(
  x: string,
  type: ColumnType,
  reading: Exclude<Reading, { kind: "plain" }>,
  cast: (x: string) => Cast,
): Cast {
  switch (reading.kind) {
    case "words":
      return wordsCast(x, reading);
    case "number":
      return numberCast(x, reading, cast);
    case "formats":
      return formatsCast(x, type, reading);
    case "epoch":
      return epochCast(x, type, reading.unit);
  }
}

function wordsCast(x: string, { yes, no }: Extract<Reading, { kind: "words" }>): Cast {
  const word = `lower(trim(${x}))`;
  const value = `CASE WHEN ${word} IN (${yes.map(literal).join(", ")}) THEN true ` +
    `WHEN ${word} IN (${no.map(literal).join(", ")}) THEN false END`;
  return isNotNull(value);
}

function isNotNull(value: string): Cast {
  return {
    value,
    fast: (_x, v) => `${v} IS NOT NULL`,
    exact: (_x, v) => `${v} IS NOT NULL`,
  };
}

/** The digits alone, with a minus where any sign or parenthesis says so, are cast as usual. */
function numberCast(
  x: string,
  { marks, units }: Extract<Reading, { kind: "number" }>,
  cast: (x: string) => Cast,
): Cast {
  const plain = (text: string) => {
    const kept = `regexp_replace(${text}, ${literal(`[^0-9${marks.decimalMark}]`)}, '', 'g')`;
    const body = marks.decimalMark === "," ? `replace(${kept}, ',', '.')` : kept;
    const bare = units.some((unit) => unit.includes(marks.decimalMark))
      ? `regexp_replace(${text}, ${literal(unitPattern(units))}, '')`
      : null;
    const digits = bare === null
      ? body
      : body.replace(`regexp_replace(${text},`, `regexp_replace(${bare},`);
    return `CASE WHEN regexp_matches(${text}, '[-(\\x{2212}\\x{2013}]') THEN '-' ELSE '' END || ${digits}`;
  };
  const pattern = literal(numberPattern(marks, units));
  const inner = cast(`(${plain(x)})`);
  return {
    value: inner.value,
    fast: () => "false",
    exact: (text, v) =>
      `(regexp_full_match(${text}, ${pattern}) AND ${inner.exact(`(${plain(text)})`, v)})`,
  };
}

function unitPattern(units: readonly string[]): string {
  return units.map((unit) => unit.replace(/[$.%]/g, "\\$&")).join("|");
}

function formatsCast(
  x: string,
  { kind, sql }: ColumnType,
  { formats, lastYear }: Extract<Reading, { kind: "formats" }>,
): Cast {
  const pattern = literal(`\\s*(?:${formats.map(formatPattern).join("|")})\\s*`);
  const each = formats.map((format) =>
    `try_cast(try_strptime(${x}, ${literal(format)}) AS ${sql})`
  );
  const read = each.length === 1 ? each[0] : `coalesce(${each.join(", ")})`;
  const value = lastYear === undefined
    ? read
    : `(${read} - CASE WHEN year(${read}) > ${lastYear} THEN INTERVAL 100 YEAR ` +
      `ELSE INTERVAL 0 YEAR END)::${sql}`;
  return {
    value,
    // Strptime takes "infinity" and "epoch" by any format, and years of fewer digits.
    fast: (_x, v) =>
      kind === "time" || formats.length > 1 || lastYear !== undefined
        ? "false"
        : `${v} BETWEEN '1971-01-01'::${sql} AND '2200-01-01'::${sql}`,
    exact: (text, v) => `(${v} IS NOT NULL AND regexp_full_match(${text}, ${pattern}))`,
  };
}

const parts: Readonly<Record<string, string>> = {
  "%Y": "\\d{4}",
  "%y": "\\d{2}",
  "%m": "\\d{1,2}",
  "%d": "\\d{1,2}",
  "%b": "[A-Za-z]{3}",
  "%B": "[A-Za-z]{3,9}",
  "%a": "[A-Za-z]{3}",
  "%A": "[A-Za-z]{6,9}",
  "%H": "\\d{1,2}",
  "%I": "\\d{1,2}",
  "%M": "\\d{2}",
  "%S": "\\d{2}",
  "%f": "\\d{1,6}",
  "%n": "\\d{1,9}",
  "%p": "[AaPp][Mm]",
  "%z": "[+-]\\d{2}(?::?\\d{2})?",
};

/** What a format of strptime takes, as a pattern. */
function formatPattern(format: string): string {
  return format.replace(
    /%[A-Za-z]|[.+*?^$()[\]{}|\\]| /g,
    (part) => parts[part] ?? (part === " " ? " +" : `\\${part}`),
  );
}

const perSecond = { s: 1n, ms: 1_000n, us: 1_000_000n, ns: 1_000_000_000n } as const;

function epochCast(x: string, { sql }: ColumnType, unit: keyof typeof perSecond): Cast {
  const number = `try_cast(${x} AS BIGINT)`;
  const digits = { s: 10, ms: 13, us: 16, ns: 19 }[unit];
  const made = unit === "ns"
    ? `make_timestamp_ns(${number})`
    : `make_timestamptz(${number} * ${1_000_000n / perSecond[unit]})`;
  const value = `CASE WHEN regexp_full_match(${x}, '\\s*\\d{${digits}}\\s*') ` +
    `THEN try_cast(${made} AS ${sql}) END`;
  return isNotNull(value);
}

/** Words as they may be in the texts of one column. */
export function nullIf(x: string, tokens: readonly string[]): string {
  return tokens.length === 0
    ? x
    : `CASE WHEN list_contains(${literals(tokens)}, ${x}) THEN NULL ELSE ${x} END`;
}
