/** @module Bytes to disk. */

/** A file of the work folder could not be written: nothing to do with the source. */
export class LocalFailure extends Error {
  override readonly name = "LocalFailure";
  readonly code: "DISK_FULL" | "UNAVAILABLE";

  constructor(what: string, error: unknown) {
    const reason = error instanceof Error ? error.message : String(error);
    super(`Cannot write ${what}: ${reason}`);
    this.code = /ENOSPC|os error 28|os error 122/.test(
        `${(error as { code?: string }).code} ${reason}`,
      )
      ? "DISK_FULL"
      : "UNAVAILABLE";
  }
}

/** Write all of `bytes`. Throws {@link LocalFailure}. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  try {
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  } catch (error) {
    throw new LocalFailure("a collected body to the work folder", error);
  }
}

/** One array of many. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
