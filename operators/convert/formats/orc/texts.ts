/** @module Columns of texts and bytes. */
import { StagedTexts } from "../staging.ts";
import { IntegerRuns } from "./integer_runs.ts";
import type { OrcStream } from "./stream.ts";
import type { Stripe } from "./stripe.ts";
import type { OrcType } from "./tail.ts";

/** Bytes of one batch of a column; more is more than a process should hold. */
const BATCH_BYTES_MAX = 1024 * 1024 * 1024;
const DICTIONARY_MAX = 1 << 25;
const PIECE = 4096;

/** Reads values of a column, those that are there: UTF-8 bytes. */
export function textReader(type: OrcType, stripe: Stripe): (count: number) => StagedTexts {
  const { version, hasDictionary, dictionarySize } = stripe.encoding(type.id);
  const isText = type.kind !== "binary";
  const data = stripe.stream(type.id, "data");
  if (!hasDictionary) {
    const lengths = new IntegerRuns(stripe.stream(type.id, "length"), { version, isSigned: false });
    return (count) => {
      const texts = take(data, endsOf(data, lengths.takeNumbers(count)), isText);
      stripe.bytesRead += texts.bytes.length + 16 * count;
      return texts;
    };
  }
  const indexes = new IntegerRuns(data, { version, isSigned: false });
  let dictionary: StagedTexts | null = null;
  return (count) => {
    if (count > 0) dictionary ??= readDictionary(type, stripe, { version, dictionarySize, isText });
    const starts = new Uint32Array(count);
    const ends = new Uint32Array(count);
    const taken = indexes.takeInt32(count);
    for (let i = 0; i < count; i++) {
      const index = taken[i];
      if (!(index >= 0 && index < dictionarySize)) {
        data.fail(`entry ${index} is not in the dictionary of ${dictionarySize}`);
      }
      starts[i] = dictionary!.starts[index];
      ends[i] = dictionary!.ends[index];
      stripe.bytesRead += ends[i] - starts[i] + 16;
    }
    return new StagedTexts({ bytes: dictionary?.bytes ?? new Uint8Array(0), starts, ends });
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
): StagedTexts {
  const stream = stripe.stream(type.id, "length");
  if (dictionarySize > DICTIONARY_MAX) stream.fail(`a dictionary of ${dictionarySize} entries`);
  const lengths = new IntegerRuns(stream, { version, isSigned: false });
  // A count that the file only claims takes no memory: lengths are read in pieces.
  const pieces: Float64Array[] = [];
  for (let left = dictionarySize; left > 0; left -= PIECE) {
    pieces.push(lengths.takeNumbers(Math.min(PIECE, left)));
  }
  const all = new Float64Array(dictionarySize);
  pieces.forEach((piece, i) => all.set(piece, i * PIECE));
  const data = stripe.stream(type.id, "dictionary");
  return take(data, endsOf(stream, all), isText);
}

/** Where values end that lie one behind the other. */
function endsOf(stream: OrcStream, lengths: Float64Array): Uint32Array {
  const ends = new Uint32Array(lengths.length);
  let total = 0;
  for (let i = 0; i < lengths.length; i++) {
    if (lengths[i] < 0) stream.fail(`a value of ${lengths[i]} bytes`);
    total += lengths[i];
    if (total > BATCH_BYTES_MAX) stream.fail(`${lengths.length} values have over ${total} bytes`);
    ends[i] = total;
  }
  return ends;
}

/** The next values of a stream. */
function take(data: OrcStream, ends: Uint32Array, isText: boolean): StagedTexts {
  const bytes = data.take(ends.length === 0 ? 0 : ends[ends.length - 1]);
  if (isText) checkText(data, bytes);
  const starts = new Uint32Array(ends.length);
  if (ends.length > 1) starts.set(ends.subarray(0, -1), 1);
  return new StagedTexts({ bytes, starts, ends });
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function checkText(data: OrcStream, bytes: Uint8Array): void {
  try {
    utf8.decode(bytes);
  } catch {
    data.fail("a text is not UTF-8");
  }
}
