/** @module A Parquet file of staged columns: one plain page a column and row group. */
import { writeAllSync } from "../../table/write_all.ts";
import { ByteWriter } from "hyparquet-writer";
import type { ColumnMetaData, FileMetaData, RowGroup, SchemaElement } from "hyparquet";
import { writeMetadata } from "hyparquet-writer/src/metadata.js";
import { serializeTCompactProtocol } from "hyparquet-writer/src/thrift.js";
import type { Leaf } from "./staged_leaf.ts";

const MAGIC = new TextEncoder().encode("PAR1");

interface LeafColumn {
  leaf: Leaf;
  type: NonNullable<SchemaElement["type"]>;
  path: string[];
}

/** Written as row groups come; the engine beside it reads it once. */
export class StagedFile {
  readonly #path: string;
  readonly #schema: SchemaElement[];
  readonly #columns: LeafColumn[];
  readonly #groups: RowGroup[] = [];
  #open: RowGroup["columns"] = [];
  #offset = 0;
  #rows = 0;

  /** `schema` has the root first; its ends are the leaves, in order. */
  constructor(path: string, schema: SchemaElement[], leaves: readonly Leaf[]) {
    this.#path = path;
    this.#schema = schema;
    this.#columns = leafPaths(schema).map(({ type, path }, i) => ({ leaf: leaves[i], type, path }));
    Deno.writeFileSync(path, MAGIC, { createNew: true });
    this.#offset = MAGIC.length;
  }

  /** Write what the leaves hold as a row group. */
  writeGroup(rows: number): void {
    this.startGroup();
    for (const { leaf } of this.#columns) this.writeLeaf(leaf);
    this.endGroup(rows);
  }

  /** Begin a row group whose leaves are written one after the other, in order. */
  startGroup(): void {
    this.#open = [];
  }

  /** Write what the next leaf holds. */
  writeLeaf(leaf: Leaf): void {
    const column = this.#columns[this.#open.length];
    if (column?.leaf !== leaf) throw new Error("leaves are not written in their order");
    using file = this.#append();
    const meta_data = this.#writeColumn(file, column);
    this.#open.push({ file_offset: meta_data.data_page_offset, meta_data });
  }

  /** End a row group, all of whose leaves are written. */
  endGroup(rows: number): void {
    const bytes = this.#open.reduce(
      (sum, { meta_data }) => sum + meta_data!.total_compressed_size,
      0n,
    );
    this.#groups.push({ columns: this.#open, total_byte_size: bytes, num_rows: BigInt(rows) });
    this.#rows += rows;
  }

  /** Write the footer and close. */
  finish(): void {
    const footer = new ByteWriter();
    const metadata: FileMetaData = {
      version: 2,
      schema: this.#schema,
      num_rows: BigInt(this.#rows),
      row_groups: this.#groups,
      metadata_length: 0,
    };
    writeMetadata(footer, metadata);
    using file = this.#append();
    this.#write(file, footer.getBytes());
    this.#write(file, MAGIC);
  }

  /** Opened each time: a reader that throws leaves nothing open. */
  #append(): Deno.FsFile {
    return Deno.openSync(this.#path, { append: true });
  }

  #writeColumn(file: Deno.FsFile, { leaf, type, path }: LeafColumn): ColumnMetaData {
    const start = this.#offset;
    const { parts, slots } = leaf.take();
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    const header = new ByteWriter(64);
    serializeTCompactProtocol(header, {
      field_1: 0,
      field_2: size,
      field_3: size,
      field_5: { field_1: slots, field_2: 0, field_3: 3, field_4: 3 },
    });
    this.#write(file, header.getBytes());
    for (const part of parts) this.#write(file, part);
    const bytes = BigInt(this.#offset - start);
    return {
      type,
      encodings: ["PLAIN", "RLE"],
      path_in_schema: path,
      codec: "UNCOMPRESSED",
      num_values: BigInt(slots),
      total_uncompressed_size: bytes,
      total_compressed_size: bytes,
      data_page_offset: BigInt(start),
    };
  }

  #write(file: Deno.FsFile, bytes: Uint8Array): void {
    this.#offset += bytes.length;
    writeAllSync(file, bytes);
  }
}

function leafPaths(schema: readonly SchemaElement[]): Omit<LeafColumn, "leaf">[] {
  const found: Omit<LeafColumn, "leaf">[] = [];
  let at = 0;
  const walk = (path: string[]) => {
    const { type, name, num_children = 0 } = schema[at++];
    const own = [...path, name];
    if (type !== undefined) found.push({ type, path: own });
    for (let i = 0; i < num_children; i++) walk(own);
  };
  for (let i = 0, root = schema[at++]; i < root.num_children!; i++) walk([]);
  return found;
}
