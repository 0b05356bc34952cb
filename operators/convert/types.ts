/** @module Types of a table's columns: declared ones, the file's own, and inferred ones. */
import type { TaskContext } from "../../src/sdk/context.ts";
import { type ColumnType, columnType } from "../table/column_type.ts";
import { literals } from "../table/sql.ts";
import { isoFormat } from "./cast.ts";
import type { OpenFile, RawFile } from "./convert_files.ts";
import { addFigures, type TextFigures, textFigures, typeOfFigures } from "./infer.ts";
import type { ConvertParams } from "./params.ts";

/** A column's type, and the format of its timestamps by file. */
export interface TypeOfColumn {
  type: ColumnType;
  isInferred: boolean;
  formats: Map<RawFile, string>;
}

/** Types by column. */
export type Types = Map<string, TypeOfColumn>;

const SAMPLE_ROWS = 20_000;
const FORMAT_ROWS = 1_000;

/** The types of all columns of all files; `known` has those that were inferred from all rows. */
export async function typesOf(
  open: readonly OpenFile[],
  known: Types,
  params: ConvertParams,
  engine: TaskContext["engine"],
): Promise<Types> {
  const types: Types = new Map();
  for (const { name, type } of params.schema?.columns ?? []) {
    types.set(name, { type: columnType(type), isInferred: false, formats: new Map() });
  }
  for (const [name, type] of known) types.set(name, type);
  const unknown = new Set(
    open.flatMap(({ plan }) => plan.targets.map(({ name }) => name))
      .filter((name) => !types.has(name)),
  );
  if (unknown.size > 0) {
    const sampled = await inferTypes(open, [...unknown], params, engine, SAMPLE_ROWS);
    for (const [name, type] of sampled) types.set(name, type);
  }
  for (const file of open) await findFormats(file, types, params, engine);
  return types;
}

/** Infer the types of these columns from all rows, into `known`. */
export async function widerTypes(
  open: readonly OpenFile[],
  names: readonly string[],
  known: Types,
  params: ConvertParams,
  engine: TaskContext["engine"],
): Promise<void> {
  const found = await inferTypes(open, names, params, engine, null);
  for (const [name, type] of found) {
    // Types from all rows that fail all the same can only be texts.
    known.set(name, known.has(name) ? { ...type, type: columnType("VARCHAR") } : type);
  }
}

async function inferTypes(
  open: readonly OpenFile[],
  names: readonly string[],
  params: ConvertParams,
  engine: TaskContext["engine"],
  rowsMax: number | null,
): Promise<Types> {
  const figures = new Map<string, TextFigures>();
  const own = new Map<string, Set<string>>();
  for (const { source, plan } of open) {
    const texts: { name: string; sql: string }[] = [];
    for (const { name, origin } of plan.targets) {
      if (!names.includes(name) || origin.kind !== "column") continue;
      if (source.isTyped && !source.columns[origin.index].isLoose) {
        if (!own.has(name)) own.set(name, new Set());
        own.get(name)!.add(source.columns[origin.index].type);
      } else texts.push({ name, sql: withNulls(`c${origin.index}`, source.hasNulls, params) });
    }
    const rows = rowsMax === null
      ? source.relation
      : `SELECT * FROM (${source.relation}) LIMIT ${rowsMax}`;
    const found = await textFigures(engine, rows, texts.map(({ sql }) => sql));
    for (const [i, { name }] of texts.entries()) {
      const before = figures.get(name);
      figures.set(name, before ? addFigures(before, found[i]) : found[i]);
    }
  }
  return new Map(names.map((name) => {
    const inferred = figures.get(name);
    const types = new Set(own.get(name) ?? []);
    if (inferred) types.add(typeOfFigures(inferred));
    const type = columnType(types.size === 1 ? [...types][0] : "VARCHAR");
    return [name, { type, isInferred: inferred !== undefined, formats: new Map() }];
  }));
}

function withNulls(text: string, hasNulls: boolean, { nullTokens }: ConvertParams): string {
  if (hasNulls || nullTokens.length === 0) return text;
  return `CASE WHEN list_contains(${literals(nullTokens)}, ${text}) THEN NULL ELSE ${text} END`;
}

/** Timestamps of one file are written alike: the first one's format reads the others fast. */
async function findFormats(
  { raw, source, plan }: OpenFile,
  types: Types,
  params: ConvertParams,
  engine: TaskContext["engine"],
): Promise<void> {
  if (source.isTyped || params.timestampFormat !== undefined) return;
  const stamps = plan.targets.flatMap(({ name, origin }) =>
    origin.kind === "column" && types.get(name)!.type.kind === "timestamp"
      ? [{ name, index: origin.index }]
      : []
  );
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
