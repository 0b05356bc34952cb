/** @module Columns of texts and bytes. */
import { IntegerRuns } from "./integer_runs.ts";
import type { OrcStream } from "./stream.ts";
import type { Stripe } from "./stripe.ts";
import type { OrcType } from "./tail.ts";

/** Bytes of one batch of a column; more is more than a process should hold. */
const BATCH_BYTES_MAX = 1024 * 1024 * 1024;
const DICTIONARY_MAX = 1 << 25;
const PIECE = 4096;

/** Reads values of a column, those that are there: UTF-8 bytes. */
export function textReader(type: OrcType, stripe: Stripe): (count: number) => Uint8Array[] {
  const { version, hasDictionary, dictionarySize } = stripe.encoding(type.id);
  const isText = type.kind !== "binary";
  if (!hasDictionary) {
    const lengths = new IntegerRuns(stripe.stream(type.id, "length"), { version, isSigned: false });
    const data = stripe.stream(type.id, "data");
    return (count) => {
      const values = split(data, lengths.takeNumbers(count), isText);
      for (const value of values) stripe.bytesRead += value.length + 16;
      return values;
    };
  }
  const data = stripe.stream(type.id, "data");
  const indexes = new IntegerRuns(data, { version, isSigned: false });
  let dictionary: Uint8Array[] | null = null;
  return (count) => {
    if (count > 0) dictionary ??= readDictionary(type, stripe, { version, dictionarySize, isText });
    const values: Uint8Array[] = new Array(count);
    const taken = indexes.takeInt32(count);
    for (let i = 0; i < count; i++) {
      const value = dictionary![taken[i]];
      if (value === undefined) {
        data.fail(`entry ${taken[i]} is not in the dictionary of ${dictionarySize}`);
      }
      values[i] = value;
      stripe.bytesRead += value.length + 16;
    }
    return values;
  };
}

function readDictionary(
  type: OrcType,
  stripe: Stripe,
  { version, dictionarySize, isText }: {
    version: 1 | 2;
    dictionarySize: number;
    isText: boolean;
  },
): Uint8Array[] {
  const stream = stripe.stream(type.id, "length");
  if (dictionarySize > DICTIONARY_MAX) stream.fail(`a dictionary of ${dictionarySize} entries`);
  const lengths = new IntegerRuns(stream, { version, isSigned: false });
  const data = stripe.stream(type.id, "dictionary");
  const entries: Uint8Array[] = [];
  while (entries.length < dictionarySize) {
    const count = Math.min(PIECE, dictionarySize - entries.length);
    for (const entry of split(data, lengths.takeNumbers(count), isText)) entries.push(entry);
  }
  return entries;
}

/** The next values of a stream, which are pieces of one array. */
function split(data: OrcStream, lengths: Float64Array, isText: boolean): Uint8Array[] {
  let total = 0;
  for (const length of lengths) {
    if (length < 0) data.fail(`a value of ${length} bytes`);
    total += length;
  }
  if (total > BATCH_BYTES_MAX) data.fail(`${lengths.length} values have ${total} bytes`);
  const bytes = data.take(total);
  if (isText) checkText(data, bytes);
  const values: Uint8Array[] = new Array(lengths.length);
  for (let i = 0, at = 0; i < lengths.length; i++) {
    values[i] = bytes.subarray(at, at + lengths[i]);
    at += lengths[i];
  }
  return values;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function checkText(data: OrcStream, bytes: Uint8Array): void {
  try {
    utf8.decode(bytes);
  } catch {
    data.fail("a text is not UTF-8");
  }
}
