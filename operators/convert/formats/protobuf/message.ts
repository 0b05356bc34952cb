/**
 * @module Decodes messages by their type, as they stand: integers of 64 bits as bigints, texts that
 * are UTF-8 or refused, fields that the type does not have kept. (npm's decoders drop those, or need
 * code made at run time.)
 */
import { instantText } from "../messagepack/decoder.ts";
import { type FieldPlan, type MessagePlan, scalarWires } from "./schema.ts";

/** Deepest nesting of messages. */
export const depthMax = 100;

/** What is wrong with a message, and where in its bytes. */
export class MessageError extends Error {
  constructor(readonly at: number, readonly why: string) {
    super(why);
  }
}

/** A field that the type does not have. */
export interface UnknownField {
  /** Names of the fields that it is in. */
  in: string;
  field: number;
  wire: number;
  base64: string;
}

type Values = Record<string, unknown>;

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads messages in a buffer. */
export class MessageReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  unknown: UnknownField[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The values of the message from `start` to `end`, as columns have them. Throws MessageError. */
  read(plan: MessagePlan, start: number, end: number): Values {
    this.unknown = [];
    this.#at = start;
    const values: Values = Object.create(null);
    this.#message(plan, values, end, { path: "", depth: 0 });
    return finished(plan, values, start);
  }

  #message(
    plan: MessagePlan,
    values: Values,
    end: number,
    { path, depth, group }: { path: string; depth: number; group?: number },
  ): void {
    if (depth > depthMax) throw this.#error(`nesting is deeper than ${depthMax}`);
    while (this.#at < end) {
      const start = this.#at;
      const tag = this.#tag(end);
      const id = tag >>> 3;
      const wire = tag & 7;
      if (wire === 4 && id === group) return;
      if (wire === 4) {
        throw new MessageError(start, `${tag} is no field's tag`);
      }
      const field = plan.byId.get(id);
      const isTaken = field !== undefined &&
        this.#field(field, wire, values, end, { path: join(path, field.name), depth });
      if (isTaken) continue;
      this.#skip(id, wire, end, depth);
      const base64 = this.#bytes.subarray(start, this.#at).toBase64();
      this.unknown.push({ in: path, field: id, wire, base64 });
    }
    if (group !== undefined) throw this.#error("a group is never closed");
  }

  /** False when the field is not of its type's wire, so that it is an unknown one. */
  #field(
    field: FieldPlan,
    wire: number,
    values: Values,
    end: number,
    inside: { path: string; depth: number },
  ): boolean {
    if (field.entry) {
      if (wire !== 2) return false;
      ((values[field.name] ??= []) as unknown[]).push(this.#entry(field.entry, end, inside));
      return true;
    }
    if (field.message) {
      if (wire !== 2 && wire !== 3) return false;
      this.#submessage(field, wire, values, end, inside);
      return true;
    }
    const own = scalarWires[field.kind];
    if (field.isRepeated) {
      const list = (values[field.name] ??= []) as unknown[];
      if (wire === own) list.push(this.#scalar(field, end));
      else if (wire === 2 && own !== 2) {
        const packedEnd = this.#length(end);
        while (this.#at < packedEnd) list.push(this.#scalar(field, packedEnd));
      } else return false;
      return true;
    }
    if (wire !== own) return false;
    for (const rival of field.rivals) delete values[rival];
    values[field.name] = this.#scalar(field, end);
    return true;
  }

  #submessage(
    field: FieldPlan,
    wire: number,
    values: Values,
    end: number,
    { path, depth }: { path: string; depth: number },
  ): void {
    for (const rival of field.rivals) delete values[rival];
    const start = this.#at;
    // A message that comes twice is merged, as the format says.
    const before = field.isRepeated ? undefined : values[field.name] as Values | undefined;
    const into: Values = before ?? Object.create(null);
    if (wire === 3) {
      this.#message(field.message!, into, end, { path, depth: depth + 1, group: field.id });
    } else this.#message(field.message!, into, this.#length(end), { path, depth: depth + 1 });
    if (field.isRepeated) {
      ((values[field.name] ??= []) as unknown[]).push(finished(field.message!, into, start));
    } else values[field.name] = into;
  }

  #entry(
    entry: MessagePlan,
    end: number,
    { path, depth }: { path: string; depth: number },
  ): unknown {
    const start = this.#at;
    const values: Values = Object.create(null);
    this.#message(entry, values, this.#length(end), { path, depth: depth + 1 });
    const [, { name, message }] = entry.fields;
    if (message && values[name] === undefined) values[name] = Object.create(null);
    return finished(entry, values, start);
  }

  #scalar({ kind, names }: FieldPlan, end: number): unknown {
    switch (kind) {
      case "bool":
        return this.#whole(end) !== 0;
      case "int32":
        return this.#int32(end);
      case "uint32":
        return this.#int32(end) >>> 0;
      case "sint32": {
        const zigzag = this.#int32(end) >>> 0;
        return zigzag >>> 1 ^ -(zigzag & 1);
      }
      case "enum": {
        const number = this.#int32(end);
        return names!.get(number) ?? String(number);
      }
      case "int64":
        return BigInt.asIntN(64, this.#varint(end));
      case "uint64":
        return this.#varint(end);
      case "sint64": {
        const zigzag = this.#varint(end);
        return zigzag >> 1n ^ -(zigzag & 1n);
      }
      case "fixed32":
        return this.#view.getUint32(this.#take(4, end), true);
      case "sfixed32":
        return this.#view.getInt32(this.#take(4, end), true);
      case "float":
        return this.#view.getFloat32(this.#take(4, end), true);
      case "fixed64":
        return this.#view.getBigUint64(this.#take(8, end), true);
      case "sfixed64":
        return this.#view.getBigInt64(this.#take(8, end), true);
      case "double":
        return this.#view.getFloat64(this.#take(8, end), true);
    }
    const past = this.#length(end);
    const bytes = this.#bytes.slice(this.#at, past);
    const start = this.#at;
    this.#at = past;
    if (kind === "bytes") return bytes;
    try {
      return strict.decode(bytes);
    } catch {
      throw new MessageError(start, "a text is no UTF-8");
    }
  }

  #skip(id: number, wire: number, end: number, depth: number): void {
    if (wire === 0) this.#varint(end);
    else if (wire === 1) this.#take(8, end);
    else if (wire === 5) this.#take(4, end);
    else if (wire === 2) this.#at = this.#length(end);
    else {
      if (depth > depthMax) throw this.#error(`nesting is deeper than ${depthMax}`);
      while (true) {
        if (this.#at >= end) throw this.#error("a group is never closed");
        const start = this.#at;
        const tag = this.#tag(end);
        if ((tag & 7) === 4 && tag >>> 3 === id) return;
        if ((tag & 7) === 4) {
          throw new MessageError(start, `${tag} is no field's tag`);
        }
        this.#skip(tag >>> 3, tag & 7, end, depth + 1);
      }
    }
  }

  /** Past what is as long as the varint here says. */
  #length(end: number): number {
    const start = this.#at;
    const length = this.#whole(end);
    if (length > end - this.#at) {
      throw new MessageError(
        start,
        `${length} bytes are announced, and ${end - this.#at} are left`,
      );
    }
    return this.#at + length;
  }

  #tag(end: number): number {
    const start = this.#at;
    const tag = this.#whole(end);
    if (tag < 8 || tag > 0xffff_ffff || (tag & 7) > 5) {
      throw new MessageError(start, `${tag} is no field's tag`);
    }
    return tag;
  }

  #int32(end: number): number {
    const whole = this.#whole(end);
    return whole < 2 ** 31 ? whole : Number(BigInt.asIntN(32, BigInt(this.#last)));
  }

  /** The last varint, where it is more than a number holds. */
  #last: bigint | number = 0;

  /** A varint as a number; rounded, above 2^53, where {@link #last} has it. */
  #whole(end: number): number {
    const bytes = this.#bytes;
    let at = this.#at;
    let value = 0;
    for (let shift = 0; shift < 28 && at < end; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#at = at;
        this.#last = value;
        return value;
      }
    }
    return Number(this.#last = this.#varint(end));
  }

  #varint(end: number): bigint {
    const start = this.#at;
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte(end);
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte(end);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new MessageError(start, "a varint has more than ten bytes");
  }

  #byte(end: number): number {
    return this.#bytes[this.#take(1, end)];
  }

  #take(bytes: number, end: number): number {
    const at = this.#at;
    if (at + bytes > end) throw this.#error("it ends too early");
    this.#at = at + bytes;
    return at;
  }

  #error(why: string): MessageError {
    return new MessageError(this.#at, why);
  }
}

