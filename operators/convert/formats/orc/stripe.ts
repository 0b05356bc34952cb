/** @module A stripe's streams and encodings. */
import type { FileBytes } from "./file_bytes.ts";
import { OrcError } from "./orc_error.ts";
import { ProtobufMessage } from "./protobuf.ts";
import { OrcStream } from "./stream.ts";
import { type OrcTail, type StripeInformation, unpackAll } from "./tail.ts";
import type { WiderTypes } from "./types.ts";

/** Kinds of streams that hold values, by their number; the others are indexes. */
const streamKinds = ["present", "data", "length", "dictionary", "count", "secondary"] as const;
/** One of the streams of a column. */
export type StreamKind = (typeof streamKinds)[number];

/** How a column is encoded. */
export interface ColumnEncoding {
  version: 1 | 2;
  hasDictionary: boolean;
  dictionarySize: number;
}

/** What columns of a stripe are read with. */
export class Stripe {
  readonly tail: OrcTail;
  readonly wider: WiderTypes;
  /** Empty where the file does not say it. */
  readonly writerZone: string;
  /** Estimated bytes of the values that were read since this was set to 0. */
  bytesRead = 0;
  readonly #file: FileBytes;
  readonly #offset: number;
  readonly #encodings: readonly ProtobufMessage[];
  readonly #places = new Map<string, { offset: number; bytes: number }>();

  constructor(
    file: FileBytes,
    tail: OrcTail,
    information: StripeInformation,
    wider: WiderTypes,
  ) {
    this.#file = file;
    this.tail = tail;
    this.wider = wider;
    const { offset, indexBytes, dataBytes, footerBytes } = information;
    this.#offset = offset + indexBytes + dataBytes;
    const packed = file.read(this.#offset, footerBytes);
    const footer = OrcError.at(
      this.#offset,
      () => new ProtobufMessage(unpackAll(packed, { ...tail, at: this.#offset })),
    );
    this.#encodings = OrcError.at(this.#offset, () => footer.messages(2));
    this.writerZone = OrcError.at(this.#offset, () => footer.text(3));
    OrcError.at(this.#offset, () => this.#placeStreams(footer.messages(1), information));
  }

  /** A stream of values; one that the stripe has not raises when it is read. */
  stream(column: number, kind: StreamKind): OrcStream {
    const place = this.#places.get(`${column} ${kind}`) ?? { offset: this.#offset, bytes: 0 };
    const { codec, blockBytesMax } = this.tail;
    const name = `column ${column}, ${kind} stream`;
    return new OrcStream({ file: this.#file, codec, blockBytesMax, ...place, name });
  }

  has(column: number, kind: StreamKind): boolean {
    return this.#places.has(`${column} ${kind}`);
  }

  encoding(column: number): ColumnEncoding {
    const message = this.#encodings[column];
    if (!message) {
      const count = this.#encodings.length;
      throw new OrcError(this.#offset, `column ${column} has no encoding: there are ${count}`);
    }
    return OrcError.at(this.#offset, () => {
      const kind = message.number(1);
      if (kind > 3) throw new OrcError(this.#offset, `column ${column} has encoding ${kind}`);
      return {
        version: kind < 2 ? 1 : 2,
        hasDictionary: kind % 2 === 1,
        dictionarySize: message.number(2),
      };
    });
  }

  #placeStreams(
    streams: readonly ProtobufMessage[],
    { offset, indexBytes, dataBytes }: StripeInformation,
  ): void {
    let next = offset;
    for (const stream of streams) {
      const kind = streamKinds[stream.number(1)];
      const bytes = stream.number(3);
      if (next + bytes > offset + indexBytes + dataBytes) {
        throw new OrcError(this.#offset, "the streams of a stripe are longer than the stripe");
      }
      if (kind) this.#places.set(`${stream.number(2)} ${kind}`, { offset: next, bytes });
      next += bytes;
    }
  }
}
