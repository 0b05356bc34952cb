/**
 * @module Rows that TypeScript decoded, made readable for SQL: columns with their own types in a
 * Parquet file of the work folder, written as they come and never held whole.
 */
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { SchemaElement } from "hyparquet";
import { literal } from "../../table/sql.ts";
import type { ReadCall, RowSource } from "./format.ts";
import { schemaOf, sqlOf, type StagedType } from "./staged_type.ts";

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
  | Int32Array;

/** Options of {@link TableStage}. */
export interface StageOptions {
  /**
   * Rows carry their {@link RecordPosition}: needed where single records may be refused, or have an
   * offset to tell. Without, the n-th row is the n-th record, and reading is cheaper: a format that
   * refuses no single record gives `isCareful` of the call.
   */
  isPositioned: boolean;
}

const GROUP_ROWS = 65_536;
/** Of texts, bytes and nested values, as they are estimated. */
const GROUP_BYTES = 32 * 1024 * 1024;

const positionColumns = [
  { name: "_tw_row", type: "BIGINT" },
  { name: "_tw_at", type: "BIGINT" },
  { name: "_tw_bytes", type: "BIGINT" },
] as const;

/**
 * Takes rows or columns and makes a {@link RowSource} of them. Values by type: see
 * {@link ./staged_type.ts#StagedType}. Throws RangeError or Error for a value that is none of its
 * column's type: a decoder checks before it stages.
 */
export class TableStage {
  readonly #call: ReadCall;
  readonly #columns: readonly StagedColumn[];
  readonly #options: StageOptions;
  readonly #path: string;
  readonly #bytes = new ByteWriter(1 << 20);
  readonly #parquet: ParquetWriter;
  #pending: unknown[][];
  #pendingBytes = 0;
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
    this.#parquet = new ParquetWriter({ writer: this.#bytes, schema, ...plainly });
    this.#pending = all.map(() => []);
  }

  /** Rows until now. */
  get rows(): number {
    return this.#rows;
  }

  /** One row: a value a column, null for none. */
  add(values: readonly unknown[], position?: RecordPosition): void {
    const width = this.#columns.length;
    for (let i = 0; i < width; i++) {
      const value = values[i] ?? null;
      this.#pending[i].push(value);
      this.#pendingBytes += sizeOf(value);
    }
    if (this.#options.isPositioned) this.#addPosition(position!, width);
    this.#rows++;
    if (this.#pending[0].length >= GROUP_ROWS || this.#pendingBytes >= GROUP_BYTES) this.#flush();
  }

  /** Many rows by column; only where rows carry no position. The arrays may be used again. */
  addColumns(columns: readonly StagedValues[], rows: number): void {
    this.#flush();
    this.#writeGroup(columns, rows);
    this.#rows += rows;
  }

  /** The rows, once all were added. */
  finish(): RowSource {
    this.#flush();
    this.#parquet.finish();
    this.#drain();
    const { isPositioned } = this.#options;
    const offset = this.#call.file.isAsCollected ? "_tw_at" : "NULL::BIGINT";
    const selected = [
      ...this.#columns.map(({ type }, i) => type === "JSON" ? `c${i}::JSON AS c${i}` : `c${i}`),
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
    return isPositioned ? source : { ...source, numbered: this.#numbered(source, selected) };
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
    this.#pending[at].push(BigInt(row));
    this.#pending[at + 1].push(offset === null ? null : BigInt(offset));
    this.#pending[at + 2].push(bytes === null ? null : BigInt(bytes));
  }

  #flush(): void {
    const rows = this.#pending[0]?.length ?? 0;
    if (rows === 0) return;
    this.#writeGroup(this.#pending, rows);
    for (const column of this.#pending) column.length = 0;
    this.#pendingBytes = 0;
  }

  #writeGroup(columns: readonly StagedValues[], rows: number): void {
    this.#call.signal.throwIfAborted();
    const named = columns.map((data, i) => ({
      name: i < this.#columns.length ? `c${i}` : positionColumns[i - this.#columns.length].name,
      data: data as unknown[],
      encoding: "PLAIN" as const,
    }));
    this.#parquet.write({ columnData: named, rowGroupSize: rows, ...plainly });
    this.#drain();
  }

  #drain(): void {
    // Opened each time: a reader that throws leaves nothing open.
    Deno.writeFileSync(this.#path, this.#bytes.getBytes(), { append: true });
    this.#bytes.index = 0;
  }
}

/** A staged file is read once, by the engine beside it. */
const plainly = { codec: "UNCOMPRESSED", statistics: false } as const;

function sizeOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== "object" || value === null) return 8;
  if (Array.isArray(value)) return value.reduce((sum: number, each) => sum + sizeOf(each), 16);
  return Object.values(value).reduce((sum: number, each) => sum + sizeOf(each), 16);
}
