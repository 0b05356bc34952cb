/** @module Pages of a column chunk, with their levels checked. */
import type { ColumnMetaData, PageHeader, SchemaTree } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { decompressPage } from "hyparquet/src/datapage.js";
import { readRleBitPackedHybrid } from "hyparquet/src/encoding.js";
import { OffsetError } from "../offset_window.ts";
import { compressors } from "./codecs.ts";
import { type Footer, type ParquetNode, readAt } from "./footer.ts";

/** First bytes of a page that are taken for its header; longer headers are taken anew. */
const HEADER_BYTES = 512;
const HEADER_MAX = 16 * 1024 * 1024;
/** A page may become this large, and no larger, where it is decompressed here. */
export const pageBytesMax = 1024 * 1024 * 1024;

/** A chunk of a column. */
export interface Chunk {
  node: ParquetNode;
  meta: ColumnMetaData;
  rows: number;
  start: number;
  /** No page of it goes further. */
  end: number;
}

/** Rows of a file, as its row groups say. */
export function rowsOf({ metadata }: Footer): number {
  return metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
}

/** A page in its place. */
export interface Page {
  header: PageHeader;
  /** Of the page's content. */
  offset: number;
  /** Of data pages. */
  values: number;
}

/** All chunks, by row group. Throws {@link OffsetError} for those that cannot be. */
export function chunksOf(footer: Footer): Chunk[][] {
  const { metadata, leaves, offset } = footer;
  const refuse = (message: string) => {
    throw new OffsetError(`its footer is wrong: ${message}`, offset);
  };
  const groups = metadata.row_groups.map((group, g) => {
    const rows = Number(group.num_rows);
    if (rows < 0) refuse(`row group ${g} has ${rows} rows`);
    if (group.columns.length !== leaves.length) {
      refuse(`row group ${g} has ${group.columns.length} columns, the schema ${leaves.length}`);
    }
    return group.columns.map(({ meta_data: meta, file_path, crypto_metadata }, i): Chunk => {
      const node = leaves[i];
      const name = node.path.join(".");
      if (crypto_metadata || !meta) {
        throw new OffsetError(`column ${name} is encrypted, and there is no key for it`, offset);
      }
      if (file_path) refuse(`column ${name} is in another file`);
      if (meta.type !== node.element.type) {
        refuse(`column ${name} is ${node.element.type} in the schema and ${meta.type} in a chunk`);
      }
      const dictionary = Number(meta.dictionary_page_offset ?? 0);
      const data = Number(meta.data_page_offset);
      const start = dictionary > 0 && dictionary < data ? dictionary : data;
      const end = start + Number(meta.total_compressed_size);
      // A chunk without values may be nowhere.
      if (!(start >= 4 && end >= start && end <= offset) && Number(meta.num_values) !== 0) {
        refuse(`column ${name} goes from byte ${start} to ${end}, outside of the data`);
      }
      // Some writers do not count a dictionary to its chunk, so only the footer ends it for sure.
      return { node, meta, rows, start, end: offset };
    });
  });
  const rows = rowsOf(footer);
  // Some writers count no rows of the whole file.
  if (rows !== Number(metadata.num_rows) && Number(metadata.num_rows) !== 0) {
    refuse(`it has ${metadata.num_rows} rows, its row groups ${rows}`);
  }
  return groups;
}

/** Pages of a chunk, without their content. Throws {@link OffsetError}. */
export function* pagesOf(file: Deno.FsFile, chunk: Chunk): Generator<Page> {
  const want = Number(chunk.meta.num_values);
  let values = 0;
  let at = chunk.start;
  while (values < want) {
    const { header, length } = headerAt(file, at, chunk.end);
    const size = header.compressed_page_size;
    const offset = at + length;
    if (!(size >= 0 && header.uncompressed_page_size >= 0 && size <= chunk.end - offset)) {
      throw new OffsetError(`a page says that it has ${size} bytes`, at);
    }
    const data = header.data_page_header ?? header.data_page_header_v2;
    const count = data?.num_values ?? 0;
    if (count < 0 || (header.dictionary_page_header?.num_values ?? 0) < 0) {
      throw new OffsetError("a page says that it has fewer values than none", at);
    }
    yield { header, offset, values: count };
    values += count;
    at = offset + size;
  }
  const name = chunk.node.path.join(".");
  if (values !== want) {
    throw new OffsetError(`column ${name} has ${values} values, its footer says ${want}`, at);
  }
  if (chunk.node.rep === 0 && values !== chunk.rows) {
    throw new OffsetError(`column ${name} has ${values} values for ${chunk.rows} rows`, at);
  }
}

