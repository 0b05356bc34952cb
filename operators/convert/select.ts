/** @module The SQL of a conversion: values, what is good, and what is wrong with the rest. */
import { actionSql } from "../pii/actions_sql.ts";
import { type ColumnType, textOfColumn } from "../table/column_type.ts";
import { ident, literal, literals } from "../table/sql.ts";
import { castText, type TextStyle } from "./cast.ts";
import { nullIf } from "./cast_reading.ts";
import type { RowSource } from "./formats/format.ts";
import { typeTree } from "./formats/json/nested.ts";
import type { Reading } from "./inference/reading.ts";
import type { Target } from "./plan.ts";
import type { PrivateColumn } from "./privacy.ts";

/** A target whose type is known. */
export interface TypedTarget extends Target {
  type: ColumnType;
  /** Format of its timestamps, where the file's all begin alike. */
  timestampFormat?: string;
  /** Of an inferred type: how its texts are written, and those of them that mean null. */
  reading?: Reading;
  nullTokens?: readonly string[];
  /** Of personal data: its texts are in no reason, and its values written by the action. */
  privacy?: PrivateColumn;
}

/** Statements of one conversion. */
export interface ConversionSql {
  /** Named typed columns, `_tw_row` and so on when carried, of the good rows, with this filter. */
  good(filter: string): string;
  /** Cheap test; null or false: look closer. */
  fast: string;
  /** The truth; never null. */
  exact: string;
  /** What is wrong with a row that is not exact: index of the target, or -1 - index of an extra. */
  culprit: string;
  /** Text of the culprit. */
  culpritText: string;
  /** The whole row as JSON. */
  rowText: string;
  /** All rows with texts and values. */
  base: string;
}

/** What statements are made of. */
export interface ConversionPlan {
  source: RowSource;
  targets: readonly TypedTarget[];
  /** Columns of the file that must be null in a good row. */
  extras: readonly number[];
  style: TextStyle;
  nullTokens: readonly string[];
  /** Rows may hide in texts of several lines: such texts are not good enough for the fast way. */
  checksLines: boolean;
}

const carried = ["_tw_row", "_tw_offset", "_tw_at", "_tw_bytes"];

/** Make the statements. */
export function conversionSql(plan: ConversionPlan): ConversionSql {
  const { source, targets, extras } = plan;
  const position = source.position === "carried" ? carried : [];
  const columns = targets.map((target, i) => columnSql(target, i, plan));
  const texts = columns.map(({ text }, i) => `${text} AS x${i}`);
  const extraTexts = extras.map((index, i) => `c${index} AS e${i}`);
  const all = source.columns.map((_, i) => `c${i}`);
  const values = columns.map(({ value }, i) => `${value} AS v${i}`);
  const base = `SELECT *, ${values.join(", ")} FROM (SELECT ${
    [...all, ...texts, ...extraTexts, ...position].join(", ")
  } FROM (${source.relation}))`;
  const named = targets.map((target, i) => `${written(target, `v${i}`)} AS ${ident(target.name)}`);
  const noExtras = extras.map((_, i) => `e${i} IS NULL`);
  const conjunction = (parts: string[]) => parts.filter((part) => part !== "true").join(" AND ");
  const fast = conjunction([...columns.map((column) => column.fast), ...noExtras]);
  const exact = conjunction([...columns.map((column) => column.exact), ...noExtras]);
  const wrong = [
    ...columns.map(({ exact }, i) => ({ exact, index: i, text: `x${i}::VARCHAR` })),
    ...noExtras.map((exact, i) => ({ exact, index: -1 - i, text: `e${i}::VARCHAR` })),
  ].filter(({ exact }) => exact !== "true");
  const cases = (of: (part: typeof wrong[number]) => string | number) =>
    wrong.length === 0
      ? "NULL"
      : `CASE ${wrong.map((part) => `WHEN NOT ${part.exact} THEN ${of(part)}`).join(" ")} END`;
  return {
    good: (filter) => `SELECT ${[...named, ...position].join(", ")} FROM (${base}) ${filter}`,
    fast: fast || "true",
    exact: exact || "true",
    culprit: cases(({ index }) => index),
    culpritText: cases(({ text }) => text),
    rowText: rowText(source),
    base,
  };
}

function written({ privacy, type }: TypedTarget, v: string): string {
  const action = privacy?.action ?? null;
  if (action === null || action === "drop") return v;
  return actionSql(action, v, { kind: privacy!.kind, type: type.sql });
}

interface ColumnSql {
  text: string;
  value: string;
  fast: string;
  exact: string;
}

