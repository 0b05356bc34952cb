/** @module A message type as columns: from the text of a .proto file, or a descriptor. */
import protobuf from "protobufjs";
import "protobufjs/ext/descriptor/index.js";
import { AppError, messageOf } from "../../../../src/model/errors.ts";
import type { StagedType } from "../staged_type.ts";
import type { ProtobufParams } from "./params.ts";

/** How a scalar lies on the wire, by its type's name. */
export const scalarWires: Readonly<Record<string, number>> = {
  int32: 0,
  int64: 0,
  uint32: 0,
  uint64: 0,
  sint32: 0,
  sint64: 0,
  bool: 0,
  enum: 0,
  fixed64: 1,
  sfixed64: 1,
  double: 1,
  string: 2,
  bytes: 2,
  fixed32: 5,
  sfixed32: 5,
  float: 5,
};

const scalarTypes: Readonly<Record<string, StagedType>> = {
  int32: "INTEGER",
  sint32: "INTEGER",
  sfixed32: "INTEGER",
  uint32: "UINTEGER",
  fixed32: "UINTEGER",
  int64: "BIGINT",
  sint64: "BIGINT",
  sfixed64: "BIGINT",
  uint64: "UBIGINT",
  fixed64: "UBIGINT",
  bool: "BOOLEAN",
  enum: "VARCHAR",
  double: "DOUBLE",
  float: "FLOAT",
  string: "VARCHAR",
  bytes: "BLOB",
};

/** A field of a message. */
export interface FieldPlan {
  id: number;
  name: string;
  /** Of a scalar its type's name; `message`. */
  kind: string;
  /** Fields of its messages. */
  message: MessagePlan | null;
  /** Of a map: its entries, with a key and a value. */
  entry: MessagePlan | null;
  isRepeated: boolean;
  isRequired: boolean;
  /** Without a value: what it has by the schema's rules; null where it then has none. */
  absent: unknown;
  /** Names of an enum's numbers. */
  names: ReadonlyMap<number, string> | null;
  /** Other members of its oneof. */
  rivals: readonly string[];
}

/** A message type. */
export interface MessagePlan {
  name: string;
  fields: FieldPlan[];
  byId: Map<number, FieldPlan>;
  /** A type of google.protobuf that is a value rather than a message. */
  wellKnown: "timestamp" | "wrapper" | null;
  /** Its column is JSON: it has no fields, or may hold itself. */
  isJson: boolean;
}

/** The type of the file's messages. Throws INVALID for a schema that is none, or has it not. */
export function messagePlan(params: ProtobufParams): MessagePlan {
  const root = rootOf(params);
  let type: protobuf.Type;
  try {
    root.resolveAll();
    type = root.lookupType(params.message);
  } catch (error) {
    throw invalid(messageOf(error), error);
  }
  const planner = new Planner();
  const plan = planner.plan(type);
  planner.finish();
  return plan;
}

function rootOf({ schema, imports, descriptor }: ProtobufParams): protobuf.Root {
  if (descriptor !== undefined) {
    try {
      const { fromDescriptor } = protobuf.Root as unknown as {
        fromDescriptor(bytes: Uint8Array): protobuf.Root;
      };
      return fromDescriptor(Uint8Array.fromBase64(descriptor));
    } catch (error) {
      throw invalid(`the descriptor is no FileDescriptorSet, ${messageOf(error)}`, error);
    }
  }
  const root = new protobuf.Root();
  const known = new Set<string>();
  const add = (text: string, name: string) => {
    let found: string[];
    try {
      const parsed = protobuf.parse(text, root, { keepCase: true });
      found = [...parsed.imports ?? [], ...parsed.weakImports ?? []];
    } catch (error) {
      throw invalid(`${name} is no .proto file, ${messageOf(error)}`, error);
    }
    for (const each of found) {
      if (known.has(each)) continue;
      known.add(each);
      const common = protobuf.common.get(each);
      if (Object.hasOwn(imports, each)) add(imports[each], each);
      else if (common) root.addJSON(common.nested!);
      else throw invalid(`${name} imports ${each}, of which "imports" has no text`);
    }
  };
  add(schema!, "the schema");
  return root;
}

class Planner {
  readonly #plans = new Map<protobuf.Type, MessagePlan>();

