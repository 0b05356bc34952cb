/** @module Takes records out of JSON documents and of lines of JSON. */
import { AppError } from "../../../../src/model/errors.ts";
import type { RecordReader } from "./record_reader.ts";
import { Broken, depthMax, kinds, needsMore } from "./value_reader.ts";
import { recordBytesMax, type Window } from "./window.ts";

/** Any element of an array, any member of an object. */
export const WILDCARD = "*";

/** Where a record lies; its fields are in the {@link RecordReader}, until the next one is read. */
export interface RecordPlace {
  /** From 1. */
  row: number;
  offset: number;
  /** In the reader's buffer. */
  start: number;
  end: number;
  /** Its name, in a map of records. */
  key: string | null;
  /** What the wildcards of the way to it stand for. */
  matches: readonly string[];
}

/** A line that is no JSON. */
export interface BadLine {
  row: number;
  offset: number;
  bytes: Uint8Array;
  why: string;
}

/** Takes what is found; called synchronously. */
export interface RecordSink {
  record(place: RecordPlace): void;
  badLine?(line: BadLine): void;
  /** Of a document: past a record that need not be read, which begins at `at`; -1 for another. */
  pass?(buffer: Uint8Array, at: number, end: number): number;
}

/** Where the records of a document are. */
export interface RecordsAt {
  /** Steps from the document's root; {@link WILDCARD} for any. */
  tokens: readonly string[];
  /** The records are the members of an object. */
  isMap: boolean;
  /** What is there is one record, whatever it is. */
  isWhole?: boolean;
}

/** Between two stops at which the caller may wait for something. */
const STEP_BYTES = 1 << 19;

