/** @module What an ORC file says of itself: postscript, footer, types and stripes. */
import { type CodecName, codecNames, unpackBlock } from "./blocks.ts";
import type { FileBytes } from "./file_bytes.ts";
import { OrcError } from "./orc_error.ts";
import { ProtobufMessage } from "./protobuf.ts";

/** Kinds of types by their number. */
export const typeKinds = [
  "boolean",
  "byte",
  "short",
  "int",
  "long",
  "float",
  "double",
  "string",
  "binary",
  "timestamp",
  "list",
  "map",
  "struct",
  "union",
  "decimal",
  "date",
  "varchar",
  "char",
  "timestamp_instant",
] as const;
/** One of {@link typeKinds}. */
export type TypeKind = (typeof typeKinds)[number];

/** A type of the file's tree. */
export interface OrcType {
  /** The column's number: types in preorder. */
  id: number;
  kind: TypeKind;
  children: OrcType[];
  fieldNames: string[];
  precision: number;
  scale: number;
}

/** Where a stripe lies. */
export interface StripeInformation {
  offset: number;
  indexBytes: number;
  dataBytes: number;
  footerBytes: number;
  rows: number;
}

/** What the end of a file says. */
export interface OrcTail {
  codec: CodecName;
  blockBytesMax: number;
  /** Decimals of up to 18 digits are integers of the column's scale: files of the 2.0 drafts. */
  hasLongDecimals: boolean;
  /** Days before 1582-10-15 are those of the Julian calendar. */
  isJulian: boolean;
  root: OrcType;
  stripes: StripeInformation[];
  rows: number;
}

const TAIL_BYTES = 16 * 1024;
/** Footers of wide tables with many stripes are megabytes; one past this is none. */
const FOOTER_BYTES_MAX = 512 * 1024 * 1024;
const BLOCK_BYTES_MAX = 64 * 1024 * 1024;
const DEPTH_MAX = 100;

/** Read the end of a file. Throws OrcError where it is none of ORC. */
export function readTail(file: FileBytes): OrcTail {
  const { bytes: size } = file;
  if (size < 4) throw new OrcError(size, `it has ${size} bytes, and the shortest file has more`);
  const end = file.read(Math.max(0, size - TAIL_BYTES), Math.min(size, TAIL_BYTES));
  const psBytes = end[end.length - 1];
  if (psBytes === 0 || psBytes + 1 > end.length) {
    throw new OrcError(size - 1, `a postscript of ${psBytes} bytes can be none`);
  }
  const psAt = size - 1 - psBytes;
  const postscript = parsed(end.subarray(end.length - 1 - psBytes, end.length - 1), psAt);
  checkMagic(postscript, file, psAt);
  const { codec, blockBytesMax, version } = compressionOf(postscript, psAt);
  const footerBytes = numberOf(postscript, 1, psAt);
  const footerAt = psAt - footerBytes;
  if (footerAt < 0 || footerBytes > FOOTER_BYTES_MAX) {
    throw new OrcError(psAt, `a footer of ${footerBytes} bytes does not fit the file of ${size}`);
  }
  const packed = file.read(footerAt, footerBytes);
  const footer = parsed(unpackAll(packed, { codec, blockBytesMax, at: footerAt }), footerAt);
  refuseEncrypted(footer, footerAt);
  const root = typesOf(footer, footerAt);
  const stripes = OrcError.at(
    footerAt,
    () => footer.messages(3).map((stripe) => stripeOf(stripe, footerAt)),
  );
  checkStripes(stripes, footerAt);
  const rowsOfStripes = stripes.reduce((sum, stripe) => sum + stripe.rows, 0);
  const rows = footer.has(6) ? numberOf(footer, 6, footerAt) : rowsOfStripes;
  if (rows !== rowsOfStripes) {
    throw new OrcError(
      footerAt,
      `the footer speaks of ${rows} rows, and the stripes of ${rowsOfStripes}`,
    );
  }
  return {
    codec,
    blockBytesMax,
    hasLongDecimals: version[0] === 1 && version[1] === 9999,
    isJulian: numberOf(footer, 11, footerAt) === 1,
    root,
    stripes,
    rows,
  };
}

/** Join the blocks of a whole section. */
export function unpackAll(
  packed: Uint8Array,
  { codec, blockBytesMax, at }: Pick<OrcTail, "codec" | "blockBytesMax"> & { at: number },
): Uint8Array {
  if (codec === "none") return packed;
  const parts: Uint8Array[] = [];
  let total = 0;
  for (let next = 0; next < packed.length;) {
    if (next + 3 > packed.length) throw new OrcError(at + next, "the head of a block is cut off");
    const head = packed[next] | (packed[next + 1] << 8) | (packed[next + 2] << 16);
    const length = head >>> 1;
    next += 3;
    if (next + length > packed.length) {
      throw new OrcError(at + next, `a block of ${length} bytes is cut off`);
    }
    const block = packed.subarray(next, next + length);
    const part = head & 1 ? block : unpackedAt(block, { codec, blockBytesMax, at: at + next });
    parts.push(part);
    total += part.length;
    if (total > FOOTER_BYTES_MAX) throw new OrcError(at, `it unpacks to more than ${total} bytes`);
    next += length;
  }
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(total);
  parts.reduce((offset, part) => (all.set(part, offset), offset + part.length), 0);
  return all;
}