  plan(type: protobuf.Type): MessagePlan {
    const known = this.#plans.get(type);
    if (known) return known;
    const name = type.fullName.replace(/^\./, "");
    const plan: MessagePlan = {
      name,
      fields: [],
      byId: new Map(),
      wellKnown: wellKnown(name),
      isJson: false,
    };
    this.#plans.set(type, plan);
    for (const field of type.fieldsArray) {
      const planned = this.#field(field);
      plan.fields.push(planned);
      plan.byId.set(planned.id, planned);
    }
    return plan;
  }

  /** Once all types are there: which of them are JSON. */
  finish(): void {
    for (const plan of this.#plans.values()) {
      plan.isJson = plan.fields.length === 0 || holdsItself(plan);
    }
  }

  #field(field: protobuf.Field): FieldPlan {
    const { resolvedType } = field;
    const isEnum = resolvedType instanceof protobuf.Enum;
    const isMessage = resolvedType instanceof protobuf.Type;
    const kind = isEnum ? "enum" : isMessage ? "message" : field.type;
    const names = isEnum
      ? new Map(Object.entries(resolvedType.valuesById).map(([id, name]) => [Number(id), name]))
      : null;
    const isRepeated = field.repeated || field.map;
    const oneof = field.partOf;
    const isImplicit = !isMessage && !isRepeated && !oneof && !field.hasPresence;
    const message = isMessage ? this.plan(resolvedType) : null;
    return {
      id: field.id,
      name: field.name,
      kind,
      message,
      entry: field instanceof protobuf.MapField
        ? entryPlan(memberPlan(1, "key", field.keyType), {
          ...memberPlan(2, "value", kind, names),
          message,
        })
        : null,
      isRepeated,
      isRequired: field.required,
      absent: isImplicit ? zeroOf(kind, names) : null,
      names,
      rivals: oneof ? oneof.oneof.filter((name) => name !== field.name) : [],
    };
  }
}

function entryPlan(key: FieldPlan, value: FieldPlan): MessagePlan {
  const byId = new Map([[1, key], [2, value]]);
  return { name: "entry", fields: [key, value], byId, wellKnown: null, isJson: false };
}

function memberPlan(
  id: number,
  name: string,
  kind: string,
  names: FieldPlan["names"] = null,
): FieldPlan {
  return {
    id,
    name,
    kind,
    message: null,
    entry: null,
    isRepeated: false,
    isRequired: false,
    absent: kind === "message" ? null : zeroOf(kind, names),
    names,
    rivals: [],
  };
}

/** What a scalar without presence has when it is not there. */
function zeroOf(kind: string, names: ReadonlyMap<number, string> | null): unknown {
  switch (scalarTypes[kind]) {
    case "BIGINT":
    case "UBIGINT":
      return 0n;
    case "BOOLEAN":
      return false;
    case "BLOB":
      return new Uint8Array();
    case "VARCHAR":
      return kind === "enum" ? names!.get(0) ?? "0" : "";
    default:
      return 0;
  }
}

function wellKnown(name: string): MessagePlan["wellKnown"] {
  if (name === "google.protobuf.Timestamp") return "timestamp";
  return /^google\.protobuf\.(Double|Float|U?Int(32|64)|Bool|String|Bytes)Value$/.test(name)
    ? "wrapper"
    : null;
}

/** The column's type. */
export function stagedTypeOf(field: FieldPlan, isNested = false): StagedType {
  const own = valueTypeOf(field);
  // In nested values JSON is text to the engine.
  const value = own === "JSON" && (isNested || field.isRepeated) ? "VARCHAR" : own;
  if (field.entry) return { map: [scalarTypes[field.entry.fields[0].kind], value] };
  return field.isRepeated ? { list: value } : value;
}

function valueTypeOf({ kind, message }: FieldPlan): StagedType {
  if (message === null) return scalarTypes[kind];
  if (message.wellKnown === "timestamp") return "TIMESTAMP_NS";
  if (message.wellKnown === "wrapper") return scalarTypes[message.fields[0].kind];
  if (message.isJson) return "JSON";
  return {
    struct: message.fields.map((field) => ({ name: field.name, type: stagedTypeOf(field, true) })),
  };
}

/** Can a message of this type hold another one of its type? */
function holdsItself(plan: MessagePlan): boolean {
  const seen = new Set<MessagePlan>();
  const reaches = (from: MessagePlan): boolean =>
    from.fields.some(({ message }) => {
      if (message === null) return false;
      if (message === plan) return true;
      if (seen.has(message)) return false;
      seen.add(message);
      return reaches(message);
    });
  return reaches(plan);
}

function invalid(why: string, cause?: unknown): AppError {
  return new AppError("INVALID", `Cannot read Protocol Buffers by this schema: ${why}`, { cause });
}
