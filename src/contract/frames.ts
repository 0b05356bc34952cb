/**
 * @module The framing of {@link ./child.ts}: one frame a line, told from stray output by a nonce.
 *
 * Both ends use it, so nothing here loads more than the limits.
 */
import { limits } from "../base/limits.ts";
import { frameMark } from "./child.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NEWLINE = 0x0a;

/** One frame as bytes. */
export function encodeFrame(nonce: string, frame: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${frameMark}${nonce} ${JSON.stringify(frame)}\n`);
}

/** What a {@link FrameReader} finds. */
export interface FrameSink {
  /** The frame's JSON, not yet parsed, and its size. */
  frame(json: string, bytes: number): void;
  /** A line, or a piece of an endless one, that is no frame. */
  stray(line: string): void;
  /** A frame went past the limit; nothing after it can be read. */
  tooLarge(bytes: number): void;
}

/** Splits a stream of bytes into frames and stray lines. */
export class FrameReader {
  readonly #mark: Uint8Array;
  readonly #sink: FrameSink;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #broken = false;

  constructor(nonce: string, sink: FrameSink) {
    this.#mark = encoder.encode(`${frameMark}${nonce} `);
    this.#sink = sink;
  }

  /** Take the next bytes; the reader may keep them, so do not write into them afterwards. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (!this.#broken) {
      const end = chunk.indexOf(NEWLINE, at);
      if (end < 0) break;
      this.#line(this.#withPending(chunk.subarray(at, end)));
      at = end + 1;
    }
    if (at < chunk.length && !this.#broken) this.#keep(chunk.subarray(at));
  }

  /** The stream ended: what is left without a line's end is stray. */
  end(): void {
    const rest = this.#withPending(new Uint8Array(0));
    if (rest.length > 0 && !this.#broken) this.#stray(rest);
  }

  #line(line: Uint8Array): void {
    const start = findMark(line, this.#mark);
    if (start < 0) return this.#stray(line);
    if (start > 0) this.#stray(line.subarray(0, start));
    const json = line.subarray(start + this.#mark.length);
    if (json.length > limits.frameBytes) return this.#break(json.length);
    this.#sink.frame(decoder.decode(json), json.length);
  }

  #stray(line: Uint8Array): void {
    for (let at = 0; at === 0 || at < line.length; at += limits.logLineBytes) {
      this.#sink.stray(decoder.decode(line.subarray(at, at + limits.logLineBytes)));
    }
  }

  #keep(piece: Uint8Array): void {
    this.#pending.push(piece);
    this.#pendingBytes += piece.length;
    if (this.#pendingBytes <= limits.logLineBytes * 2) return;
    if (this.#pending.length > 1) {
      const first = this.#pending[0];
      if (findMark(first, this.#mark) >= 0) {
        if (this.#pendingBytes > limits.frameBytes + this.#mark.length) {
          this.#break(this.#pendingBytes);
        }
        return;
      }
    }
    const all = this.#withPending(new Uint8Array(0));
    const start = findMark(all, this.#mark);
    // Without a mark it is output; the last bytes may be the beginning of one.
    const stray = start < 0 ? all.length - this.#mark.length : start;
    if (stray > 0) this.#stray(all.subarray(0, stray));
    this.#pending = [all.subarray(stray)];
    this.#pendingBytes = all.length - stray;
  }

  #withPending(tail: Uint8Array): Uint8Array {
    if (this.#pending.length === 0) return tail;
    const all = new Uint8Array(this.#pendingBytes + tail.length);
    let at = 0;
    for (const piece of this.#pending) {
      all.set(piece, at);
      at += piece.length;
    }
    all.set(tail, at);
    this.#pending = [];
    this.#pendingBytes = 0;
    return all;
  }

  #break(bytes: number): void {
    this.#broken = true;
    this.#pending = [];
    this.#sink.tooLarge(bytes);
  }
}

function findMark(line: Uint8Array, mark: Uint8Array): number {
  for (let at = line.indexOf(mark[0]); at >= 0; at = line.indexOf(mark[0], at + 1)) {
    let same = 1;
    while (same < mark.length && line[at + same] === mark[same]) same++;
    if (same === mark.length) return at;
  }
  return -1;
}
