/** @module Messages of a file: where each begins and ends. */
import { AppError } from "../../../../src/model/errors.ts";
import { ByteWindow, needsMore } from "../byte_window.ts";
import type { ReadCall } from "../format.ts";
import type { ProtobufParams } from "./params.ts";
import type { MessagePlan } from "./schema.ts";

/** Longest message. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;

/** A message in the window's buffer, until the next one is asked for. */
export interface Frame {
  /** Of its first byte in the file; its length is before it. */
  offset: number;
  buffer: Uint8Array;
  start: number;
  end: number;
}

/** The messages of a file. Throws CORRUPT where it is cut off. */
export function* framesOf(
  { file, options, signal }: Pick<ReadCall, "file" | "options" | "signal">,
  { framing }: Pick<ProtobufParams, "framing">,
  path: readonly { id: number; name: string }[],
): Generator<Frame> {
  using input = Deno.openSync(file.path);
  const corrupt = (offset: number, why: string) =>
    new AppError(
      "CORRUPT",
      `Cannot read ${file.name} as Protocol Buffers (framing ${framing}): at byte ${offset}, ${why}`,
      { detail: { offset, why } },
    );
  const window = new ByteWindow({
    read: (into) => input.readSync(into),
    stepBytesMax: MESSAGE_BYTES_MAX + 16,
    tooLong: (offset) => corrupt(offset, `a message is longer than ${MESSAGE_BYTES_MAX} bytes`),
  });
  const frames = new Frames(window, corrupt);
  if (options.records !== undefined) {
    for (const frame of frames.inside(path, 0, file.bytes)) {
      signal.throwIfAborted();
      yield frame;
    }
  } else if (framing === "single") yield frames.take(file.bytes);
  else {
    while (window.hasMore()) {
      signal.throwIfAborted();
      yield frames.take(frames.length(framing));
    }
  }
}

class Frames {
  readonly #window: ByteWindow;
  readonly #corrupt: (offset: number, why: string) => AppError;

  constructor(window: ByteWindow, corrupt: (offset: number, why: string) => AppError) {
    this.#window = window;
    this.#corrupt = corrupt;
  }

  /** The next bytes. */
  take(bytes: number): Frame {
    const window = this.#window;
    const { offset } = window;
    if (bytes > MESSAGE_BYTES_MAX) {
      throw this.#corrupt(
        offset,
        `a message of ${bytes} bytes is longer than ${MESSAGE_BYTES_MAX}`,
      );
    }
    window.step((at) => this.#need(at, bytes));
    const { buffer, at: end } = window;
    return { offset, buffer, start: end - bytes, end };
  }

  /** The length that is here. */
  length(framing: ProtobufParams["framing"]): number {
    if (framing === "varint") return this.#varint();
    let length = 0;
    const window = this.#window;
    window.step((at) => {
      const past = this.#need(at, 4);
      length = window.view.getUint32(at, framing === "fixed32le");
      return past;
    });
    return length;
  }

  /** Elements of a repeated field, on the way of fields that are messages; up to this offset. */
  *inside(
    path: readonly { id: number; name: string }[],
    depth: number,
    end: number,
  ): Generator<Frame> {
    const window = this.#window;
    while (window.offset < end && window.hasMore()) {
      const { offset } = window;
      const tag = this.#varint();
      const wire = tag % 8;
      const id = Math.floor(tag / 8);
      if (id === 0 || wire === 3 || wire === 4 || wire > 5) {
        throw this.#corrupt(offset, `${tag} is no field's tag`);
      }
      if (wire === 0) this.#varint();
      else if (wire === 1 || wire === 5) this.take(wire === 1 ? 8 : 4);
      else {
        const length = this.#varint();
        const past = window.offset + length;
        if (past > end) {
          throw this.#corrupt(offset, `${length} bytes are announced, and there are fewer`);
        }
        if (id !== path[depth].id) this.#skip(length);
        else if (depth === path.length - 1) yield this.take(length);
        else yield* this.inside(path, depth + 1, past);
      }
    }
  }

  #skip(bytes: number): void {
    for (let left = bytes; left > 0;) {
      const part = Math.min(left, 1 << 20);
      this.take(part);
      left -= part;
    }
  }

  #varint(): number {
    const window = this.#window;
    let value = 0;
    window.step((at) => {
      value = 0;
      for (let i = 0; i < 10; i++) {
        const byte = window.buffer[this.#need(at + i, 1) - 1];
        value += (byte & 0x7f) * 2 ** (7 * i);
        if (byte < 0x80) return at + i + 1;
      }
      throw this.#corrupt(window.offsetOf(at), "a varint has more than ten bytes");
    });
    return value;
  }

  #need(at: number, bytes: number): number {
    const window = this.#window;
    if (at + bytes <= window.end) return at + bytes;
    if (!window.isEnd) throw needsMore;
    const left = window.end - at;
    throw this.#corrupt(
      window.offsetOf(window.end),
      `it ends too early, ${bytes - left} bytes before a message's end`,
    );
  }
}

/** The fields on the way to the records. Throws INVALID for what is no repeated message at its end. */
export function pathOf(
  plan: MessagePlan,
  records: string,
): { path: { id: number; name: string }[]; plan: MessagePlan } {
  const path: { id: number; name: string }[] = [];
  let inside = plan;
  const names = records.split("/").slice(1);
  for (const [i, name] of names.entries()) {
    const field = inside.fields.find((field) => field.name === name);
    const isLast = i === names.length - 1;
    if (!field?.message || field.entry || field.isRepeated !== isLast) {
      throw new AppError(
        "INVALID",
        `Cannot read records at ${
          JSON.stringify(records)
        }: in ${inside.name} "${name}" should be ` +
          `a ${isLast ? "repeated " : ""}field of messages`,
      );
    }
    path.push({ id: field.id, name });
    inside = field.message;
  }
  return { path, plan: inside };
}
