/**
 * @module A Parquet file in another one that the engine can read: with the same columns, their pages
 * plain, and what the engine has no type for in one that holds it.
 */
import type { SchemaElement } from "hyparquet";
import { readDataPage, readDataPageV2 } from "hyparquet/src/datapage.js";
import type { readPage } from "hyparquet/src/column.js";
import { readPlain } from "hyparquet/src/plain.js";
import { OffsetError } from "../offset_window.ts";
import { StagedFile } from "../staged_file.ts";
import type { Leaf } from "../staged_leaf.ts";
import { compressors } from "./codecs.ts";
import type { Footer, ParquetNode } from "./footer.ts";
import { asElement, isMapWithoutValues, type Rewritten, rewrittenOf } from "./leaves.ts";
import { nanosOfInt96 } from "./int96.ts";
import {
  type Chunk,
  chunksOf,
  contentOf,
  levelsOf,
  type Page,
  pagesOf,
  RowCounter,
  schemaPathOf,
} from "./pages.ts";

type ColumnDecoder = Parameters<typeof readPage>[2];

/** Write the file anew at `path`. Throws {@link OffsetError} for what is damaged or unknown. */
export async function rewrite(
  file: Deno.FsFile,
  footer: Footer,
  path: string,
  { int96, signal }: { int96: "TIMESTAMP" | "TIMESTAMP_NS"; signal: AbortSignal },
): Promise<void> {
  const columns = footer.leaves.map((node) => rewrittenOf(node, int96));
  const leaves = columns.flatMap(({ leaves }) => leaves);
  const staged = new StagedFile(path, schemaOf(footer.root, columns), leaves);
  for (const group of chunksOf(footer)) {
    staged.startGroup();
    for (const [i, chunk] of group.entries()) {
      signal.throwIfAborted();
      await file.seek(chunk.start, Deno.SeekMode.Start);
      rewriteChunk(file, footer, chunk, columns[i]);
      for (const leaf of columns[i].leaves) staged.writeLeaf(leaf);
    }
    staged.endGroup(group[0]?.rows ?? 0);
  }
  staged.finish();
}

function schemaOf(root: ParquetNode, columns: readonly Rewritten[]): SchemaElement[] {
  let leaf = 0;
  const walk = (node: ParquetNode): SchemaElement[] => {
    if (node.children.length === 0) return columns[leaf++].schema;
    const { element } = node;
    // A map without values is the list of its keys.
    const own = isMapWithoutValues(node)
      ? { ...element, converted_type: "LIST" as const, logical_type: undefined }
      : element;
    return [asElement(own), ...node.children.flatMap(walk)];
  };
  return walk(root);
}

function rewriteChunk(
  file: Deno.FsFile,
  footer: Footer,
  chunk: Chunk,
  { leaves, put }: Rewritten,
): void {
  const { node, meta } = chunk;
  const decoder = decoderOf(footer, chunk);
  const rows = node.rep > 0 ? new RowCounter(chunk) : null;
  let dictionary: ArrayLike<unknown> | undefined;
  for (const page of pagesOf(file, chunk)) {
    const { header, offset } = page;
    if (header.dictionary_page_header) {
      const content = contentOf(file, page, meta);
      dictionary = dictionaryOf(content, page, decoder);
      continue;
    }
    if (!header.data_page_header && !header.data_page_header_v2) continue;
    const content = contentOf(file, page, meta);
    const { reps, defs } = levelsOf(content, page, node);
    rows?.add(reps, page.values, offset);
    const present = node.def === 0 ? page.values : countOf(defs, node.def);
    const values = valuesOf(content, page, decoder, dictionary, present);
    const { def } = node;
    for (let i = 0, k = 0; i < page.values; i++) {
      const rep = reps.length > 0 ? reps[i] : 0;
      const own = defs.length > 0 ? defs[i] : def;
      for (const leaf of leaves) leaf.slot(rep, own);
      if (own === def) put(values[k++]);
    }
  }
  rows?.finish();
}

