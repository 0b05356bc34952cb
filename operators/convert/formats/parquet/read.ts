/** @module Parquet. */
import { AppError, hasCode, messageOf } from "../../../../src/model/errors.ts";
import { columnType } from "../../../table/column_type.ts";
import { ident, literal } from "../../../table/sql.ts";
import type { ReadCall, RowSource } from "../format.ts";
import { OffsetError } from "../offset_window.ts";
import { type Footer, type ParquetNode, readFooter } from "./footer.ts";
import { isMapWithoutValues, isWideDecimal, type Meaning, meaningOf } from "./leaves.ts";
import { rowsOf } from "./pages.ts";
import { relabel } from "./relabel.ts";
import { int96Digits, rewrite } from "./rewrite.ts";
import { typeSeen } from "./type_seen.ts";
import { verify } from "./verify.ts";

/** Read it by the engine, where need be from a copy that it reads exactly. */
export async function readParquet(call: ReadCall): Promise<RowSource> {
  const { file, signal } = call;
  try {
    return await readChecked(call);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof OffsetError) {
      throw new AppError(
        "CORRUPT",
        `Cannot read ${file.name} as Parquet: ${error.message}, at offset ${error.offset}`,
        { cause: error, detail: { offset: error.offset } },
      );
    }
    // What the engine says of a file that it cannot read is INVALID or CORRUPT.
    if (!hasCode(error, "INVALID") && !hasCode(error, "CORRUPT")) throw error;
    throw new AppError(
      "CORRUPT",
      `Cannot read ${file.name} as Parquet: ${messageOf(error).split("\n")[0]}; ` +
        `it is damaged or of another format`,
      { cause: error },
    );
  }
}

/** A file that the engine reads exactly, and what its columns mean. */
interface Readable {
  path: string;
  /** Of its timestamps of nanoseconds, in the order of the leaves. */
  nanos: Meaning[];
}

async function readChecked(call: ReadCall): Promise<RowSource> {
  const { file, engine, isCareful, signal } = call;
  const footer = await readFooter(file.path);
  using open = await Deno.open(file.path);
  await verify(open, footer, signal);
  let readable = await madeReadable(open, footer, call);
  const describe = async () =>
    (await engine.run(`SELECT * FROM read_parquet(${literal(readable.path)})`)).columns;
  const columns = await describe().catch(async (error) => {
    if (!hasCode(error, "INVALID") || readable.path !== file.path) throw error;
    readable = await rewritten(open, footer, call, "TIMESTAMP");
    return await describe();
  });
  const path = literal(readable.path);
  const seen = columnsSeen(columns, readable.nanos);
  const selected = seen.map(({ sql }, i) => `${sql} AS c${i}`).join(", ");
  const source: RowSource = {
    columns: seen.map(({ name, type }) => ({ name, type })),
    relation: `SELECT ${selected} FROM read_parquet(${path})`,
    position: "implied",
    leftOut: () => Promise.resolve(0),
    declaredRows: rowsOf(footer),
    isTyped: true,
    hasNulls: false,
  };
  const nowhere = ["_tw_offset", "_tw_at", "_tw_bytes"].map((name) => `NULL::BIGINT AS ${name}`);
  const numbered: RowSource = {
    ...source,
    relation: `SELECT ${selected}, file_row_number + 1 AS _tw_row, ${nowhere.join(", ")} ` +
      `FROM read_parquet(${path}, file_row_number = true)`,
    position: "carried",
  };
  return isCareful ? numbered : { ...source, numbered };
}

function columnsSeen(
  columns: readonly { name: string; type: string }[],
  nanos: readonly Meaning[],
): { name: string; type: string; sql: string }[] {
  const left = [...nanos];
  return columns.map(({ name, type }) => {
    const seen = typeSeen(type, left);
    const column = ident(name);
    if (/^GEOMETRY\b/.test(type)) return { name, type: "BLOB", sql: `ST_AsWKB(${column})` };
    try {
      const { sql } = columnType(seen);
      return { name, type: seen, sql: sql === type ? column : `${column}::${sql}` };
    } catch {
      return { name, type: "VARCHAR", sql: `${column}::VARCHAR` };
    }
  });
}

async function madeReadable(
  open: Deno.FsFile,
  footer: Footer,
  call: ReadCall,
): Promise<Readable> {
  const { file, signal } = call;
  const { leaves, root } = footer;
  if (leaves.some(({ element }) => element.type === "INT96")) {
    const { hasNanos, isFar } = await int96Digits(open, footer, signal);
    if (hasNanos && isFar) {
      throw new OffsetError(
        "its timestamps of 96 bits go past the years 1677 to 2262 and to the nanosecond: no type holds both",
        0,
      );
    }
    if (hasNanos) return await rewritten(open, footer, call, "TIMESTAMP_NS");
    // The engine counts wrongly that far off.
    if (isFar) return await rewritten(open, footer, call, "TIMESTAMP");
  }
  if (isPastEngine(footer) || hasMapWithoutValues(root)) {
    return await rewritten(open, footer, call, "TIMESTAMP");
  }
  const nanos = nanosOf(leaves);
  if (nanos.every((meaning) => meaning === null)) return { path: file.path, nanos };
  const path = call.tempPath("relabelled.parquet");
  await relabel(file.path, footer, path);
  return { path, nanos };
}

async function rewritten(
  open: Deno.FsFile,
  footer: Footer,
  call: ReadCall,
  int96: "TIMESTAMP" | "TIMESTAMP_NS",
): Promise<Readable> {
  const path = call.tempPath("rewritten.parquet");
  await rewrite(open, footer, path, { int96, signal: call.signal });
  const leaves = footer.leaves;
  return { path, nanos: nanosOf(leaves, int96 === "TIMESTAMP_NS") };
}

/** Codecs, encodings and types that the engine does not read, or not exactly. */
function isPastEngine({ metadata, leaves }: Footer): boolean {
  const isWide = leaves.some(({ element }) =>
    isWideDecimal(element) || element.converted_type === "INTERVAL"
  );
  return isWide ||
    metadata.row_groups.some((group) =>
      group.columns.some(({ meta_data: meta }) =>
        meta && (meta.codec === "LZ4" || (meta.encodings.includes("BYTE_STREAM_SPLIT") &&
          meta.type !== "FLOAT" && meta.type !== "DOUBLE"))
      )
    );
}

function hasMapWithoutValues(node: ParquetNode): boolean {
  return isMapWithoutValues(node) || node.children.some(hasMapWithoutValues);
}

/** Meanings of the leaves that the engine sees as TIMESTAMP_NS. */
function nanosOf(leaves: readonly ParquetNode[], isInt96Nanos = false): Meaning[] {
  return leaves.flatMap(({ element }) => {
    const { logical_type: logical, type } = element;
    const isNanos = logical?.type === "TIMESTAMP" && logical.unit === "NANOS";
    const meaning = meaningOf(element);
    return isNanos || meaning !== null || (isInt96Nanos && type === "INT96") ? [meaning] : [];
  });
}
