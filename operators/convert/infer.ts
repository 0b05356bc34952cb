/** @module Types of columns that nobody declared: the narrowest that loses nothing. */
import type { TaskContext } from "../../src/sdk/context.ts";
import { literal } from "../table/sql.ts";

/** How many texts of a column look like what; figures of several files add up. */
export interface TextFigures {
  texts: number;
  booleans: number;
  integers: number;
  decimals: number;
  exponents: number;
  dates: number;
  timestamps: number;
  instants: number;
  nanoseconds: number;
  json: number;
  /** Digits before and behind the point, and behind the second, at most. */
  wholeDigits: number;
  fractionDigits: number;
  secondDigits: number;
}

const whole = "-?(?:0|[1-9]\\d*)";
const stamp = "\\d{4}-\\d{2}-\\d{2}[T ]\\d{2}:\\d{2}(?::\\d{2}(?:\\.\\d{1,9})?)?";

const counts = (x: string): Record<keyof TextFigures, string> => {
  const matches = (pattern: string) => `regexp_full_match(${x}, ${literal(pattern)})`;
  const digits = (pattern: string) =>
    `coalesce(max(strlen(regexp_extract(${x}, ${literal(pattern)}, 1))), 0)`;
  return {
    texts: `count(${x})`,
    booleans: `count_if(lower(${x}) IN ('true', 'false'))`,
    integers: `count_if(${matches(whole)})`,
    decimals: `count_if(${matches(`${whole}(?:\\.\\d+)?`)})`,
    exponents: `count_if(${matches(`${whole}(?:\\.\\d+)?(?:[eE][+-]?\\d+)?`)})`,
    dates: `count_if(${matches("\\d{4}-\\d{2}-\\d{2}")} AND try_cast(${x} AS DATE) IS NOT NULL)`,
    timestamps: `count_if(${matches(stamp)} AND try_cast(${x} AS TIMESTAMP) IS NOT NULL)`,
    instants: `count_if(${
      matches(`${stamp}(?:Z|[+-]\\d{2}:?\\d{2})`)
    } AND try_cast(${x} AS TIMESTAMPTZ) IS NOT NULL)`,
    nanoseconds: `count_if(try_cast(${x} AS TIMESTAMP_NS) IS NOT NULL)`,
    json: `count_if(${x}[1] IN ('{', '[') AND json_valid(${x}))`,
    wholeDigits: digits("^-?(\\d+)(?:\\.\\d+)?$"),
    fractionDigits: digits("^-?\\d+\\.(\\d+)$"),
    secondDigits: digits(":\\d{2}\\.(\\d+)"),
  };
};

const names = Object.keys(counts("x")) as (keyof TextFigures)[];
const MAXIMA: ReadonlySet<keyof TextFigures> = new Set(
  ["wholeDigits", "fractionDigits", "secondDigits"] as const,
);

/** Figures of text expressions over a relation. */
export async function textFigures(
  engine: TaskContext["engine"],
  relation: string,
  texts: readonly string[],
): Promise<TextFigures[]> {
  if (texts.length === 0) return [];
  const selected = texts.map((text, i) => `${text} AS x${i}`).join(", ");
  const all = texts.flatMap((_, i) => {
    const sql = counts(`x${i}`);
    return names.map((name) => sql[name]);
  });
  const { rows } = await engine.run(
    `SELECT ${all.join(",\n")} FROM (SELECT ${selected} FROM (${relation}))`,
    { rowsMax: 1 },
  );
  return texts.map((_, i) =>
    Object.fromEntries(
      names.map((name, k) => [name, Number(rows[0][i * names.length + k])]),
    ) as unknown as TextFigures
  );
}

/** Figures of two sets of texts together. */
export function addFigures(a: TextFigures, b: TextFigures): TextFigures {
  return Object.fromEntries(
    names.map((name) => [name, MAXIMA.has(name) ? Math.max(a[name], b[name]) : a[name] + b[name]]),
  ) as unknown as TextFigures;
}

/** The narrowest type that holds all texts exactly; VARCHAR when there are none. */
export function typeOfFigures(f: TextFigures): string {
  const all = f.texts;
  if (all === 0) return "VARCHAR";
  if (f.booleans === all) return "BOOLEAN";
  if (f.integers === all) return f.wholeDigits <= 18 ? "BIGINT" : wideType(f);
  if (f.decimals === all) return wideType(f);
  if (f.exponents === all && f.wholeDigits + f.fractionDigits <= 15) return "DOUBLE";
  if (f.dates === all) return "DATE";
  if (f.dates + f.timestamps === all && f.timestamps > 0) {
    if (f.secondDigits <= 6) return "TIMESTAMP";
    return f.nanoseconds === all ? "TIMESTAMP_NS" : "VARCHAR";
  }
  if (f.instants === all && f.secondDigits <= 6) return "TIMESTAMP WITH TIME ZONE";
  return f.json === all ? "JSON" : "VARCHAR";
}

function wideType({ wholeDigits, fractionDigits }: TextFigures): string {
  const digits = wholeDigits + fractionDigits;
  if (digits > 38) return "VARCHAR";
  return `DECIMAL(${digits <= 18 ? 18 : 38},${fractionDigits})`;
}
