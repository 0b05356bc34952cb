/** @module Takes records out of JSON documents and of lines of JSON. */
import { AppError } from "../../../../src/model/errors.ts";
import type { ByteSource } from "./byte_source.ts";
import { JsonScanner } from "./scanner.ts";

/** A record as it lies in the file. */
export interface JsonRecord {
  /** From 1. */
  row: number;
  offset: number;
  bytes: number;
  json: string;
  /** Its name, in a map of records. */
  key?: string;
}

/** A line that is no JSON. */
export interface BadLine {
  row: number;
  offset: number;
  bytes: Uint8Array;
  why: string;
}

/**
 * Records of a document: the elements of the array, the members of the map, or the one object at
 * `pointer`; without it those of the document itself. The whole document is checked; throws CORRUPT
 * where it is broken, and when there is nothing at the pointer.
 */
export function* documentRecords(
  source: ByteSource,
  { pointer, name, isMap }: { pointer?: string; name: string; isMap: boolean },
): Generator<JsonRecord> {
  const scanner = new JsonScanner(source, name);
  if (scanner.blank() === -1) throw scanner.broken("there is nothing");
  const tokens = (pointer ?? "").split("/").slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
  const counter = { row: 0, isFound: false };
  yield* descend(scanner, tokens, { isMap, counter });
  scanner.end();
  if (counter.isFound) return;
  throw new AppError(
    "CORRUPT",
    `Cannot read ${name} as JSON: there is nothing at ${JSON.stringify(pointer)}, where its ` +
      `records should be`,
  );
}

interface Descent {
  isMap: boolean;
  counter: { row: number; isFound: boolean };
}

function* descend(
  scanner: JsonScanner,
  tokens: string[],
  descent: Descent,
): Generator<JsonRecord> {
  if (tokens.length === 0) {
    descent.counter.isFound = true;
    return yield* recordsHere(scanner, descent);
  }
  const [token, ...rest] = tokens;
  const byte = scanner.blank();
  if (byte === 0x7b) {
    for (let more = scanner.enterObject(); more; more = scanner.nextMember()) {
      if (scanner.name() === token && !descent.counter.isFound) {
        yield* descend(scanner, rest, descent);
      } else scanner.value();
    }
  } else if (byte === 0x5b) {
    let index = 0;
    for (let more = scanner.enterArray(); more; more = scanner.nextElement()) {
      if (String(index++) === token) yield* descend(scanner, rest, descent);
      else scanner.value();
    }
  } else scanner.value();
}

function* recordsHere(scanner: JsonScanner, { isMap, counter }: Descent): Generator<JsonRecord> {
  const byte = scanner.blank();
  if (byte === 0x5b) {
    for (let more = scanner.enterArray(); more; more = scanner.nextElement()) {
      yield record(scanner, ++counter.row);
    }
  } else if (byte === 0x7b && isMap) {
    for (let more = scanner.enterObject(); more; more = scanner.nextMember()) {
      const key = scanner.name();
      yield { ...record(scanner, ++counter.row), key };
    }
  } else yield record(scanner, ++counter.row);
}

function record(scanner: JsonScanner, row: number): JsonRecord {
  scanner.blank();
  const { source } = scanner;
  const { offset } = source;
  source.mark();
  scanner.value();
  const bytes = source.take();
  return { row, offset, bytes: bytes.length, json: scanner.decode(bytes) };
}

/** Records of a file with one JSON value a line; a line that is none is handed out as bad. */
export function* lineRecords(
  source: ByteSource,
  lineBytesMax: number,
): Generator<JsonRecord | BadLine> {
  let row = 0;
  while (source.peek() !== -1) {
    const { offset } = source;
    source.mark();
    const isWhole = source.skipTo(0x0a, lineBytesMax);
    const isCut = !isWhole && source.peek() !== -1;
    const bytes = isCut ? source.take().slice() : source.take();
    if (isWhole || (isCut && source.skipTo(0x0a, Infinity))) source.skip();
    if (isBlank(bytes)) continue;
    row++;
    if (isCut) {
      yield { row, offset, bytes, why: `it is longer than ${lineBytesMax} bytes` };
    } else yield lineRecord(bytes, row, offset);
  }
}

function lineRecord(bytes: Uint8Array, row: number, offset: number): JsonRecord | BadLine {
  try {
    const json = strict.decode(bytes).trim();
    JSON.parse(json);
    return { row, offset, bytes: bytes.length, json };
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message : "its bytes are not UTF-8";
    return { row, offset, bytes: bytes.slice(), why };
  }
}

const strict = new TextDecoder("utf-8", { fatal: true });

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}
