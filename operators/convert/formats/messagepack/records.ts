/** @module Records of a MessagePack file: values one after the other, or the elements of one array. */
import { AppError } from "../../../../src/model/errors.ts";
import { ByteWindow } from "../byte_window.ts";
import type { ReadCall } from "../format.ts";
import { depthMax, kinds, MessagePackDecoder, MessagePackError } from "./decoder.ts";

/** Fields of a record. */
const FIELDS_MAX = 5000;
/** Longest record. */
const RECORD_BYTES_MAX = 16 * 1024 * 1024;

/** A field of a record. */
export interface Field {
  name: string;
  /** One of `kinds`. */
  kind: number;
  value: unknown;
}

/** A record; its binary values are valid until the next one is asked for. */
export interface MessagePackRecord {
  offset: number;
  bytes: number;
  fields: Field[];
}

/** Walk over the records. Throws CORRUPT where the file is none. */
export function* messagePackRecords(
  call: Pick<ReadCall, "file" | "options" | "signal">,
): Generator<MessagePackRecord> {
  const { file, options, signal } = call;
  using input = Deno.openSync(file.path);
  const corrupt = (offset: number, why: string) =>
    new AppError("CORRUPT", `Cannot read ${file.name} as MessagePack: at byte ${offset}, ${why}`, {
      detail: { offset, why },
    });
  const window = new ByteWindow({
    read: (into) => input.readSync(into),
    stepBytesMax: RECORD_BYTES_MAX,
    tooLong: (offset) => corrupt(offset, `a record is longer than ${RECORD_BYTES_MAX} bytes`),
  });
  try {
    yield* recordsIn(window, tokensOf(options.records ?? ""), { file, signal });
  } catch (error) {
    throw error instanceof MessagePackError ? corrupt(error.offset, error.why) : error;
  }
}

function* recordsIn(
  window: ByteWindow,
  tokens: readonly string[],
  { file, signal }: Pick<ReadCall, "file" | "signal">,
): Generator<MessagePackRecord> {
  const decoder = new MessagePackDecoder(window);
  const step = <T>(take: () => T): T => {
    let taken: T;
    window.step((at) => {
      decoder.at = at;
      taken = take();
      return decoder.at;
    });
    return taken!;
  };
  for (const [depth, token] of tokens.entries()) goTo(token, depth, decoder, step, file.name);
  window.hasMore();
  const list = step(() => {
    const { at } = decoder;
    const opened = decoder.open();
    if (opened && !opened.isMap) return opened.length;
    decoder.at = at;
    return null;
  });
  const isOne = tokens.length > 0;
  let left = list ?? (isOne ? 1 : Infinity);
  for (; left > 0 && (left !== Infinity || window.hasMore()); left--) {
    signal.throwIfAborted();
    const { offset } = window;
    const fields = step(() => fieldsOf(decoder));
    yield { offset, bytes: window.offset - offset, fields };
  }
  if (isOne || list === null) return;
  if (window.hasMore()) {
    throw new MessagePackError(window.offset, "something follows the array of records");
  }
}

/** Go to a member or an element, past those before it. */
function goTo(
  token: string,
  depth: number,
  decoder: MessagePackDecoder,
  step: <T>(take: () => T) => T,
  name: string,
): void {
  const opened = step(() => decoder.open());
  for (let i = 0; i < (opened?.length ?? 0); i++) {
    const found = opened!.isMap ? step(() => decoder.name()) : String(i);
    if (found === token) return;
    step(() => decoder.skip(depth));
  }
  throw new AppError(
    "CORRUPT",
    `Cannot read ${name} as MessagePack: there is no ${JSON.stringify(token)} on the way to its ` +
      `records`,
  );
}

function tokensOf(pointer: string): string[] {
  return pointer.split("/").slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The members of a map, the elements of an array, or the one value. */
function fieldsOf(decoder: MessagePackDecoder): Field[] {
  const start = decoder.at;
  const opened = decoder.open();
  if (opened === null) return [field(decoder, "value")];
  if (opened.length > FIELDS_MAX) {
    throw decoder.error(start, `a record has ${opened.length} fields`);
  }
  const fields: Field[] = [];
  for (let i = 0; i < opened.length; i++) {
    fields.push(field(decoder, opened.isMap ? decoder.name() : String(i)));
  }
  return fields;
}

function field(decoder: MessagePackDecoder, name: string): Field {
  const value = decoder.value(1);
  return { name, kind: decoder.kind, value };
}

/** Is the beginning of a file MessagePack of maps with names, or of an array of such? */
export function looksLikeRecords(head: Uint8Array): boolean {
  let isRead = false;
  const window = new ByteWindow({
    read(into) {
      if (isRead) return null;
      isRead = true;
      into.set(head);
      return head.length;
    },
    stepBytesMax: head.length,
    tooLong: () => new Error("the head is not enough"),
  });
  if (!window.hasMore()) return false;
  const decoder = new MessagePackDecoder(window);
  try {
    let opened = decoder.open();
    if (opened && !opened.isMap && opened.length > 0) opened = decoder.open();
    if (!opened?.isMap || opened.length === 0) return false;
    for (let i = 0; i < opened.length; i++) {
      const name = decoder.value(depthMax);
      if (decoder.kind !== kinds.string || /\p{Cc}/u.test(name as string)) return false;
      decoder.value(0);
    }
    return true;
  } catch {
    return false;
  }
}
