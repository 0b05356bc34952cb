/** @module Fields of protobuf messages, as they stand in ORC's footers. */

/** Bytes that are no message. */
export class ProtobufError extends Error {}

/** One message: fields by number, each with all its values. Names of fields are the caller's. */
export class ProtobufMessage {
  readonly #fields = new Map<number, (number | bigint | Uint8Array)[]>();

  constructor(bytes: Uint8Array) {
    let at = 0;
    const varint = (): bigint => {
      let value = 0n;
      for (let shift = 0n; shift < 70n; shift += 7n) {
        if (at >= bytes.length) throw new ProtobufError(`a number is cut off at byte ${at}`);
        const byte = bytes[at++];
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return BigInt.asUintN(64, value);
      }
      throw new ProtobufError(`a number at byte ${at} has more than ten bytes`);
    };
    const skip = (length: number): Uint8Array => {
      if (length > bytes.length - at) {
        throw new ProtobufError(`a field of ${length} bytes at byte ${at} is cut off`);
      }
      at += length;
      return bytes.subarray(at - length, at);
    };
    while (at < bytes.length) {
      const key = Number(varint());
      const field = Math.floor(key / 8);
      const value = key % 8 === 0
        ? varint()
        : key % 8 === 1
        ? skip(8)
        : key % 8 === 2
        ? skip(Number(varint()))
        : key % 8 === 5
        ? skip(4)
        : null;
      if (field === 0 || value === null) {
        throw new ProtobufError(`the key ${key} before byte ${at} is none`);
      }
      const values = this.#fields.get(field);
      if (values) values.push(value);
      else this.#fields.set(field, [value]);
    }
  }

  /** The number of a field; `otherwise` where it has none. Throws where it is past 2^53. */
  number(field: number, otherwise = 0): number {
    const value = this.#fields.get(field)?.at(-1);
    return value === undefined ? otherwise : safeNumber(value, field);
  }

  /** All numbers of a field, packed or not. */
  numbers(field: number): number[] {
    const numbers: number[] = [];
    for (const value of this.#fields.get(field) ?? []) {
      if (value instanceof Uint8Array) numbers.push(...unpacked(value, field));
      else numbers.push(safeNumber(value, field));
    }
    return numbers;
  }

  has(field: number): boolean {
    return this.#fields.has(field);
  }

  text(field: number): string {
    return this.texts(field).at(-1) ?? "";
  }

  texts(field: number): string[] {
    return this.#all(field).map((bytes) => new TextDecoder().decode(bytes));
  }

  message(field: number): ProtobufMessage | null {
    return this.messages(field).at(-1) ?? null;
  }

  messages(field: number): ProtobufMessage[] {
    return this.#all(field).map((bytes) => new ProtobufMessage(bytes));
  }

  #all(field: number): Uint8Array[] {
    return (this.#fields.get(field) ?? []).map((value) => {
      if (value instanceof Uint8Array) return value;
      throw new ProtobufError(`field ${field} holds a number, not bytes`);
    });
  }
}

function unpacked(bytes: Uint8Array, field: number): number[] {
  const numbers: number[] = [];
  let value = 0;
  let scale = 1;
  for (const byte of bytes) {
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte >= 0x80 && scale < 2 ** 70) continue;
    numbers.push(safeNumber(BigInt(value), field));
    value = 0;
    scale = 1;
  }
  if (scale !== 1) throw new ProtobufError(`the numbers of field ${field} are cut off`);
  return numbers;
}

function safeNumber(value: number | bigint | Uint8Array, field: number): number {
  if (value instanceof Uint8Array) {
    throw new ProtobufError(`field ${field} holds bytes, not a number`);
  }
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw new ProtobufError(`field ${field} holds ${value}, which can be none of its numbers`);
  }
  return number;
}