function columnSql(target: TypedTarget, i: number, plan: ConversionPlan): ColumnSql {
  const { origin, type, nullable } = target;
  const x = `x${i}`;
  const v = `v${i}`;
  const notNull = `${x} IS NOT NULL`;
  if (origin.kind === "missing") {
    const exact = nullable ? "true" : "false";
    return { text: "NULL::VARCHAR", value: `NULL::${type.sql}`, fast: exact, exact };
  }
  const found = origin.kind === "column" ? plan.source.columns[origin.index] : null;
  if (found?.type === "DOUBLE" && plan.source.hasShortNumbers) {
    return shortNumberSql(target, i, `c${(origin as { index: number }).index}`);
  }
  if (found && found.type !== "VARCHAR" && sameType(found.type, type)) {
    const exact = nullable ? "true" : notNull;
    return { text: `c${(origin as { index: number }).index}`, value: x, fast: exact, exact };
  }
  const cast = castText(x, type, {
    ...plan.style,
    blobs: plan.source.blobs,
    ...formatOf(target, plan),
  });
  const text = nullIf(textSql(origin, found, plan), target.nullTokens ?? []);
  let fast = cast.fast(x, v);
  let exact = cast.exact(x, v);
  if (plan.checksLines && type.kind === "text" && found) {
    // What hides a record has the delimiters of one, and the end of its line.
    fast = `(strlen(${x}) < ${plan.source.columns.length} OR NOT contains(${x}, chr(10)))`;
    exact = fast;
  }
  if (!nullable) {
    return {
      text,
      value: cast.value,
      fast: fast === "true" ? notNull : fast,
      exact: exact === "true" ? notNull : `(${notNull} AND ${exact})`,
    };
  }
  const orNull = (test: string) => test === "true" ? test : `(${x} IS NULL OR ${test})`;
  return { text, value: cast.value, fast: orNull(fast), exact: orNull(exact) };
}

/**
 * Of a double that stands for at most 15 digits: when the value gives the double back, and is small
 * enough for its own digits to be told apart, it has the digits of the text.
 */
function shortNumberSql({ type, nullable }: TypedTarget, i: number, text: string): ColumnSql {
  const scale = type.kind === "decimal" ? type.scale : 0;
  const most = 2 ** 53 / 10 ** scale;
  const test = type.kind === "float"
    ? `isfinite(x${i})`
    : `(x${i} BETWEEN ${-most} AND ${most} AND v${i}::DOUBLE = x${i})`;
  const exact = nullable ? `(x${i} IS NULL OR ${test})` : `coalesce(${test}, false)`;
  return { text, value: `try_cast(x${i} AS ${type.sql})`, fast: exact, exact };
}

/** Can the source's own types become those of the targets as the file's texts would? */
export function takesTypes(
  { columns, hasShortNumbers }: RowSource,
  targets: readonly TypedTarget[],
  { decimalMark, thousandsMark }: TextStyle,
): boolean {
  if (!hasShortNumbers) return true;
  if (decimalMark !== "." || thousandsMark !== undefined) return false;
  return targets.every(({ origin, type, reading, nullTokens = [] }) => {
    if (origin.kind !== "column" || columns[origin.index].type !== "DOUBLE") return true;
    const isPlain = nullTokens.length === 0 && (reading === undefined || reading.kind === "plain");
    return isPlain && (type.kind === "decimal" || type.kind === "integer" || type.sql === "DOUBLE");
  });
}

/** What an author says of formats went into the reading of an inferred column. */
function formatOf(
  { timestampFormat, reading }: TypedTarget,
  { style }: ConversionPlan,
): Partial<TextStyle> {
  if (reading !== undefined) {
    return {
      reading,
      isInferred: true,
      timestampFormat,
      dateFormat: undefined,
      decimalMark: ".",
      thousandsMark: undefined,
    };
  }
  return style.timestampFormat || !timestampFormat ? {} : { timestampFormat };
}

function textSql(
  origin: Target["origin"],
  found: { type: string } | null,
  { source, nullTokens }: ConversionPlan,
): string {
  if (origin.kind === "constant") return literal(origin.text);
  const column = `c${(origin as { index: number }).index}`;
  const text = found!.type === "VARCHAR"
    ? column
    : source.isTyped
    ? textOfColumn(column, found!.type)
    : `${column}::VARCHAR`;
  if (source.hasNulls || nullTokens.length === 0) return text;
  return `CASE WHEN list_contains(${literals(nullTokens)}, ${text}) THEN NULL ELSE ${text} END`;
}

function sameType(found: string, { name, kind }: ColumnType): boolean {
  if (kind === "nested") return sameParts(found, name);
  const plain = (type: string) => type.toUpperCase().replace(/\s+/g, "");
  return plain(found) === plain(name) ||
    (name === "TIMESTAMP WITH TIME ZONE" && plain(found) === "TIMESTAMPTZ");
}

/** Of nested types, whether names of fields are in quotes says nothing. */
function sameParts(found: string, name: string): boolean {
  const parts = (type: string) => {
    const tree = typeTree(type);
    return tree &&
      JSON.stringify(tree, (key, value) => key === "sql" ? value.toUpperCase() : value);
  };
  const own = parts(found);
  return own === null ? found === name : own === parts(name);
}

function rowText({ columns }: RowSource): string {
  const members = columns.map(({ name }, i) => `${literal(name)}, c${i}::VARCHAR`);
  return `json_object(${members.join(", ")})::VARCHAR`;
}

/** What texts of a type look like at a glance; null: like anything. */
export function plausiblePattern({ type, reading, nullTokens }: TypedTarget): RegExp | null {
  if (nullTokens?.length || (reading && reading.kind !== "plain")) return null;
  switch (type.kind) {
    case "integer":
    case "decimal":
    case "float":
      return /^\s*[-+]?[\d][\d.,' ]*(?:[eE][-+]?\d+)?\s*$|^\s*\.\d+\s*$/;
    case "date":
    case "time":
    case "timestamp":
      return /^\s*\d[\d\s:./TZ+-]*\s*$/;
    case "boolean":
      return /^\s*(true|false|t|f|0|1|yes|no|y|n)\s*$/i;
    case "uuid":
      return /^\s*\{?[0-9a-fA-F-]{32,36}\}?\s*$/;
    default:
      return null;
  }
}
