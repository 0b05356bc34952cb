/** @module Is what a Parquet file's footer says so? The engine believes more of it than it should. */
import { type Chunk, chunksOf, contentOf, levelsOf, pagesOf, RowCounter } from "./pages.ts";
import type { Footer } from "./footer.ts";

/** Chunks between two turns of others. */
const TURN_CHUNKS = 64;
/** Pages of lists that are larger are left to the engine's own checks. */
const CHECKED_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Walk all pages: they must be where they are said to be, with as many values as there are rows; lists
 * must begin where rows do. Throws {@link ../offset_window.ts#OffsetError}. Checksums are not looked
 * at, as other readers do not.
 */
export async function verify(
  file: Deno.FsFile,
  footer: Footer,
  signal: AbortSignal,
): Promise<void> {
  for (const [i, chunk] of chunksOf(footer).flat().entries()) {
    // Lets others run: what follows waits for nothing.
    if (i % TURN_CHUNKS === 0 || chunk.node.rep > 0) await file.stat();
    signal.throwIfAborted();
    if (chunk.node.rep > 0) verifyLists(file, chunk);
    else for (const _page of pagesOf(file, chunk));
  }
}

function verifyLists(file: Deno.FsFile, chunk: Chunk): void {
  const { codec } = chunk.meta;
  const rows = new RowCounter(chunk);
  let isWhole = true;
  for (const page of pagesOf(file, chunk)) {
    const { header } = page;
    if (!header.data_page_header && !header.data_page_header_v2) continue;
    // LZ4 of old is read in another way, and LZO not at all: both are looked into there.
    if (header.uncompressed_page_size > CHECKED_BYTES_MAX || codec === "LZ4" || codec === "LZO") {
      isWhole = false;
      continue;
    }
    const { reps } = levelsOf(contentOf(file, page, chunk.meta), page, chunk.node);
    rows.add(reps, page.values, page.offset);
  }
  if (isWhole) rows.finish();
}
