/** @module A Parquet file with other names for its types: the same pages, with a new footer. */
import { writeAll } from "../../../table/write_all.ts";
import { ByteWriter } from "hyparquet-writer";
import { writeMetadata } from "hyparquet-writer/src/metadata.js";
import type { Footer } from "./footer.ts";
import { asElement } from "./leaves.ts";

const COPY_BYTES = 8 * 1024 * 1024;

/**
 * Copy the file to `path` so that the engine sees plain timestamps where it would cut nanoseconds.
 * Statistics and what else is in the footer are left out, since nothing asks for them.
 */
export async function relabel(
  from: string,
  { metadata, offset }: Footer,
  path: string,
): Promise<void> {
  using source = await Deno.open(from);
  using target = await Deno.open(path, { write: true, createNew: true });
  const buffer = new Uint8Array(Math.min(COPY_BYTES, offset));
  for (let at = 0; at < offset;) {
    const read = await source.read(buffer.subarray(0, Math.min(buffer.length, offset - at)));
    if (read === null) throw new Error("it became shorter while it was read");
    await writeAll(target, buffer.subarray(0, read));
    at += read;
  }
  const footer = new ByteWriter();
  writeMetadata(footer, {
    version: metadata.version,
    schema: metadata.schema.map(asElement),
    num_rows: metadata.num_rows,
    metadata_length: 0,
    row_groups: metadata.row_groups.map((group) => ({
      ...group,
      sorting_columns: undefined,
      columns: group.columns.map(({ file_offset, meta_data: meta }) => ({
        file_offset,
        meta_data: meta && {
          ...meta,
          statistics: undefined,
          size_statistics: undefined,
          geospatial_statistics: undefined,
          encoding_stats: undefined,
          key_value_metadata: undefined,
          bloom_filter_offset: undefined,
          bloom_filter_length: undefined,
          index_page_offset: undefined,
        },
      })),
    })),
  });
  footer.appendBytes(new TextEncoder().encode("PAR1"));
  await writeAll(target, footer.getBytes());
}
