/**
 * @module One file into one Parquet file, every record accounted for.
 *
 * The fast way reads the file once, writes what is good and counts what is not. When it counts
 * anything, or the engine cannot read the file as it is, the careful way takes the file apart record
 * by record. Good files, nearly all, pay for one scan.
 */
import { AppError, hasCode, messageOf } from "../../src/model/errors.ts";
import type { FileProvenance } from "../../src/model/data.ts";
import type { RefusedRow } from "../table/quarantine.ts";
import { missingMax } from "../table/rows.ts";
import { ident, literal, literals } from "../table/sql.ts";
import type { Format, ReadCall, RowSource } from "./formats/format.ts";
import type { TextStyle } from "./cast.ts";
import { refuseRows } from "./refuse_rows.ts";
import {
  type ConversionPlan,
  conversionSql,
  plausiblePattern,
  takesTypes,
  type TypedTarget,
} from "./select.ts";

/** So many take more memory for each few thousand values than a task has by default. */
const MANY_COLUMNS = 1_000;

/** What loading one file takes. */
export interface LoadCall {
  format: Format;
  read: Omit<ReadCall, "isCareful">;
  /** The file as it was read for its columns. */
  source: RowSource;
  targets: readonly TypedTarget[];
  extras: readonly number[];
  style: TextStyle;
  /** Source's name and the raw file's key, kept with every row. */
  origin: { source: string; file: string };
  /** Where the Parquet file goes. */
  path: string;
  /** Refused records until now: those that reading for the columns has refused. */
  refusedBefore: number;
}

/** What became of a file. */
export interface LoadResult {
  rowsIn: number;
  rowsOut: number;
  /** Rows that were read but do not fit. */
  misfits: number;
  /** Null when the file carries the columns. */
  provenance: FileProvenance | null;
  /** Targets with rows that do not fit, by index. */
  misfitTargets: number[];
}

/**
 * Convert one file. Rows that do not fit are refused through `read.refuse`. Null when the file must
 * be opened again, with care, since it may have other columns than it was opened with.
 */
export async function loadFile(call: LoadCall): Promise<LoadResult | null> {
  const { source } = call;
  if (source.position === "implied" && takesTypes(source, call.targets, call.style)) {
    const result = await loadFast(call);
    if (result) return result;
  }
  return source.isGuess ? null : await loadCareful(call);
}

/** Null when the file needs care. */
async function loadFast(call: LoadCall): Promise<LoadResult | null> {
  const { source, read, origin } = call;
  const { engine } = read;
  const sql = conversionSql(planOf(call, source));
  const counter = `misfits_${read.tempPath("").replace(/\W/g, "_")}`;
  await engine.run(`CREATE SEQUENCE ${counter}`);
  const test = `CASE WHEN ${sql.fast} THEN true WHEN ${sql.exact} THEN true ` +
    `ELSE nextval(${literal(counter)}) < 0 END`;
  let rowsOut: number;
  const stop = new AbortController();
  const checked = source.check?.(AbortSignal.any([read.signal, stop.signal]));
  checked?.catch(() => {});
  try {
    const written = await engine.run(sql.good(`WHERE ${test}`), {
      to: { path: call.path, format: "parquet" },
    });
    rowsOut = written.rowsChanged;
  } catch (error) {
    stop.abort();
    await checked?.catch(() => {});
    read.signal.throwIfAborted();
    if (hasCode(error, "INVALID")) return null;
    throw broken(call, error);
  }
  const { rows } = await engine.run(
    `SELECT coalesce(last_value, 0) FROM duckdb_sequences() WHERE sequence_name = ${
      literal(counter)
    }`,
    { rowsMax: 1 },
  );
  const misfits = Number(rows[0][0]);
  const isWhole = await source.leftOut() === 0 &&
    (checked === undefined || await checked === rowsOut + misfits) &&
    (source.declaredRows === undefined || source.declaredRows === rowsOut + misfits);
  if (isWhole) source.checkRows?.(rowsOut + misfits);
  const isWrong = isWhole && (await hasHeaderRow(call) ||
    (source.isShifted !== undefined && await mayBeShifted(call) && await source.isShifted()));
  if (isWrong) {
    await Deno.remove(call.path);
    return null;
  }
  if (isWhole && misfits === 0) {
    const provenance = { ...origin, missing: [] };
    return { rowsIn: rowsOut, rowsOut, misfits, provenance, misfitTargets: [] };
  }
  const skipped = isWhole && misfits <= missingMax ? await loadSkipped(call, misfits) : null;
  if (skipped) return { ...skipped, rowsIn: rowsOut + misfits, rowsOut };
  await Deno.remove(call.path);
  return null;
}

/** Is a row the header again? Only among texts can it look right. */
async function hasHeaderRow({ source, targets, path, read }: LoadCall): Promise<boolean> {
  const { headerTexts } = source;
  const found = targets.filter(({ origin }) => origin.kind === "column");
  if (!headerTexts || found.length === 0) return false;
  if (found.some(({ type }) => type.kind !== "text")) return false;
  const tests = found.map(({ name, origin }) =>
    `${ident(name)} = ${literal(headerTexts[(origin as { index: number }).index])}`
  );
  const { rows } = await read.engine.run(
    `SELECT count(*) FROM read_parquet(${literal(path)}) WHERE ${tests.join(" AND ")}`,
    { rowsMax: 1 },
  );
  return Number(rows[0][0]) > 0;
}

