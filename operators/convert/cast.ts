/**
 * @module From text to a type without losing a digit.
 *
 * DuckDB's casts round: '1.23456' becomes a DECIMAL(18,4) without a word, '1.5' an INTEGER,
 * nanoseconds a TIMESTAMP, and the zone of '…+02:00' is dropped. So each cast comes with a test.
 * `fast` is cheap and may say false of what is good; `exact` is the truth.
 */
import { type ColumnType, columnType } from "../table/column_type.ts";
import { literal } from "../table/sql.ts";
import { castReading } from "./cast_reading.ts";
import { nestedValue, typeTree } from "./formats/json/nested.ts";
import type { Reading } from "./inference/reading.ts";

/** How texts of one source are to be read. */
export interface TextStyle {
  /** Formats of dates and timestamps (strptime), tried before ISO 8601; never guessed. */
  dateFormat?: string;
  timestampFormat?: string;
  decimalMark: "." | ",";
  thousandsMark?: "." | "," | " " | "'";
  /** How the texts of this column were found to be written. */
  reading?: Reading;
  /** How bytes are written; the default is as the engine does, `\\x00`. */
  blobs?: "base64";
  /** The type was inferred: leading zeros and too many digits mean that it is another one. */
  isInferred?: boolean;
}

/** One cast, as SQL on the text `x`. */
export interface Cast {
  /** The value; null where the text is not of the type. */
  value: string;
  /** On the text `x` and the value `v`: surely exact. Null where either is. */
  fast(x: string, v: string): string;
  /** On the text `x`, not null, and the value `v`: exact or not. Never null. */
  exact(x: string, v: string): string;
}

const BLANK = "\\s*";
const ZONE = "(?:Z|[+-]\\d{2}(?::?\\d{2})?)";
const NO_ZONE = "(?:Z|[+-]00(?::?00)?)";

/** The cast of the text expression `x` to `type`. */
export function castText(x: string, type: ColumnType, style: TextStyle): Cast {
  const { reading, isInferred } = style;
  const plain = (text: string) => {
    const cast = castPlain(text, type, style);
    return isInferred ? strict(text, cast, type) : cast;
  };
  return reading && reading.kind !== "plain" ? castReading(x, type, reading, plain) : plain(x);
}

/**
 * What an author declares takes 007 for 7. Where the type was inferred, the first such text shows
 * that the column is none of numbers; the fast tests let none pass.
 */
function strict(x: string, cast: Cast, { kind }: ColumnType): Cast {
  if (kind === "float") {
    const digits = `strlen(regexp_replace(regexp_replace(${x}, '[eE].*', ''), '[^0-9]', '', 'g'))`;
    return {
      value: cast.value,
      fast: (text, v) => `(strlen(${x}) <= 15 AND ${cast.fast(text, v)})`,
      exact: (text, v) => `(${cast.exact(text, v)} AND (${digits} <= 15 OR ${v}::VARCHAR = ${x}))`,
    };
  }
  if (kind !== "integer" && kind !== "decimal") return cast;
  return {
    ...cast,
    exact: (text, v) => `(${cast.exact(text, v)} AND NOT regexp_matches(${x}, '^\\s*[+-]?0\\d'))`,
  };
}

function castPlain(x: string, type: ColumnType, style: TextStyle): Cast {
  switch (type.kind) {
    case "text":
      return { value: x, fast: () => "true", exact: () => "true" };
    case "integer":
      return integerCast(numberText(x, style), type.sql);
    case "decimal":
      return decimalCast(numberText(x, style), type);
    case "float":
      return floatCast(numberText(x, style), type.sql);
    case "date":
      return dateCast(x, style);
    case "time":
      return matching(
        x,
        type.sql,
        `\\d{1,2}:\\d{2}(?::\\d{2}(?:\\.\\d{1,${type.sql === "TIME_NS" ? 9 : 6}}0*)?)?`,
      );
    case "timestamp":
      return timestampCast(x, type, style);
    case "json":
      return parsed(`CASE WHEN json_valid(${x}) THEN ${x}::JSON END`);
    case "blob":
      return parsed(style.blobs === "base64" ? `TRY(from_base64(${x}))` : `try_cast(${x} AS BLOB)`);
    case "boolean":
    case "uuid":
      return parsed(`try_cast(${x} AS ${type.sql})`);
    case "nested":
      return parsed(nestedCast(x, type.sql));
  }
}

/** A list, struct or map of its JSON text, by the encoding that JSON is written in here. */
function nestedCast(x: string, sql: string): string {
  const tree = typeTree(sql);
  if (tree === null) return `NULL::${sql}`;
  return nestedValue(tree, x, (text, plain) => {
    const cast = castPlain(text, columnType(plain), { decimalMark: ".", blobs: "base64" });
    return { value: cast.value, exact: cast.exact(text, `(${cast.value})`) };
  });
}

