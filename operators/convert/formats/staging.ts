/**
 * @module Rows that TypeScript decoded, made readable for SQL: columns with their own types in a
 * Parquet file of the work folder, written as they come and never held whole.
 */
import type { SchemaElement } from "hyparquet";
import { columnType } from "../../table/column_type.ts";
import { literal } from "../../table/sql.ts";
import type { ReadCall, RowSource } from "./format.ts";
import { StagedFile } from "./staged_file.ts";
import type { StagedBudget } from "./staged_leaf.ts";
import { nodeOf, type StagedNode, writerOf, type WriteValue } from "./staged_node.ts";
import { isRecast, schemaOf, sqlOf, type StagedType } from "./staged_type.ts";

/** A column to be staged. */
export interface StagedColumn {
  /** As in the file. */
  name: string;
  type: StagedType;
  /** Of VARCHAR: see {@link ./format.ts#SourceColumn}. */
  isLoose?: boolean;
}

/** Where a record lies in the file that was read. */
export interface RecordPosition {
  /** Ordinal of the record in the file, from 1; refused ones count. */
  row: number;
  /** In bytes; null where the format has none, as within a compressed block. */
  offset: number | null;
  bytes: number | null;
}

/** Values of one column, a row each: an array, or a typed array where no value is null. */
export type StagedValues =
  | readonly unknown[]
  | BigInt64Array
  | Float64Array
  | Float32Array
  | Int32Array
  | StagedTexts;

/** Texts of a VARCHAR or BLOB column as pieces of one array, so that none of them is an object. */
export class StagedTexts {
  readonly bytes: Uint8Array;
  /** Where each text begins and ends; of those that are there. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** By row 1, or 0 for null; null: all are there. */
  readonly isThere: Uint8Array | null;

  constructor(
    { bytes, starts, ends, isThere = null }:
      & Pick<StagedTexts, "bytes" | "starts" | "ends">
      & { isThere?: Uint8Array | null },
  ) {
    this.bytes = bytes;
    this.starts = starts;
    this.ends = ends;
    this.isThere = isThere;
  }

  /** The same texts, for rows of which some have none. */
  amongNulls(isThere: Uint8Array): StagedTexts {
    return new StagedTexts({ ...this, isThere });
  }

  /** A value a row. */
  values(): (Uint8Array | null)[] {
    let next = 0;
    const text = () => this.bytes.subarray(this.starts[next], this.ends[next++]);
    if (this.isThere === null) return Array.from(this.starts, text);
    return Array.from(this.isThere, (there) => there === 1 ? text() : null);
  }
}

/** Options of {@link TableStage}. */
export interface StageOptions {
  /**
   * Rows carry their {@link RecordPosition}: needed where single records may be refused, or have an
   * offset to tell. Without, the n-th row is the n-th record, and reading is cheaper: a format that
   * refuses no single record gives `isCareful` of the call.
   */
  isPositioned: boolean;
}

/** Rows of a row group: what the engine likes best. */
const GROUP_ROWS = 122_880;
/** Bytes of texts, blobs and nested values in one. */
const GROUP_BYTES = 32 * 1024 * 1024;
/** Rows between two looks at the signal. */
const SIGNAL_ROWS = 4_096;

const positionColumns = [
  { name: "_tw_row", type: "BIGINT" },
  { name: "_tw_at", type: "BIGINT" },
  { name: "_tw_bytes", type: "BIGINT" },
] as const;

/**
 * Takes rows or columns and makes a {@link RowSource} of them. Values by type: see
 * {@link ./staged_type.ts#StagedType}. Throws RangeError for a value that is none of its column's
 * type: a decoder checks before it stages.
 */
export class TableStage {
  readonly #call: ReadCall;
  readonly #columns: readonly StagedColumn[];
  readonly #options: StageOptions;
  readonly #path: string;
  readonly #file: StagedFile;
  readonly #budget: StagedBudget = { bytes: 0 };
  readonly #nodes: StagedNode[];
  readonly #writers: WriteValue[];
  #pending = 0;
  #rows = 0;

  constructor(call: ReadCall, columns: readonly StagedColumn[], options: StageOptions) {
    this.#call = call;
    this.#columns = columns;
    this.#options = options;
    this.#path = call.tempPath("staged.parquet");
    const positions: StagedColumn[] = options.isPositioned ? [...positionColumns] : [];
    const all = [
      ...columns.map(({ type }, i) => ({ name: `c${i}`, type })),
      ...positions,
    ];
    const schema: SchemaElement[] = [
      { name: "rows", num_children: all.length },
      ...all.flatMap(({ name, type }) => schemaOf(name, type)),
    ];
    this.#nodes = all.map(({ type }) => nodeOf(type, { def: 0, rep: 0, budget: this.#budget }));
    this.#writers = this.#nodes.map(writerOf);
    this.#file = new StagedFile(this.#path, schema, this.#nodes.flatMap(({ leaves }) => leaves));
  }

  /** Rows until now. */
  get rows(): number {
    return this.#rows;
  }

  /** Trees of the columns, for a decoder that writes into them itself; see {@link endRows}. */
  get nodes(): readonly StagedNode[] {
    return this.#nodes;
  }

