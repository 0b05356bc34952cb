/** @module What the engine's messages mean in our words. */
import type { ErrorCode } from "../model/errors.ts";

const codes: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^(Permission|Access) Error|file system operations are disabled/i, "FORBIDDEN"],
  [/configuration has been locked|is disabled through configuration/i, "FORBIDDEN"],
  [/No space left on device|max_temp_directory_size|Could not write all bytes/i, "DISK_FULL"],
  [/^Out of Memory Error|could not allocate|failed to (pin|allocate)/i, "LIMIT_EXCEEDED"],
  [/^INTERRUPT Error|Interrupted!/i, "UNAVAILABLE"],
  [/No files found that match/i, "NOT_FOUND"],
  [/No magic bytes|too small to be a Parquet|TProtocolException/i, "CORRUPT"],
  [
    /^(Invalid Input|IO|Serialization) Error:.*(parquet|thrift|decompress|snappy|zstd)/is,
    "CORRUPT",
  ],
];

/** The code of a message of the engine. */
export function codeOfEngine(message: string): ErrorCode {
  return codes.find(([pattern]) => pattern.test(message))?.[1] ?? "INVALID";
}