/** A cast whose value is null unless it is exact. */
function parsed(value: string): Cast {
  return {
    value,
    fast: (_x, v) => `${v} IS NOT NULL`,
    exact: (_x, v) => `${v} IS NOT NULL`,
  };
}

function matching(x: string, sql: string, pattern: string): Cast {
  return parsed(
    `CASE WHEN regexp_full_match(${x}, ${literal(BLANK + pattern + BLANK)}) ` +
      `THEN try_cast(${x} AS ${sql}) END`,
  );
}

/** The text of a number with a point as its decimal mark and without thousands marks. */
function numberText(x: string, { decimalMark, thousandsMark }: TextStyle): string {
  const joined = thousandsMark ? `replace(${x}, ${literal(thousandsMark)}, '')` : x;
  return decimalMark === "," ? `replace(${joined}, ',', '.')` : joined;
}

function integerCast(x: string, sql: string): Cast {
  const digits = literal(`${BLANK}[+-]?(?:\\d+(?:\\.0*)?|\\.0+)${BLANK}`);
  return {
    value: `try_cast(${x} AS ${sql})`,
    fast: (_x, v) => `${v}::VARCHAR = ${x}`,
    exact: (_x, v) => `(${v} IS NOT NULL AND regexp_full_match(${x}, ${digits}))`,
  };
}

function decimalCast(
  x: string,
  { sql, precision, scale }: Extract<ColumnType, { kind: "decimal" }>,
): Cast {
  const behind = scale === 0 ? "0+" : `\\d{1,${scale}}0*`;
  const plain = `[+-]?(?:\\d+\\.?|\\d*\\.${behind})`;
  // With an exponent, the engine makes values that have more digits than their type.
  const isWithin = (v: string) => `abs(${v}) < 1e${precision - scale}`;
  const digits = literal(`${BLANK}${plain}${BLANK}`);
  return {
    value: `try_cast(${x} AS ${sql})`,
    fast: (_x, v) => isLongEnough(x, v, { sql, precision, scale }),
    exact: (_x, v) =>
      `(${v} IS NOT NULL AND (regexp_full_match(${x}, ${digits}) OR ` +
      `(${isWithin(v)} AND ${exponentFits(x, scale)})))`,
  };
}

/** Powers of ten that values are compared with first; most prices pass one of them. */
const commonPowers = [2, 1, 3];

/**
 * A value above 10^p has more than p digits before its point, so that of a text of `scale + 2 + p`
 * characters, or fewer, at most `scale` are left behind it: exact, with no look at the text. Strictly
 * above, since rounding up ends on a power of ten. Texts with exponents that lose digits are too long
 * for their value to pass. A minus takes one more character. A comparison with a constant costs a
 * third of computing a power, but each one more costs a little even where it is not come to.
 */
function isLongEnough(
  x: string,
  v: string,
  { sql, precision, scale }: { sql: string; precision: number; scale: number },
): string {
  const value = (unscaled: string) => {
    const padded = unscaled.padStart(scale + 1, "0");
    const point = padded.length - scale;
    return `'${padded.slice(0, point)}${scale > 0 ? "." : ""}${padded.slice(point)}'::${sql}`;
  };
  const above = (power: number) => value(String(10n ** BigInt(power + scale) + 1n));
  const highest = value("9".repeat(precision));
  const common = commonPowers.filter((power) => power < precision - scale).map((power) =>
    `(strlen(${x}) <= ${scale + 2 + power} AND ${v} BETWEEN ${above(power)} AND ${highest})`
  );
  const spare = `strlen(${x}) - ${scale + 2} - (${v} < 0)::INTEGER`;
  const other = `(abs(${v}) > pow(10, ${spare}) AND abs(${v}) < 1e${precision - scale})`;
  return `(${[...common, other].join(" OR ")})`;
}

/** A number with an exponent: its digits behind the point, less the exponent, are at most `scale`. */
function exponentFits(x: string, scale: number): string {
  const form = literal(
    `${BLANK}[+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)[eE][+-]?\\d{1,3}${BLANK}`,
  );
  const part = (pattern: string) => `regexp_extract(${x}, ${literal(pattern)}, 1)`;
  // Zeros at the end of the mantissa are no digits to lose, before the point as behind it.
  const behind = `strlen(rtrim(${part("\\.(\\d*)[eE]")}, '0'))`;
  const zeros = `(CASE WHEN ${behind} > 0 THEN 0 ELSE ` +
    `strlen(${part("(0*)(?:\\.0*)?[eE]")}) END)`;
  const zero = literal(`${BLANK}[+-]?0+(?:\\.0*)?[eE][+-]?\\d{1,3}${BLANK}`);
  return `(regexp_full_match(${x}, ${form}) AND (regexp_full_match(${x}, ${zero}) OR ` +
    `${behind} - ${zeros} - try_cast(${part("[eE]([+-]?\\d+)")} AS INTEGER) <= ${scale}))`;
}