  /** One row: a value a column, null for none. */
  add(values: readonly unknown[], position?: RecordPosition): void {
    const width = this.#columns.length;
    const writers = this.#writers;
    for (let i = 0; i < width; i++) writers[i](values[i], 0);
    this.endRow(position);
  }

  /** Say that one more row is in {@link nodes}. */
  endRow(position?: RecordPosition): void {
    if (this.#options.isPositioned) this.#addPosition(position!, this.#columns.length);
    this.endRows(1);
  }

  /** Many rows by column; only where rows carry no position. The arrays may be used again. */
  addColumns(columns: readonly StagedValues[], rows: number): void {
    for (const [i, values] of columns.entries()) {
      const node = this.#nodes[i];
      if (ArrayBuffer.isView(values) && node.kind === "leaf" && isStored(node.type, values)) {
        const { buffer, byteOffset } = values;
        const size = rows * values.BYTES_PER_ELEMENT;
        node.leaf.slotsOfMany(rows);
        node.leaf.raw(new Uint8Array(buffer, byteOffset, size));
        continue;
      }
      if (values instanceof StagedTexts) {
        addTexts(values, node);
        continue;
      }
      const write = this.#writers[i];
      for (let row = 0; row < rows; row++) write(values[row], 0);
    }
    this.endRows(rows);
  }

  /** Say that so many more rows are in {@link nodes}; only where rows carry no position. */
  endRows(rows: number): void {
    this.#pending += rows;
    this.#rows += rows;
    if (this.#pending % SIGNAL_ROWS === 0) this.#call.signal.throwIfAborted();
    if (this.#pending >= GROUP_ROWS || this.#budget.bytes >= GROUP_BYTES) this.#flush();
  }

  /** The rows, once all were added. */
  finish(): RowSource {
    this.#flush();
    this.#file.finish();
    const { isPositioned } = this.#options;
    const offset = this.#call.file.isAsCollected ? "_tw_at" : "NULL::BIGINT";
    const selected = [
      ...this.#columns.map(({ type }, i) =>
        isRecast(type) ? `c${i}::${columnType(sqlOf(type)).sql} AS c${i}` : `c${i}`
      ),
      ...(isPositioned ? ["_tw_row", `${offset} AS _tw_offset`, "_tw_at", "_tw_bytes"] : []),
    ];
    const source: RowSource = {
      columns: this.#columns.map(({ name, type, isLoose }) => ({
        name,
        type: sqlOf(type),
        isLoose,
      })),
      relation: `SELECT ${selected.join(", ")} FROM read_parquet(${literal(this.#path)})`,
      position: isPositioned ? "carried" : "implied",
      leftOut: () => Promise.resolve(0),
      declaredRows: this.#rows,
      isTyped: true,
      hasNulls: true,
    };
    return isPositioned
      ? { ...source, position: "carried" }
      : { ...source, numbered: this.#numbered(source, selected) };
  }

  /** The same rows by their ordinals: the n-th is the n-th record. */
  #numbered(source: RowSource, selected: readonly string[]): RowSource {
    const nowhere = ["_tw_offset", "_tw_at", "_tw_bytes"].map((name) => `NULL::BIGINT AS ${name}`);
    const all = [...selected, "file_row_number + 1 AS _tw_row", ...nowhere];
    return {
      ...source,
      relation: `SELECT ${all.join(", ")} FROM read_parquet(${
        literal(this.#path)
      }, file_row_number = true)`,
      position: "carried",
    };
  }

  #addPosition({ row, offset, bytes }: RecordPosition, at: number): void {
    this.#writers[at](BigInt(row), 0);
    this.#writers[at + 1](offset === null ? null : BigInt(offset), 0);
    this.#writers[at + 2](bytes === null ? null : BigInt(bytes), 0);
  }

  #flush(): void {
    if (this.#pending === 0) return;
    this.#call.signal.throwIfAborted();
    this.#file.writeGroup(this.#pending);
    this.#pending = 0;
    this.#budget.bytes = 0;
  }
}

function addTexts({ bytes, starts, ends, isThere }: StagedTexts, node: StagedNode): void {
  const { leaf, nullDef } = node as Extract<StagedNode, { kind: "leaf" }>;
  if (isThere === null) leaf.slotsOfMany(starts.length);
  else for (let row = 0; row < isThere.length; row++) leaf.slot(0, nullDef + isThere[row]);
  for (let i = 0; i < starts.length; i++) leaf.bytes(bytes, starts[i], ends[i]);
}

/** Is a typed array what the column's values are in the file? */
function isStored(type: StagedType, values: ArrayBufferView): boolean {
  if (typeof type !== "string") return false;
  if (values instanceof Float64Array) return type === "DOUBLE";
  if (values instanceof Float32Array) return type === "FLOAT";
  if (values instanceof Int32Array) return type === "INTEGER" || type === "DATE";
  return values instanceof BigInt64Array &&
    /^(BIGINT|TIME|TIME_NS|TIMESTAMP(_MS|_NS)?( WITH TIME ZONE)?)$/.test(type);
}