function headerAt(
  file: Deno.FsFile,
  at: number,
  end: number,
): { header: PageHeader; length: number } {
  for (let bytes = HEADER_BYTES;; bytes *= 8) {
    if (at >= end) throw new OffsetError("a column ends before its last value", at);
    const head = readAt(file, at, Math.min(bytes, end - at));
    const reader = { view: new DataView(head.buffer), offset: 0 };
    try {
      const header = parquetHeader(reader);
      if (header.type === undefined) throw new Error("it is of an unknown kind");
      return { header, length: reader.offset };
    } catch (error) {
      if (head.length === end - at || bytes >= HEADER_MAX) {
        throw new OffsetError(`the header of a page is damaged: ${(error as Error).message}`, at, {
          cause: error,
        });
      }
    }
  }
}

/** A page's content, as far as it is compressed, decompressed. */
export function contentOf(
  file: Deno.FsFile,
  { header, offset }: Page,
  { codec }: ColumnMetaData,
): Uint8Array {
  const packed = readAt(file, offset, header.compressed_page_size);
  if (header.data_page_header_v2) return packed;
  const size = header.uncompressed_page_size;
  if (size > pageBytesMax) {
    throw new OffsetError(`a page of ${packed.length} bytes says that it becomes ${size}`, offset);
  }
  try {
    return decompressPage(packed, size, codec, compressors);
  } catch (error) {
    throw new OffsetError(`a page cannot be decompressed: ${(error as Error).message}`, offset, {
      cause: error,
    });
  }
}

/** The path of a column as the library wants it. */
export function schemaPathOf(root: ParquetNode, leaf: ParquetNode): SchemaTree[] {
  const path = [root];
  for (const name of leaf.path) {
    const next = path.at(-1)!.children.find(({ element }) => element.name === name);
    if (!next) throw new Error(`no column ${leaf.path.join(".")}`);
    path.push(next);
  }
  return path.map((node) => ({
    children: [],
    count: 1,
    element: node.element,
    path: node.path,
  }));
}

/** Checks that lists begin where rows do, and that there are as many as rows. */
export class RowCounter {
  #rows = 0;
  readonly #chunk: Chunk;

  constructor(chunk: Chunk) {
    this.#chunk = chunk;
  }

  add(reps: ArrayLike<number>, values: number, offset: number): void {
    const { node } = this.#chunk;
    if (reps.length !== values) this.#fail(`${reps.length} levels for ${values} values`, offset);
    if (this.#rows === 0 && values > 0 && reps[0] !== 0) {
      this.#fail("a list that goes on before one began", offset);
    }
    for (let i = 0; i < values; i++) {
      const rep = reps[i];
      if (rep === 0) this.#rows++;
      else if (!(rep <= node.rep)) this.#fail(`the repetition level ${rep}`, offset);
    }
  }

  finish(): void {
    const { rows, start } = this.#chunk;
    if (this.#rows !== rows) this.#fail(`${this.#rows} rows, its row group ${rows}`, start);
  }

  #fail(what: string, offset: number): never {
    throw new OffsetError(`column ${this.#chunk.node.path.join(".")} has ${what}`, offset);
  }
}

/** Repetition and definition levels of a page. Throws {@link OffsetError} where they are too few. */
export function levelsOf(
  content: Uint8Array,
  { header, values, offset }: Page,
  { rep, def }: ParquetNode,
): { reps: number[]; defs: number[] } {
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  const reader = { view, offset: 0 };
  const v2 = header.data_page_header_v2;
  const read = (max: number, length: number | undefined): number[] => {
    if (max === 0) return [];
    const own = length ?? view.getUint32(reader.offset, true) + 4;
    const end = reader.offset + own;
    if (end > content.length) throw new Error("levels go past their page");
    const levels: number[] = new Array(values);
    const part = new DataView(content.buffer, content.byteOffset, end);
    const within = { view: part, offset: reader.offset + (length === undefined ? 4 : 0) };
    readRleBitPackedHybrid(within, 32 - Math.clz32(max), levels, own);
    reader.offset = end;
    if (levels.length < values) throw new Error("levels are too few");
    for (let i = 0; i < values; i++) {
      if (!(levels[i] <= max)) throw new Error("a level is too high");
    }
    return levels;
  };
  try {
    const reps = read(rep, v2?.repetition_levels_byte_length);
    const defs = read(def, v2?.definition_levels_byte_length);
    return { reps, defs };
  } catch (error) {
    throw new OffsetError(`the levels of a page are damaged: ${(error as Error).message}`, offset, {
      cause: error,
    });
  }
}