function countOf(defs: readonly number[], def: number): number {
  let count = 0;
  for (const each of defs) if (each === def) count++;
  return count;
}

/** What the library decodes a column with; its annotations are left out, so that it bends nothing. */
function decoderOf({ root }: Footer, { node, meta }: Chunk): ColumnDecoder {
  const { name, repetition_type } = node.element;
  // The library loses the day of an INT96 whose nanoseconds are negative.
  const isInt96 = node.element.type === "INT96";
  const type = isInt96 ? "FIXED_LEN_BYTE_ARRAY" : node.element.type;
  const type_length = isInt96 ? 12 : node.element.type_length;
  return {
    pathInSchema: node.path,
    type: type!,
    element: { type, type_length, name, repetition_type },
    schemaPath: schemaPathOf(root, node),
    codec: meta.codec,
    parsers: {} as ColumnDecoder["parsers"],
    compressors,
    utf8: false,
  };
}

function dictionaryOf(
  content: Uint8Array,
  { header, offset }: Page,
  { type, element }: ColumnDecoder,
): ArrayLike<unknown> {
  const reader = {
    view: new DataView(content.buffer, content.byteOffset, content.length),
    offset: 0,
  };
  const count = header.dictionary_page_header!.num_values;
  if (count > content.length * 8) {
    throw new OffsetError(`a dictionary says that it has ${count} values`, offset);
  }
  return damaged(offset, () => readPlain(reader, type, count, element.type_length));
}

function valuesOf(
  content: Uint8Array,
  { header, offset }: Page,
  decoder: ColumnDecoder,
  dictionary: ArrayLike<unknown> | undefined,
  present: number,
): ArrayLike<unknown> {
  const v2 = header.data_page_header_v2;
  const encoding = (v2 ?? header.data_page_header!).encoding;
  if (present === 0) return [];
  const { dataPage } = damaged(
    offset,
    () =>
      v2
        ? readDataPageV2(content, header, decoder)
        : readDataPage(content, header.data_page_header!, decoder),
  );
  if (dataPage.length < present) {
    throw new OffsetError(
      `a page has ${dataPage.length} values where ${present} are there`,
      offset,
    );
  }
  if (!encoding.endsWith("_DICTIONARY")) return dataPage;
  if (!dictionary) throw new OffsetError("a page has no dictionary before it", offset);
  const size = dictionary.length;
  const indexes = dataPage as ArrayLike<number>;
  const values: unknown[] = new Array(present);
  for (let i = 0; i < present; i++) {
    const index = indexes[i];
    if (!(index >= 0 && index < size)) {
      throw new OffsetError(`a page has value ${index} of a dictionary of ${size}`, offset);
    }
    values[i] = dictionary[index];
  }
  return values;
}

function damaged<T>(offset: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new OffsetError(`a page is damaged: ${(error as Error).message}`, offset, {
      cause: error,
    });
  }
}

/** Do all values of the INT96 columns end at the microsecond? The engine would cut what is behind. */
export async function int96Digits(
  file: Deno.FsFile,
  footer: Footer,
  signal: AbortSignal,
): Promise<{ hasNanos: boolean; isFar: boolean }> {
  const found = { hasNanos: false, isFar: false };
  for (const chunk of chunksOf(footer).flat()) {
    if (chunk.node.element.type !== "INT96") continue;
    signal.throwIfAborted();
    await file.seek(chunk.start, Deno.SeekMode.Start);
    const look = (value: unknown) => {
      const nanos = nanosOfInt96(value as Uint8Array);
      if (nanos % 1000n !== 0n) found.hasNanos = true;
      if (BigInt.asIntN(64, nanos) !== nanos) found.isFar = true;
    };
    const leaf = { slot() {} } as unknown as Leaf;
    rewriteChunk(file, footer, chunk, { leaves: [leaf], schema: [], put: look });
  }
  return found;
}