/** A message's values in full: what is absent by its rules, and what is a value of another type. */
function finished(plan: MessagePlan, values: Values, at: number): Values {
  for (const { name, message, entry, isRepeated, isRequired, absent } of plan.fields) {
    const value = values[name];
    if (value === undefined) {
      if (isRequired) throw new MessageError(at, `the required field "${name}" is missing`);
      values[name] = isRepeated ? [] : absent;
    } else if (message && !entry) {
      values[name] = isRepeated
        ? (value as Values[]).map((each) => valueOf(message, each, at))
        : valueOf(message, finished(message, value as Values, at), at);
    }
  }
  return values;
}

/** A message as its column has it. */
function valueOf(plan: MessagePlan, values: Values, at: number): unknown {
  if (plan.wellKnown === "wrapper") return values.value;
  if (plan.wellKnown !== "timestamp") return plan.isJson ? messageJson(plan, values) : values;
  const nanoseconds = (values.seconds as bigint) * 1_000_000_000n + BigInt(values.nanos as number);
  if (BigInt.asIntN(64, nanoseconds) === nanoseconds) return nanoseconds;
  throw new MessageError(at, `the instant ${instantText(nanoseconds)} is too far for nanoseconds`);
}

/** A message as JSON text, by the encoding that JSON is written in here. */
function messageJson(plan: MessagePlan, values: Values): string {
  const members = plan.fields.flatMap((field) => {
    const value = values[field.name];
    if (value === null || (Array.isArray(value) && value.length === 0)) return [];
    return [`${JSON.stringify(field.name)}:${fieldJson(field, value)}`];
  });
  return `{${members.join(",")}}`;
}

function fieldJson(field: FieldPlan, value: unknown): string {
  const { entry, isRepeated } = field;
  if (entry) {
    const [key, member] = entry.fields;
    const members = (value as Values[]).map((each) =>
      `${JSON.stringify(String(each[key.name]))}:${fieldJson(member, each[member.name])}`
    );
    return `{${members.join(",")}}`;
  }
  if (!isRepeated) return valueJson(field, value);
  return `[${(value as unknown[]).map((each) => valueJson(field, each)).join(",")}]`;
}

function valueJson({ message }: FieldPlan, value: unknown): string {
  if (message?.isJson) return value as string;
  if (message?.wellKnown === "timestamp") return JSON.stringify(instantText(value as bigint));
  if (message && message.wellKnown === null) return messageJson(message, value as Values);
  if (value instanceof Uint8Array) return JSON.stringify(value.toBase64());
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return JSON.stringify(String(value));
  return JSON.stringify(value);
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
