/**
 * @module Messages of SWIFT FIN: blocks in braces, the text block's fields a line each.
 *
 * Banks also deliver the text block alone, without braces, ended by a line "-" or by nothing; then a
 * new field 20 begins a new message.
 */
import { AppError } from "../../../../src/model/errors.ts";
import type { Line } from "../lines.ts";

/** `:61:…` with the lines that continue it, joined by line feeds. */
export interface MtField {
  tag: string;
  value: string;
  offset: number;
  bytes: number;
}

/** One message. */
export interface MtMessage {
  offset: number;
  bytes: number;
  /** Values of the blocks that have one: 1, 2, … */
  blocks: Map<string, string>;
  /** Of the user header (3), the trailers (5) and a text block of tags in braces. */
  tags: Map<string, string>;
  fields: MtField[];
  /** Came in braces. */
  isWrapped: boolean;
  /** Its end was found. */
  isEnded: boolean;
}

const TAG = /^:(\d{2}[A-Z]?|NS):(.*)$/s;
/** What systems on the way put between messages and behind the last. */
const padding = new Set(["$", ";", "!", "}", "-", "\u0001", "\u0003"]);
const BLOCK_CHARS_MAX = 100_000;
const FIELDS_MAX = 1_000_000;

/** The messages of these lines. Throws CORRUPT where there is something else between them. */
export function* messagesOf(lines: Iterable<Line>, name: string): Generator<MtMessage> {
  const reader = new Reader(name);
  for (const line of lines) yield* reader.take(line);
  yield* reader.end();
}

class Reader {
  readonly #name: string;
  #message: MtMessage | null = null;
  /** Inside of the text block. */
  #isText = false;
  /** What of a block is there already, its opening brace too. */
  #block = "";
  #at = 0;

  constructor(name: string) {
    this.#name = name;
  }

