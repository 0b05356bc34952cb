/** @module Fields of one record in a buffer: where they lie, what they are, and of which column. */
import { kinds, ValueReader } from "./value_reader.ts";

const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Names of fields, each with its number. */
export class FieldNames {
  /** As columns are named: never empty, no two alike, and without NUL. */
  readonly names: string[] = [];
  /** As they are in the file. */
  readonly own: string[] = [];
  /** As they usually stand in a document, from quote to quote. */
  readonly written: Uint8Array[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #shown = new Set<string>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** Its number; a new one when it is new, -1 when there are too many. */
  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    if (this.names.length === this.#max) return -1;
    this.#numbers.set(name, this.names.length);
    let shown = name.replaceAll("\0", "\\u0000") || "_";
    while (this.#shown.has(shown)) shown += "_";
    this.#shown.add(shown);
    this.names.push(shown);
    this.own.push(name);
    this.written.push(encoder.encode(JSON.stringify(name)));
    return this.names.length - 1;
  }
}

/** What is wrong with a record that is JSON. */
export class FieldError extends Error {
  constructor(readonly rule: "duplicate_field" | "encoding" | "fields", message: string) {
    super(message);
  }
}

/** Reads a record's fields; `reader` holds the buffer. */
export class RecordReader {
  readonly reader: ValueReader = new ValueReader();
  readonly fields: FieldNames;
  /** Fields of the last record, by their place in it. */
  count = 0;
  numbers: Int32Array = new Int32Array(64);
  starts: Int32Array = new Int32Array(64);
  ends: Int32Array = new Int32Array(64);
  kinds: Uint8Array = new Uint8Array(64);
  /** 1: a backslash in it; 2: blanks outside of strings; 3: both. */
  marks: Uint8Array = new Uint8Array(64);
  /** What the record is. */
  kind = 0;
  /** What is wrong with its fields; the record was read to its end all the same. */
  wrong: FieldError | null = null;
  #guess: Int32Array = new Int32Array(64);
  #seen: Int32Array = new Int32Array(64);
  #ordinal = 0;

  readonly #isNamed: boolean;

  /** `isNamed`: elements of arrays have the names that are in `fields`, in their order. */
  constructor(fields: FieldNames, isNamed = false) {
    this.fields = fields;
    this.#isNamed = isNamed;
  }

  /** Past the record that begins at `at`; throws as {@link ValueReader} does. */
  read(at: number): number {
    const byte = this.reader.buffer[at];
    this.reader.outer++;
    try {
      return this.#read(at, byte);
    } finally {
      this.reader.outer--;
    }
  }

  #read(at: number, byte: number): number {
    this.count = 0;
    this.wrong = null;
    this.#ordinal++;
    if (byte === OPEN_OBJECT) {
      this.kind = kinds.object;
      return this.#members(at);
    }
    if (byte === OPEN_ARRAY) {
      this.kind = kinds.array;
      return this.#elements(at);
    }
    const past = this.#value(at, this.fields.numberOf("value"));
    this.kind = this.reader.kind;
    return past;
  }

  #members(start: number): number {
    const { reader } = this;
    const { buffer } = reader;
    let at = reader.blank(start + 1);
    if (buffer[at] === CLOSE_OBJECT) return at + 1;
    while (true) {
      // Records are mostly alike: the name that came here before comes here again.
      let number = this.#guess[this.count] ?? 0;
      let past = number >= 0 && number < this.fields.names.length ? this.#match(at, number) : -1;
      if (past < 0) {
        past = reader.name(at);
        number = this.#numberAt(at);
        if (this.count < this.#guess.length) this.#guess[this.count] = number;
      }
      at = this.#value(reader.blank(past), number);
      at = reader.separator(at, CLOSE_OBJECT);
      if (buffer[at] === CLOSE_OBJECT) return at + 1;
      at = reader.blank(at + 1);
    }
  }

  /** Past the name and its colon when it is this one, as it usually stands; else -1. */
  #match(at: number, number: number): number {
    const { buffer } = this.reader;
    const written = this.fields.written[number];
    const { length } = written;
    for (let i = 0; i < length; i++) if (buffer[at + i] !== written[i]) return -1;
    let past = at + length;
    if (buffer[past] !== 0x3a) {
      past = this.reader.blank(past);
      if (buffer[past] !== 0x3a) return -1;
    }
    return past + 1;
  }

  /** Number of the name at `at`, which was read. */
  #numberAt(at: number): number {
    const { buffer } = this.reader;
    const past = this.reader.string(at);
    const text = decoder.decode(buffer.subarray(at, past));
    const name: string = JSON.parse(text);
    if (!name.isWellFormed()) {
      this.wrong ??= new FieldError("encoding", halfCharacter);
      return -1;
    }
    return this.fields.numberOf(name);
  }

  #elements(start: number): number {
    const { reader } = this;
    let at = reader.blank(start + 1);
    if (reader.buffer[at] === CLOSE_ARRAY) return at + 1;
    while (true) {
      const number = this.#isNamed
        ? this.count < this.fields.names.length ? this.count : -1
        : this.fields.numberOf(String(this.count));
      at = this.#value(at, number);
      at = reader.separator(at, CLOSE_ARRAY);
      if (reader.buffer[at] === CLOSE_ARRAY) return at + 1;
      at = reader.blank(at + 1);
    }
  }

  #value(at: number, number: number): number {
    const { reader } = this;
    const past = reader.value(at);
    if (number < 0) {
      this.wrong ??= tooManyFields();
      return past;
    }
    if (number >= this.#seen.length) this.#seen = grown(this.#seen, 2 * number);
    if (this.#seen[number] === this.#ordinal) return this.#again(at, past, number);
    this.#seen[number] = this.#ordinal;
    this.#keep(at, past, number);
    return past;
  }

  /** A name that comes twice: the second one is a field of its own, so that neither is lost. */
  #again(at: number, past: number, number: number): number {
    const name = this.fields.names[number];
    for (let n = 2;; n++) {
      const other = this.fields.numberOf(`${name}_${n}`);
      if (other < 0) {
        this.wrong ??= tooManyFields();
        return past;
      }
      if (other < this.#seen.length && this.#seen[other] === this.#ordinal) continue;
      if (other >= this.#seen.length) this.#seen = grown(this.#seen, 2 * other);
      this.#seen[other] = this.#ordinal;
      this.#keep(at, past, other);
      return past;
    }
  }

  #keep(at: number, past: number, number: number): void {
    const { reader } = this;
    const i = this.count++;
    if (i === this.starts.length) this.#grow();
    this.numbers[i] = number;
    this.starts[i] = at;
    this.ends[i] = past;
    this.kinds[i] = reader.kind;
    this.marks[i] = (reader.isEscaped ? 1 : 0) | (reader.isSpaced ? 2 : 0);
  }

  #grow(): void {
    const length = 2 * this.starts.length;
    this.numbers = grown(this.numbers, length);
    this.starts = grown(this.starts, length);
    this.ends = grown(this.ends, length);
    this.#guess = grown(this.#guess, length);
    this.kinds = grown(this.kinds, length);
    this.marks = grown(this.marks, length);
  }
}

/** Why half of a surrogate pair is refused. */
export const halfCharacter = "it has half of a surrogate pair, which is no character";

function tooManyFields(): FieldError {
  return new FieldError("fields", "it has more fields than can be columns");
}

function grown<A extends Int32Array | Uint8Array>(array: A, length: number): A {
  const larger = new (array.constructor as new (length: number) => A)(length);
  larger.set(array);
  return larger;
}