/** Steps of a JSON pointer. */
export function tokensOf(pointer: string): string[] {
  return pointer.split("/").slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The JSON pointer of steps. */
export function pointerOf(tokens: readonly string[]): string {
  return tokens.map((token) => `/${token.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** Walks one document; the whole of it is checked. Throws CORRUPT where it is broken. */
export class DocumentWalk {
  readonly #window: Window;
  readonly #records: RecordReader;
  readonly #at: RecordsAt;
  readonly #sink: RecordSink;
  readonly #matches: string[] = [];
  #row = 0;
  /** What is where the records should be, one of `kinds`; null until it was found. */
  found: number | null = null;
  #stopAt = STEP_BYTES;

  constructor(
    window: Window,
    { records, at, sink }: { records: RecordReader; at: RecordsAt; sink: RecordSink },
  ) {
    this.#window = window;
    this.#records = records;
    this.#at = at;
    this.#sink = sink;
  }

  /** Stops now and then. Throws CORRUPT, too, when there is nothing where the records should be. */
  *run(name: string): Generator<void> {
    const window = this.#window;
    if (window.blank() === -1) throw window.corrupt(window.offset, "there is nothing");
    yield* this.#descend(0);
    if (window.blank() !== -1) {
      throw window.corrupt(window.offset, "something follows the document's end");
    }
    if (this.found !== null) return;
    throw new AppError(
      "CORRUPT",
      `Cannot read ${name} as JSON: there is nothing at ${
        JSON.stringify(pointerOf(this.#at.tokens))
      }, where its records should be`,
    );
  }

  *#descend(depth: number): Generator<void> {
    const { tokens } = this.#at;
    if (depth === tokens.length) return yield* this.#recordsHere();
    const byte = this.#window.blank();
    if (byte !== 0x7b && byte !== 0x5b) return this.#skip();
    const token = tokens[depth];
    let wasHere = false;
    let index = 0;
    yield* this.#children(byte, (name) => {
      const step = name ?? String(index++);
      if (token !== WILDCARD && step !== token) return this.#skip();
      if (wasHere && token !== WILDCARD) {
        const { offset } = this.#window;
        throw this.#window.corrupt(offset, `there is a second ${JSON.stringify(token)}`);
      }
      wasHere = true;
      return this.#into(depth, token, step);
    });
  }

  *#into(depth: number, token: string, step: string): Generator<void> {
    if (token === WILDCARD) this.#matches.push(step);
    yield* this.#descend(depth + 1);
    if (token === WILDCARD) this.#matches.pop();
  }

  *#recordsHere(): Generator<void> {
    const byte = this.#window.blank();
    const { isMap, isWhole } = this.#at;
    this.found = byte === 0x7b ? kinds.object : byte === 0x5b ? kinds.array : kinds.null;
    yield;
    if (isWhole) this.#record(null);
    else if (byte === 0x5b && !isMap) yield* this.#children(byte, () => this.#record(null));
    else if (byte === 0x7b && isMap) yield* this.#children(byte, (name) => this.#record(name));
    else if (byte === 0x5b) yield* this.#children(byte, () => this.#record(null));
    else this.#record(null);
  }

  #record(key: string | null): void {
    const window = this.#window;
    window.blank();
    const { buffer, end: bufferEnd } = window.reader;
    const past = this.#sink.pass?.(buffer, window.at, bufferEnd) ?? -1;
    if (past >= 0) {
      this.#row++;
      window.at = past;
      return;
    }
    let start = 0;
    window.go((at) => {
      start = at;
      return this.#records.read(at);
    });
    const end = window.at;
    this.#sink.record({
      row: ++this.#row,
      offset: window.base + start,
      start,
      end,
      key,
      matches: this.#matches,
    });
  }

  /** Go through the elements or members of what opens here. */
  *#children(
    open: number,
    child: (name: string | null) => Generator<void> | void,
  ): Generator<void> {
    const window = this.#window;
    const { reader } = window;
    const close = open + 2;
    if (reader.outer === depthMax) {
      throw window.corrupt(window.offset, `nesting is deeper than ${depthMax}`);
    }
    window.at++;
    if (window.blank() === close) {
      window.at++;
      return;
    }
    reader.outer++;
    while (true) {
      const name = open === 0x7b ? this.#window.name() : null;
      const inside = child(name);
      if (inside) yield* inside;
      window.go((at) => reader.separator(at, close));
      const isLast = reader.buffer[window.at] === close;
      window.at++;
      if (isLast) break;
      window.blank();
      if (window.offset >= this.#stopAt) {
        this.#stopAt = window.offset + STEP_BYTES;
        yield;
      }
    }
    reader.outer--;
  }

  /** Go past a value of any length. */
  #skip(): void {
    const window = this.#window;
    const byte = window.blank();
    try {
      window.at = window.reader.value(window.at);
    } catch (error) {
      if (byte === 0x7b || byte === 0x5b) {
        if (error !== needsMore) return window.go((at) => window.reader.value(at));
        for (const _ of this.#children(byte, () => this.#skip()));
      } else window.go((at) => window.reader.value(at));
    }
  }
}

/** Records of a file with one JSON value a line; stops now and then. */
export function* lineRecords(
  window: Window,
  { records, sink }: { records: RecordReader; sink: RecordSink },
): Generator<void> {
  const call = { records, sink, row: 0 };
  let stopAt = STEP_BYTES;
  while (nextLine(window, call)) {
    if (window.offset < stopAt) continue;
    stopAt = window.offset + STEP_BYTES;
    yield;
  }
}

/** Read the line that begins here, the `row + 1`-th, and count it; false at the end. */
export function nextLine(
  window: Window,
  call: { records: RecordReader; sink: RecordSink; row: number },
): boolean {
  const { reader } = window;
  while (true) {
    const newLine = reader.buffer.indexOf(0x0a, window.at);
    if (newLine >= 0 && newLine < reader.end) {
      if (line(window, newLine, call.row + 1, call.records, call.sink)) call.row++;
      window.at = newLine + 1;
      return true;
    }
    if (reader.end - window.at > recordBytesMax) {
      refuseLong(window, ++call.row, call.sink);
      return true;
    }
    if (window.fill()) continue;
    if (window.at < reader.end) {
      line(window, reader.end, ++call.row, call.records, call.sink);
      window.at = reader.end;
    }
    return false;
  }
}

/** Read the line up to `lineEnd`; false when it is blank. */
function line(
  window: Window,
  lineEnd: number,
  row: number,
  records: RecordReader,
  sink: RecordSink,
): boolean {
  const { reader } = window;
  const start = reader.blank(window.at);
  if (start >= lineEnd) return false;
  const { buffer, end, isEnd } = reader;
  const byteAtEnd = buffer[lineEnd];
  const offset = window.base + window.at;
  // A line is read as if nothing came after it.
  buffer[lineEnd] = 0;
  reader.end = lineEnd;
  reader.isEnd = true;
  let why: string | null = null;
  try {
    const past = records.read(start);
    const next = reader.blank(past);
    if (next !== lineEnd) throw new Broken(next, "something follows the value");
    sink.record({ row, offset, start, end: past, key: null, matches: [] });
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    why = `at byte ${window.base + error.at}, ${error.why}`;
  } finally {
    buffer[lineEnd] = byteAtEnd;
    reader.end = end;
    reader.isEnd = isEnd;
  }
  if (why !== null) {
    sink.badLine!({ row, offset, bytes: buffer.slice(window.at, lineEnd), why });
  }
  return true;
}

function refuseLong(window: Window, row: number, sink: RecordSink): void {
  const { reader } = window;
  const bytes = reader.buffer.slice(window.at, window.at + 1_000_000);
  sink.badLine!({
    row,
    offset: window.offset,
    bytes,
    why: `it is longer than ${recordBytesMax} bytes`,
  });
  while (true) {
    const newLine = reader.buffer.indexOf(0x0a, window.at);
    if (newLine >= 0 && newLine < reader.end) {
      window.at = newLine + 1;
      return;
    }
    window.at = reader.end;
    if (!window.fill()) return;
  }
}
