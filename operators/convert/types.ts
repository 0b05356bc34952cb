/** @module Types of a table's columns: declared ones, the file's own, and inferred ones. */
import type { TaskContext } from "../../src/sdk/context.ts";
import { type ColumnType, columnType } from "../table/column_type.ts";
import { castText, isoFormat } from "./cast.ts";
import { nullIf } from "./cast_reading.ts";
import { commonType } from "./common_type.ts";
import type { OpenFile } from "./convert_files.ts";
import { inferColumn, type Verdict } from "./inference/column.ts";
import type { Hints } from "./inference/numbers.ts";
import { plainReading } from "./inference/reading.ts";
import { addTo, isText, sampleColumns, type SampledColumn, textsOf } from "./inference/sample.ts";
import type { ConvertParams } from "./params.ts";
import type { RawFile } from "./ready_files.ts";

/** A column's type, and the format of its timestamps by file. */
export interface TypeOfColumn {
  type: ColumnType;
  isInferred: boolean;
  /** What its texts say, where it was inferred from texts. */
  verdict: Verdict | null;
  formats: Map<RawFile, string>;
}

/** Types by column. */
export type Types = Map<string, TypeOfColumn>;

/** What is known of texts, from one attempt to the next. */
export interface KnownTexts {
  samples: Map<string, SampledColumn>;
  /** Texts of all rows that did not fit what was inferred: one of each form, with how many. */
  misfits: Map<string, Map<string, number>>;
  /** How often a column's type was widened. */
  widened: Map<string, number>;
}

/** Nothing known. */
export function noTexts(): KnownTexts {
  return { samples: new Map(), misfits: new Map(), widened: new Map() };
}

const FORMAT_ROWS = 1_000;
/** Texts that fit no type after this many looks at all rows are texts. */
const WIDENED_MAX = 2;
const MISFITS_MAX = 5_000;

/** The types of all columns of all files. */
export async function typesOf(
  open: readonly OpenFile[],
  known: KnownTexts,
  params: ConvertParams,
  engine: TaskContext["engine"],
): Promise<Types> {
  const types: Types = new Map();
  for (const { name, type } of params.schema?.columns ?? []) {
    types.set(name, declared(columnType(type)));
  }
  const unknown = new Set(
    open.flatMap(({ plan }) => plan.targets.map(({ name }) => name))
      .filter((name) => !types.has(name)),
  );
  if (keepsTexts(params)) {
    // Without samples, the texts of a file are texts.
    for (const name of unknown) {
      types.set(name, inferType(name, open, known, hintsOf(open, params)));
    }
    return types;
  }
  const unseen = [...unknown].filter((name) => !known.samples.has(name));
  if (unseen.length > 0) {
    const sampled = await sampleColumns(open, unseen, params, engine);
    for (const [name, sample] of sampled) known.samples.set(name, sample);
  }
  const hints = hintsOf(open, params);
  for (const name of unknown) types.set(name, inferType(name, open, known, hints));
  for (const file of open) await findFormats(file, types, params, engine);
  return types;
}

/**
 * Texts go into text as they are, unless something of them must be known: nobody asked for another
 * way to write a date.
 */
function keepsTexts({ types, to, schema, pii }: ConvertParams): boolean {
  if (types !== undefined) return types === "text";
  const asks = schema !== undefined || Object.keys(pii ?? {}).length > 0;
  return !asks && (to === "csv" || to === "tsv");
}

function declared(type: ColumnType): TypeOfColumn {
  return { type, isInferred: false, verdict: null, formats: new Map() };
}

function hintsOf(open: readonly OpenFile[], params: ConvertParams): Hints {
  const { decimalMark, thousandsMark, dateFormat, timestampFormat } = params;
  const delimiters = new Set(open.map(({ source }) => source.dialect?.delimiter));
  return {
    formats: [dateFormat, timestampFormat].filter((format) => format !== undefined),
    marks: {
      ...(decimalMark === "," ? { decimalMark } : {}),
      ...(thousandsMark !== undefined ? { thousandsMark } : {}),
    },
    delimiter: delimiters.size === 1 ? [...delimiters][0] : undefined,
  };
}

/** By the texts of the files that have the column as text, and by the types of those that do not. */
function inferType(
  name: string,
  open: readonly OpenFile[],
  known: KnownTexts,
  hints: Hints,
): TypeOfColumn {
  const own = new Set(open.flatMap(({ source, plan }) => {
    const origin = plan.targets.find((target) => target.name === name)?.origin;
    if (origin?.kind !== "column" || isText(source, origin.index)) return [];
    return [source.columns[origin.index].type];
  }));
  const sample = known.samples.get(name);
  if (sample === undefined) {
    return declared(columnType(own.size === 0 ? "VARCHAR" : commonType([...own])));
  }
  const verdict = verdictOf(name, sample, known, hints);
  own.add(verdict.type);
  if (own.size === 1) {
    return { type: columnType(verdict.type), isInferred: true, verdict, formats: new Map() };
  }
  return { ...declared(columnType("VARCHAR")), verdict: asText(verdict) };
}

