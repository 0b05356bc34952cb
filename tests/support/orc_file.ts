/** @module Small ORC files, put together stream by stream. */
import { deflateRawSync } from "node:zlib";

/** A column of a file, types in preorder. */
export interface OrcColumn {
  kind: number;
  subtypes?: number[];
  names?: string[];
  precision?: number;
  scale?: number;
}

/** Streams of a stripe as plain bytes. */
export interface OrcStripe {
  rows: number;
  streams: { column: number; kind: number; bytes: number[] | Uint8Array }[];
  /** By column: kind of encoding, and size of the dictionary. */
  encodings: { kind: number; dictionarySize?: number }[];
  zone?: string;
}

/** What a file is made of. */
export interface OrcParts {
  types: OrcColumn[];
  stripes: OrcStripe[];
  /** `zlib`, or a codec's number and how it packs. */
  codec?: "zlib" | { number: number; pack(bytes: Uint8Array): Uint8Array };
  version?: number[];
  /** More fields of the footer. */
  footer?: number[];
}

/** The number of a kind of type. */
export const orcKind = {
  boolean: 0,
  byte: 1,
  short: 2,
  int: 3,
  long: 4,
  float: 5,
  double: 6,
  string: 7,
  binary: 8,
  timestamp: 9,
  list: 10,
  map: 11,
  struct: 12,
  union: 13,
  decimal: 14,
  date: 15,
  varchar: 16,
  char: 17,
  instant: 18,
} as const;

/** Put a file together. */
export function orcFile({ types, stripes, codec, version = [0, 12], footer = [] }: OrcParts) {
  const number = codec === undefined ? 0 : codec === "zlib" ? 1 : codec.number;
  const pack = codec === "zlib" ? deflateRawSync : codec?.pack;
  const section = (bytes: readonly number[]): number[] => {
    if (!pack || bytes.length === 0) return [...bytes];
    const packed = pack(Uint8Array.from(bytes));
    const head = packed.length << 1;
    return [head & 255, (head >> 8) & 255, head >> 16, ...packed];
  };
  const file = [...text("ORC")];
  const places: number[] = [];
  for (const stripe of stripes) {
    const offset = file.length;
    const streams = stripe.streams.map((stream) => ({
      ...stream,
      bytes: section([...stream.bytes]),
    }));
    for (const { bytes } of streams) file.push(...bytes);
    const stripeFooter = section([
      ...streams.flatMap(({ kind, column, bytes }) =>
        message(1, [
          ...varintField(1, kind),
          ...varintField(2, column),
          ...varintField(3, bytes.length),
        ])
      ),
      ...stripe.encodings.flatMap(({ kind, dictionarySize = 0 }) =>
        message(2, [...varintField(1, kind), ...varintField(2, dictionarySize)])
      ),
      ...(stripe.zone === undefined ? [] : message(3, text(stripe.zone))),
    ]);
    const dataBytes = file.length - offset;
    file.push(...stripeFooter);
    places.push(
      ...message(3, [
        ...varintField(1, offset),
        ...varintField(3, dataBytes),
        ...varintField(4, stripeFooter.length),
        ...varintField(5, stripe.rows),
      ]),
    );
  }
  const footerBytes = section([
    ...places,
    ...types.flatMap(({ kind, subtypes = [], names = [], precision = 0, scale = 0 }) =>
      message(4, [
        ...varintField(1, kind),
        ...message(2, subtypes.flatMap(varint)),
        ...names.flatMap((name) => message(3, text(name))),
        ...varintField(5, precision),
        ...varintField(6, scale),
      ])
    ),
    ...varintField(6, stripes.reduce((sum, { rows }) => sum + rows, 0)),
    ...footer,
  ]);
  file.push(...footerBytes);
  const postscript = [
    ...varintField(1, footerBytes.length),
    ...varintField(2, number),
    ...varintField(3, 262_144),
    ...message(4, version.flatMap(varint)),
    ...message(8000, text("ORC")),
  ];
  return Uint8Array.from([...file, ...postscript, postscript.length]);
}

/** A length-delimited field of protobuf. */
export function message(field: number, bytes: readonly number[]): number[] {
  return [...varint(field * 8 + 2), ...varint(bytes.length), ...bytes];
}

/** A number field of protobuf. */
export function varintField(field: number, value: number): number[] {
  return [...varint(field * 8), ...varint(value)];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push(rest % 128 + 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

function text(value: string): number[] {
  return [...new TextEncoder().encode(value)];
}
