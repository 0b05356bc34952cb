/** @module Codecs of Parquet's pages, native ones where there are. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import type { Compressors } from "hyparquet";
import { decompressLz4, decompressLz4Raw } from "hyparquet-compressors";

/** By their names; each gives just as many bytes as it is told. */
export const compressors: Compressors = {
  GZIP: (page, length) => gunzipSync(page, { maxOutputLength: Math.max(length, 1) }),
  BROTLI: (page, length) => brotliDecompressSync(page, { maxOutputLength: Math.max(length, 1) }),
  ZSTD: (page, length) => zstdDecompressSync(page, { maxOutputLength: Math.max(length, 1) }),
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
};
