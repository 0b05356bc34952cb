/** @module Avro values as JSON texts: of records within themselves, which no column can hold. */
import { textOfDecimal } from "../decimal_text.ts";
import type { Cursor } from "./cursor.ts";
import { readDecimal, timeInMicros } from "./logical.ts";
import {
  type AvroRecord,
  type AvroType,
  branchName,
  isEmptyPossible,
  type LogicalType,
  shapeOf,
} from "./schema.ts";

/** Reads a value at a depth and gives its JSON. */
type ReadJson = (depth: number) => string;

const decoder = new TextDecoder("utf-8", { fatal: true });
const DEPTH_MAX = 512;

/**
 * The reader of a schema. Bytes are base64, dates and times ISO 8601, numbers have all their digits,
 * those that JSON has not are texts; a union of several types is an object of one field by branch.
 */
export function jsonReader(type: AvroType, cursor: Cursor): ReadJson {
  return new JsonReaders(cursor).of(type);
}

class JsonReaders {
  readonly #cursor: Cursor;
  readonly #records = new Map<AvroRecord, ReadJson>();

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  of(type: AvroType): ReadJson {
    const cursor = this.#cursor;
    if ("logical" in type && type.logical) return this.#logical(type, type.logical);
    switch (type.kind) {
      case "null":
        return () => "null";
      case "boolean":
        return () => cursor.byte() === 1 ? "true" : "false";
      case "int":
        return () => `${cursor.int()}`;
      case "long":
        return () => `${cursor.bigint()}`;
      case "float":
      case "double":
        return this.#float(type.kind);
      case "string":
        return () => JSON.stringify(this.#text());
      case "bytes":
        return () => this.#base64(cursor.length());
      case "fixed":
        return () => this.#base64(type.size);
      case "enum":
        return () => {
          const start = cursor.at;
          const symbol = type.symbols[cursor.number()];
          if (symbol === undefined) cursor.fail(`the enum ${type.name} says another`, start);
          return JSON.stringify(symbol);
        };
      case "array":
        return this.#items(this.of(type.items), isEmptyPossible(type.items), "[]");
      case "map": {
        const value = this.of(type.values);
        const member: ReadJson = (depth) => `${JSON.stringify(this.#text())}:${value(depth)}`;
        return this.#items(member, false, "{}");
      }
      case "union":
        return this.#union(type);
      case "recursive":
        return this.#record(type.record);
      case "record":
        return this.#record(type);
    }
  }

  #record(record: AvroRecord): ReadJson {
    const known = this.#records.get(record);
    if (known) return known;
    const fields: [string, ReadJson][] = [];
    const read: ReadJson = (depth) => {
      if (depth > DEPTH_MAX) {
        this.#cursor.fail(`a record is in itself more than ${DEPTH_MAX} times`);
      }
      return `{${fields.map(([name, read]) => name + read(depth + 1)).join(",")}}`;
    };
    this.#records.set(record, read);
    for (const { name, type } of record.fields) {
      fields.push([`${JSON.stringify(name)}:`, this.of(type)]);
    }
    return read;
  }

  #union(type: Extract<AvroType, { kind: "union" }>): ReadJson {
    const isTagged = shapeOf(type).kind === "branches";
    const branches = type.branches.map((branch): ReadJson => {
      const read = this.of(branch);
      if (!isTagged || branch.kind === "null") return read;
      const name = JSON.stringify(branchName(branch));
      return (depth) => `{${name}:${read(depth)}}`;
    });
    return (depth) => {
      const start = this.#cursor.at;
      const index = this.#cursor.number();
      if (!branches[index]) {
        this.#cursor.fail(`a union of ${branches.length} says branch ${index}`, start);
      }
      return branches[index](depth);
    };
  }

  #items(item: ReadJson, isEmpty: boolean, [open, close]: string): ReadJson {
    return (depth) => {
      const parts: string[] = [];
      for (let count; (count = this.#cursor.count(isEmpty)) > 0;) {
        for (; count > 0; count--) {
          parts.push(item(depth));
          this.#cursor.checkEnd();
        }
      }
      return `${open}${parts.join(",")}${close}`;
    };
  }

  #float(kind: "float" | "double"): ReadJson {
    const cursor = this.#cursor;
    const size = kind === "float" ? 4 : 8;
    return () => {
      cursor.need(size);
      const value = kind === "float"
        ? cursor.view.getFloat32(cursor.at, true)
        : cursor.view.getFloat64(cursor.at, true);
      cursor.at += size;
      if (Object.is(value, -0)) return "-0.0";
      return Number.isFinite(value) ? `${value}` : `"${value}"`;
    };
  }

  #logical(type: AvroType, logical: LogicalType): ReadJson {
    const cursor = this.#cursor;
    switch (logical.name) {
      case "decimal": {
        const size = type.kind === "fixed" ? type.size : null;
        const read = readDecimal(logical.precision, size, cursor);
        return () => textOfDecimal(read(), logical.scale);
      }
      case "date":
        return () => `"${isoOf(BigInt(cursor.int()) * 86_400_000n).slice(0, -13)}"`;
      case "time-millis":
      case "time-micros": {
        const factor = logical.name === "time-millis" ? 1000 : 1;
        return () => {
          const micros = timeInMicros(cursor, factor);
          const clock = isoOf(BigInt(Math.floor(micros / 1000))).slice(11, -4);
          return `"${clock}.${String(micros % 1_000_000).padStart(6, "0")}"`;
        };
      }
      case "uuid":
        return type.kind === "fixed" ? () => this.#base64(16) : () => JSON.stringify(this.#text());
      case "duration":
        return () => {
          cursor.need(12);
          const [months, days, milliseconds] = [0, 4, 8].map((at) =>
            cursor.view.getUint32(cursor.at + at, true)
          );
          cursor.at += 12;
          return JSON.stringify({ months, days, milliseconds });
        };
    }
    const digits = { millis: 3, micros: 6, nanos: 9 }[logical.name.split("-").at(-1)!]!;
    const zone = logical.name.startsWith("local") ? "" : "Z";
    return () => {
      const value = cursor.bigint();
      const unit = 10n ** BigInt(digits);
      const fraction = ((value % unit) + unit) % unit;
      const whole = isoOf((value - fraction) / unit * 1000n).slice(0, -5);
      return `"${whole}.${String(fraction).padStart(digits, "0")}${zone}"`;
    };
  }

  #text(): string {
    const cursor = this.#cursor;
    const length = cursor.length();
    const start = cursor.at;
    cursor.at += length;
    try {
      return decoder.decode(cursor.bytes.subarray(start, cursor.at));
    } catch {
      return cursor.fail("a string is not UTF-8", start);
    }
  }

  #base64(length: number): string {
    const cursor = this.#cursor;
    cursor.need(length);
    const bytes = cursor.bytes.slice(cursor.at, cursor.at + length);
    cursor.at += length;
    return `"${bytes.toBase64()}"`;
  }
}

/** An instant as ISO 8601 to the millisecond; years past what a Date holds stay numbers. */
function isoOf(millis: bigint): string {
  const date = new Date(Number(millis));
  return Number.isNaN(date.getTime()) ? `${millis}ms since 1970.000Z` : date.toISOString();
}