function floatCast(x: string, sql: string): Cast {
  const named = `lower(trim(${x})) IN ('nan', 'inf', '+inf', '-inf', 'infinity', '-infinity')`;
  const digits = literal(`${BLANK}[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?${BLANK}`);
  return {
    value: `try_cast(${x} AS ${sql})`,
    fast: (_x, v) => `isfinite(${v})`,
    exact: (_x, v) =>
      `(${v} IS NOT NULL AND (${named} OR (isfinite(${v}) AND regexp_full_match(${x}, ${digits}))))`,
  };
}

function dateCast(x: string, { dateFormat }: TextStyle): Cast {
  if (dateFormat) return parsed(`${strptime(x, dateFormat)}::DATE`);
  const iso = `\\d{4,6}[-/]\\d{1,2}[-/]\\d{1,2}(?:[T ]00:00(?::00(?:\\.0+)?)?${NO_ZONE}?)?|\\d{8}`;
  const form = literal(`${BLANK}(?:${iso})${BLANK}`);
  return {
    value: `coalesce(try_cast(${x} AS DATE), ${strptime(x, "%Y%m%d")}::DATE)`,
    fast: (_x, v) => `(${v} IS NOT NULL AND strlen(${x}) = 10 AND ${x} BETWEEN '0' AND ':')`,
    exact: (_x, v) => `(${v} IS NOT NULL AND regexp_full_match(${x}, ${form}))`,
  };
}

/** Strptime is strict, so what it takes is exact; the rest must look like ISO 8601 as a whole. */
function timestampCast(
  x: string,
  { sql, digits, zoned }: Extract<ColumnType, { kind: "timestamp" }>,
  { timestampFormat }: TextStyle,
): Cast {
  const fraction = digits === 0 ? "(?:\\.0+)?" : `(?:\\.\\d{1,${digits}}0*)?`;
  const time = `\\d{1,2}:\\d{2}(?::\\d{2}${fraction})?`;
  const date = "\\d{4,6}-\\d{1,2}-\\d{1,2}";
  const form = literal(`${BLANK}${date}(?:[T ]${time})?(?:${zoned ? ZONE : NO_ZONE})?${BLANK}`);
  const iso = `CASE WHEN regexp_full_match(${x}, ${form}) THEN try_cast(${x} AS ${sql}) END`;
  if (!timestampFormat) return parsed(iso);
  const byFormat = `try_strptime(${x}, ${literal(timestampFormat)})`;
  return {
    value: `coalesce(try_cast(${byFormat} AS ${sql}), ${iso})`,
    // Cheaper than a look at the text for "infinity" and "epoch", which strptime takes by any format.
    fast: (_x, v) => `${v} BETWEEN '1971-01-01'::${sql} AND '2200-01-01'::${sql}`,
    exact: (_x, v) => `(${v} IS NOT NULL AND NOT regexp_matches(${x}, '(?i)inf|epoch'))`,
  };
}

/** Strptime takes "infinity" and "epoch" by any format, and makes dates of them. */
function strptime(x: string, format: string): string {
  const isDate = format.startsWith("%Y")
    ? `${x} BETWEEN '0' AND ':'`
    : `NOT regexp_matches(${x}, '(?i)inf|epoch')`;
  return `CASE WHEN ${isDate} THEN try_strptime(${x}, ${literal(format)}) END`;
}

/**
 * The strptime format of an ISO 8601 timestamp that `type` can hold, for speed: reading by a format
 * costs half of checking by a pattern. Undefined when `text` is in none of these forms.
 */
export function isoFormat(text: string, type: ColumnType): string | undefined {
  if (type.kind !== "timestamp") return undefined;
  const match = text.match(
    /^\d{4}-\d{2}-\d{2}([T ])\d{2}:\d{2}:\d{2}(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})?$/,
  );
  if (!match) return undefined;
  const [, separator, fraction = "", zone = ""] = match;
  if (fraction.length > type.digits || (zone !== "" && zone !== "Z" && !type.zoned)) {
    return undefined;
  }
  const second = fraction === "" ? "%S" : type.digits > 6 ? "%S.%n" : "%S.%f";
  // A fraction of milliseconds reads as %f too, but would let more digits in than the type holds.
  if (fraction !== "" && type.digits !== 6 && type.digits !== 9) return undefined;
  return `%Y-%m-%d${separator}%H:%M:${second}${zone === "" ? "" : zone === "Z" ? "Z" : "%z"}`;
}