  *take(line: Line): Generator<MtMessage> {
    const end = line.offset + line.bytes;
    if (this.#isText) {
      const text = line.text;
      if (text.startsWith("-}")) {
        this.#isText = false;
        this.#open(line.offset).isEnded = true;
        yield* this.#outside(text.slice(2), line, end);
      } else if (/^-\s*$/.test(text)) {
        this.#isText = this.#message!.isWrapped;
        if (!this.#isText) yield* this.#close(end, true);
      } else if (this.#message!.isWrapped && text.includes("-}{5:")) {
        // The last line end before the end of the block is missing.
        const at = text.indexOf("-}{5:");
        this.#field(text.slice(0, at), line);
        this.#isText = false;
        this.#open(line.offset).isEnded = true;
        yield* this.#outside(text.slice(at + 2), line, end);
      } else if (!this.#message!.isWrapped && text.startsWith("{1:")) {
        yield* this.#close(line.offset, true);
        yield* this.#outside(text, line, end);
      } else {
        if (this.#beginsAnother(text)) {
          yield* this.#close(line.offset, true);
          this.#open(line.offset);
          this.#isText = true;
        }
        this.#field(text, line);
        this.#extend(end);
      }
      return;
    }
    yield* this.#outside(line.text, line, end);
  }

  *end(): Generator<MtMessage> {
    const message = this.#message;
    if (!message && this.#block === "") return;
    const isWhole = message !== null && this.#block === "" &&
      (message.isWrapped ? message.isEnded : isComplete(message));
    if (this.#block !== "") this.#open(this.#at);
    yield* this.#close(this.#at, isWhole);
  }

  /** Without braces, only a field that begins messages tells of another one. */
  #beginsAnother(text: string): boolean {
    const message = this.#message!;
    return !message.isWrapped && text.startsWith(":20:") &&
      message.fields.some(({ tag }) => tag === "20");
  }

  *#outside(text: string, line: Line, end: number): Generator<MtMessage> {
    this.#at = end;
    if (this.#block === "" && TAG.test(text)) {
      if (this.#message?.isWrapped) yield* this.#close(line.offset, this.#message.isEnded);
      this.#open(line.offset);
      this.#isText = true;
      this.#field(text, line);
      this.#extend(end);
      return;
    }
    // A brace that opened no block: the next header says that it was none.
    if (text.startsWith("{1:") && /^\{\W*$/.test(this.#block)) this.#block = "";
    for (let i = 0; i < text.length; i++) {
      const char = text[i];
      if (this.#block === "") {
        if (char === "{") this.#block = "{";
        else if (!padding.has(char) && char.trim() !== "") throw this.#stray(text, line);
        continue;
      }
      this.#block += char;
      if (this.#block.length > BLOCK_CHARS_MAX) throw this.#stray(this.#block, line);
      if (this.#block === "{4:" && /^\s*$/.test(text.slice(i + 1))) {
        this.#begin(line.offset);
        this.#block = "";
        this.#isText = true;
        return;
      }
      if (char === "}" && depthOf(this.#block) === 0) {
        yield* this.#endBlock(line.offset, end);
      }
    }
    if (this.#block !== "") this.#block += "\n";
    this.#extend(end);
  }

  *#endBlock(offset: number, end: number): Generator<MtMessage> {
    const block = this.#block;
    this.#block = "";
    const match = block.match(/^\{([1-5A-Z]{1,3}):(.*)\}$/s);
    if (!match) throw this.#stray(block, { offset });
    const [, id, value] = match;
    if (id === "1" && this.#message) yield* this.#close(offset, this.#message.isEnded);
    const message = this.#begin(offset);
    message.blocks.set(id, value);
    if (id === "4") message.isEnded = true;
    for (const [, tag, text] of value.matchAll(/\{(\w{1,3}):?([^{}]*)\}/g)) {
      message.tags.set(tag, text);
    }
    this.#extend(end);
  }

  #begin(offset: number): MtMessage {
    const message = this.#open(offset);
    message.isWrapped = true;
    return message;
  }

  #open(offset: number): MtMessage {
    return this.#message ??= {
      offset,
      bytes: 0,
      blocks: new Map(),
      tags: new Map(),
      fields: [],
      isWrapped: false,
      isEnded: false,
    };
  }

  #field(text: string, line: Line): void {
    const { fields } = this.#message!;
    const match = text.match(TAG);
    if (match) {
      if (fields.length >= FIELDS_MAX) throw this.#stray(text, line);
      fields.push({ tag: match[1], value: match[2], offset: line.offset, bytes: line.bytes });
      return;
    }
    const last = fields.at(-1);
    if (!last) {
      if (text.trim() === "") return;
      throw this.#stray(text, line);
    }
    last.value += `\n${text}`;
    last.bytes += line.bytes;
  }

  #extend(end: number): void {
    this.#at = end;
    if (this.#message) this.#message.bytes = end - this.#message.offset;
  }

  *#close(end: number, isEnded: boolean): Generator<MtMessage> {
    const message = this.#message!;
    this.#message = null;
    this.#isText = false;
    this.#block = "";
    message.bytes = end - message.offset;
    message.isEnded = isEnded;
    yield message;
  }

  #stray(text: string, { offset }: { offset: number }): AppError {
    return new AppError(
      "CORRUPT",
      `Cannot read ${this.#name} as SWIFT MT: at byte ${offset} is neither a block in braces nor a ` +
        `field, but ${JSON.stringify(text.slice(0, 60))}`,
    );
  }
}

/** Without braces the end of the file is the only sign, unless a statement has its last balance. */
function isComplete({ fields }: MtMessage): boolean {
  const tags = fields.map(({ tag }) => tag.slice(0, 2));
  return !tags.includes("60") || tags.includes("62");
}

function depthOf(text: string): number {
  let depth = 0;
  for (const char of text) {
    if (char === "{") depth++;
    else if (char === "}") depth--;
  }
  return depth;
}

/** `940`, or null when the message came without its header. */
export function typeOf({ blocks }: MtMessage): string | null {
  const service = blocks.get("1")?.slice(1, 3);
  if (service !== undefined && service !== "01") return service;
  return blocks.get("2")?.match(/^[IO](\d{3})/)?.[1] ?? null;
}