/** Unpack a block that lies at `at`. */
export function unpackedAt(
  block: Uint8Array,
  { codec, blockBytesMax, at }: Pick<OrcTail, "codec" | "blockBytesMax"> & { at: number },
): Uint8Array {
  try {
    return unpackBlock(block, codec, blockBytesMax);
  } catch (error) {
    throw new OrcError(at, (error as Error).message);
  }
}

function parsed(bytes: Uint8Array, at: number): ProtobufMessage {
  return OrcError.at(at, () => new ProtobufMessage(bytes));
}

function numberOf(message: ProtobufMessage, field: number, at: number): number {
  return OrcError.at(at, () => message.number(field));
}

function checkMagic(postscript: ProtobufMessage, file: FileBytes, psAt: number): void {
  if (postscript.has(8000) && OrcError.at(psAt, () => postscript.text(8000)) === "ORC") return;
  const begin = new TextDecoder().decode(file.read(0, 3));
  if (begin !== "ORC") {
    throw new OrcError(psAt, "there is no ORC in its postscript nor at its begin");
  }
}

function compressionOf(postscript: ProtobufMessage, psAt: number) {
  return OrcError.at(psAt, () => {
    const number = postscript.number(2);
    const codec = codecNames[number];
    if (!codec) throw new OrcError(psAt, `there is no compression ${number}`);
    const bytes = postscript.number(3, 256 * 1024) || 256 * 1024;
    if (bytes > BLOCK_BYTES_MAX && codec !== "none") {
      throw new OrcError(psAt, `blocks of ${bytes} bytes are over ${BLOCK_BYTES_MAX}`);
    }
    return { codec, blockBytesMax: bytes, version: postscript.numbers(4) };
  });
}

/** What is encrypted reads as the mask that was put over it: other values than the file's. */
function refuseEncrypted(footer: ProtobufMessage, at: number): void {
  OrcError.at(at, () => {
    const variants = footer.message(10)?.messages(3) ?? [];
    if (variants.length === 0) return;
    const columns = [...new Set(variants.map((variant) => variant.number(1)))].join(", ");
    throw new OrcError(
      at,
      `its columns ${columns} (by number) are encrypted, and can only be read with their keys`,
    );
  });
}

function stripeOf(stripe: ProtobufMessage, at: number): StripeInformation {
  return OrcError.at(at, () => ({
    offset: stripe.number(1),
    indexBytes: stripe.number(2),
    dataBytes: stripe.number(3),
    footerBytes: stripe.number(4),
    rows: stripe.number(5),
  }));
}

function checkStripes(stripes: readonly StripeInformation[], footerAt: number): void {
  for (const [i, { offset, indexBytes, dataBytes, footerBytes }] of stripes.entries()) {
    const end = offset + indexBytes + dataBytes + footerBytes;
    if (end <= footerAt && footerBytes <= FOOTER_BYTES_MAX) continue;
    throw new OrcError(
      footerAt,
      `stripe ${i + 1} from ${offset} to ${end} does not lie before the footer`,
    );
  }
}

function typesOf(footer: ProtobufMessage, at: number): OrcType {
  const messages = OrcError.at(at, () => footer.messages(4));
  let next = 0;
  const typeAt = (id: number, depth: number): OrcType => {
    const message = messages[id];
    if (!message || id !== next || depth > DEPTH_MAX) {
      throw new OrcError(at, `its types are no tree: ${id} of ${messages.length}`);
    }
    next++;
    const kind = typeKinds[message.number(1)];
    if (!kind) throw new OrcError(at, `column ${id} has the unknown type ${message.number(1)}`);
    const children = message.numbers(2).map((child) => typeAt(child, depth + 1));
    const fieldNames = message.texts(3);
    checkChildren({ id, kind, children, fieldNames }, at);
    return {
      id,
      kind,
      children,
      fieldNames,
      precision: message.number(5),
      scale: message.number(6),
    };
  };
  return OrcError.at(at, () => typeAt(0, 0));
}

function checkChildren(
  { id, kind, children, fieldNames }: Pick<OrcType, "id" | "kind" | "children" | "fieldNames">,
  at: number,
): void {
  const wanted = kind === "list"
    ? 1
    : kind === "map"
    ? 2
    : kind === "struct"
    ? fieldNames.length
    : kind === "union"
    ? Math.max(1, Math.min(children.length, 256))
    : 0;
  if (children.length === wanted) return;
  throw new OrcError(at, `column ${id}, a ${kind}, has ${children.length} types, not ${wanted}`);
}