/** Has the file, but for its last column, a column with nulls, or one that was not written? */
async function mayBeShifted({ source, targets, path, read }: LoadCall): Promise<boolean> {
  const written = new Set(
    targets.flatMap(({ name, origin }) =>
      origin.kind === "column" && origin.index < source.columns.length - 1 ? [name] : []
    ),
  );
  const inner = source.columns.length - 1;
  const origins = new Set(
    targets.flatMap(({ origin }) => origin.kind === "column" ? [origin.index] : []),
  );
  origins.delete(inner);
  if (origins.size < inner) return true;
  const { rows } = await read.engine.run(
    `SELECT count(*) FROM parquet_metadata(${literal(path)}) ` +
      `WHERE coalesce(stats_null_count, 1) > 0 ` +
      `AND list_contains(${literals([...written])}, split_part(path_in_schema, ', ', 1))`,
    { rowsMax: 1 },
  );
  return Number(rows[0][0]) > 0;
}

/**
 * What is good was written already: find the few rows that are not, and their ordinals. Null when
 * they are others than were counted: texts of several lines count until they are looked into.
 */
async function loadSkipped(
  call: LoadCall,
  misfits: number,
): Promise<Omit<LoadResult, "rowsIn" | "rowsOut"> | null> {
  const { numbered } = call.source;
  if (!numbered) return null;
  const plan = planOf(call, numbered);
  const refused: RefusedRow[] = [];
  const refuse = (row: RefusedRow) => Promise.resolve(void refused.push(row));
  const found = await refuseRows({ ...call.read, refuse }, plan, conversionSql(plan));
  if (found.misfits !== misfits) return null;
  for (const row of refused) await call.read.refuse(row);
  const missing = refused.map(({ row }) => row!);
  return { ...found, provenance: { ...call.origin, missing } };
}

async function loadCareful(call: LoadCall): Promise<LoadResult> {
  const { format, read, origin } = call;
  let refused = call.refusedBefore;
  const refuse: ReadCall["refuse"] = (row) => {
    refused++;
    return read.refuse(row);
  };
  const source = call.source.position === "carried"
    ? call.source
    : await format.read({ ...read, refuse, options: withPatterns(call), isCareful: true });
  const plan = planOf(call, source);
  const sql = conversionSql(plan);
  const { misfits, misfitTargets } = await refuseRows({ ...read, refuse }, plan, sql).catch(
    (error) => {
      throw broken(call, error);
    },
  );
  const test = `CASE WHEN ${sql.fast} THEN true ELSE ${sql.exact} END`;
  const good = `SELECT * EXCLUDE (_tw_row, _tw_offset, _tw_at, _tw_bytes), ` +
    `${literal(origin.source)} AS _tw_source, ${literal(origin.file)} AS _tw_file, ` +
    `_tw_row, _tw_offset FROM (${sql.good(`WHERE ${test}`)})`;
  const { rowsChanged: rowsOut } = await read.engine.run(good, {
    to: { path: call.path, format: "parquet" },
  }).catch((error) => {
    throw broken(call, error);
  });
  if (source.declaredRows !== undefined && source.declaredRows !== rowsOut + misfits) {
    throw new AppError(
      "CORRUPT",
      `Cannot convert ${read.file.name}: of ${source.declaredRows} rows ${rowsOut} were written ` +
        `and ${misfits} refused; the file changed while it was read`,
    );
  }
  const rowsIn = rowsOut + refused;
  return { rowsIn, rowsOut, misfits, provenance: null, misfitTargets };
}

function planOf(call: LoadCall, source: RowSource): ConversionPlan {
  return {
    source,
    targets: call.targets,
    extras: call.extras,
    style: call.style,
    nullTokens: call.read.options.nullTokens,
    checksLines: source.position === "implied" && source.isQuoted === true,
  };
}

function withPatterns(call: LoadCall): ReadCall["options"] {
  const plausible: (RegExp | null)[] = call.source.columns.map(() => null);
  for (const target of call.targets) {
    const { origin } = target;
    if (origin.kind === "column") plausible[origin.index] = plausiblePattern(target);
  }
  return { ...call.read.options, plausible };
}

function broken({ read: { file }, source }: LoadCall, error: unknown): unknown {
  if (hasCode(error, "LIMIT_EXCEEDED") && source.columns.length >= MANY_COLUMNS) {
    return new AppError(
      "LIMIT_EXCEEDED",
      `Cannot convert ${file.name}: its ${source.columns.length} columns need more memory than ` +
        `the engine has; give the task more, or declare the columns that are wanted as the schema ` +
        `and ignore: ["*"]`,
      { cause: error },
    );
  }
  if (!hasCode(error, "CORRUPT") && !hasCode(error, "INVALID")) return error;
  return new AppError("CORRUPT", `Cannot read ${file.name}: ${messageOf(error).split("\n")[0]}`, {
    cause: error,
  });
}
