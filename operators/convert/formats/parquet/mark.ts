/**
 * @module Says in a Parquet file what the engine cannot say of its nanoseconds: that they are instants,
 * or times of day. A byte for each in the footer, in place.
 */
import { checkThrift, readAt, readFooter } from "./footer.ts";
import type { Meaning } from "./leaves.ts";

// Fields of Thrift's structs on the way to a logical type.
const SCHEMA = 2;
const LOGICAL_TYPE = 10;
const TIMESTAMP = 8;
const TIME = 7;
const IS_ADJUSTED = 1;

/** Mark the file's timestamps of nanoseconds, which have these meanings in the order of the schema. */
export async function markNanos(path: string, meanings: readonly Meaning[]): Promise<void> {
  const { metadata, offset } = await readFooter(path);
  const left = [...meanings];
  const byElement = new Map<number, Meaning>();
  for (const [i, { logical_type: logical }] of metadata.schema.entries()) {
    if (logical?.type === "TIMESTAMP" && logical.unit === "NANOS") {
      byElement.set(i, left.shift() ?? null);
    }
  }
  using file = await Deno.open(path, { read: true, write: true });
  const bytes = readAt(file, offset, (await file.stat()).size - 8 - offset);
  const edits: { at: number; byte: number }[] = [];
  checkThrift(bytes, (fields, at) => {
    const [schema, element, logical, type, adjusted] = fields;
    if (schema !== SCHEMA || logical !== LOGICAL_TYPE || type !== TIMESTAMP) return;
    const meaning = byElement.get(element);
    // A field's head: how far its number is from the last one's, and its type; a boolean's is its value.
    if (meaning === "time_ns" && fields.length === 4) edits.push({ at, byte: (TIME << 4) | 12 });
    if (meaning === "zoned_ns" && adjusted === IS_ADJUSTED && fields.length === 5) {
      edits.push({ at, byte: (IS_ADJUSTED << 4) | 1 });
    }
  });
  for (const { at, byte } of edits) {
    await file.seek(offset + at, Deno.SeekMode.Start);
    await file.write(Uint8Array.of(byte));
  }
}