function verdictOf(
  name: string,
  { texts, head, nulls }: SampledColumn,
  { misfits, widened }: KnownTexts,
  hints: Hints,
): Verdict {
  const more = misfits.get(name);
  if (more === undefined) {
    const verdict = inferColumn({ name, texts, nulls }, hints);
    // What is no row may look like text; the rows of the head are rows, and loading tells of others.
    const isUnsure = verdict.type === "VARCHAR" && verdict.notes.length === 0 &&
      head.size > 0 && head.size < texts.size;
    return isUnsure ? inferColumn({ name, texts: head, nulls }, hints) : verdict;
  }
  const all = new Map(texts);
  for (const [text, count] of more) addTo(all, text, count);
  const verdict = inferColumn({ name, texts: all, nulls }, hints);
  if ((widened.get(name) ?? 0) <= WIDENED_MAX) return verdict;
  return asText(verdict);
}

function asText(verdict: Verdict): Verdict {
  return { ...verdict, type: "VARCHAR", reading: plainReading, nullTokens: [] };
}

/** Look through all rows for texts that do not fit what was inferred, into `known`. */
export async function widerTypes(
  open: readonly OpenFile[],
  types: Types,
  known: KnownTexts,
  params: ConvertParams,
  engine: TaskContext["engine"],
): Promise<void> {
  const names = [...types].filter(([, { isInferred, type }]) => isInferred && type.kind !== "text")
    .map(([name]) => name);
  const widened = new Set<string>();
  for (const file of open) {
    const tests = misfitTests(file, names, types, params);
    if (tests.length === 0) continue;
    const counts = tests.map(({ test }) => `count_if(${test})`);
    const relation = await file.source.sample?.(null) ?? file.source.relation;
    const { rows } = await engine.run(
      `SELECT ${counts.join(", ")} FROM (${relation})`,
      { rowsMax: 1 },
    );
    for (const [i, { name, x, test }] of tests.entries()) {
      if (Number(rows[0][i]) === 0) continue;
      widened.add(name);
      const found = known.misfits.get(name) ?? new Map<string, number>();
      known.misfits.set(name, found);
      const misfits = await engine.run(
        `SELECT any_value(left(${x}, 256)), count(*) AS n FROM (${relation}) ` +
          `WHERE ${test} GROUP BY regexp_replace(left(${x}, 256), '[0-9]', '9', 'g') ` +
          `ORDER BY n DESC LIMIT ${MISFITS_MAX}`,
        { rowsMax: MISFITS_MAX },
      );
      for (const [text, count] of misfits.rows) addTo(found, text as string, Number(count));
    }
  }
  for (const name of widened) known.widened.set(name, (known.widened.get(name) ?? 0) + 1);
}

function misfitTests(
  file: OpenFile,
  names: readonly string[],
  types: Types,
  params: ConvertParams,
): { name: string; x: string; test: string }[] {
  return textsOf(file, names, params).map(({ name, sql }) => {
    const { type, verdict } = types.get(name)!;
    const x = nullIf(sql, verdict?.nullTokens ?? []);
    const reading = verdict?.reading;
    const cast = castText(x, type, { decimalMark: ".", reading, isInferred: true });
    return { name, x, test: `(${x} IS NOT NULL AND NOT ${cast.exact(x, `(${cast.value})`)})` };
  });
}

/** Timestamps of one file are written alike: the first one's format reads the others fast. */
async function findFormats(
  { raw, source, plan }: OpenFile,
  types: Types,
  params: ConvertParams,
  engine: TaskContext["engine"],
): Promise<void> {
  if (params.timestampFormat !== undefined) return;
  const stamps = plan.targets.flatMap(({ name, origin }) => {
    const { type, verdict } = types.get(name)!;
    const isPlain = verdict === null || verdict.reading.kind === "plain";
    return origin.kind === "column" && type.kind === "timestamp" && isPlain &&
        isText(source, origin.index)
      ? [{ name, index: origin.index }]
      : [];
  });
  if (stamps.length === 0) return;
  const { rows } = await engine.run(
    `SELECT ${stamps.map(({ index }) => `any_value(c${index})`).join(", ")} ` +
      `FROM (SELECT * FROM (${source.relation}) LIMIT ${FORMAT_ROWS})`,
    { rowsMax: 1 },
  );
  for (const [i, { name }] of stamps.entries()) {
    const text = rows[0][i];
    const { type, formats } = types.get(name)!;
    const format = typeof text === "string" ? isoFormat(text, type) : undefined;
    if (format !== undefined) formats.set(raw, format);
  }
}
