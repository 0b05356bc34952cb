/** @module Our shapes as JSON Schema for the documentation: zod's own, with named ones kept apart. */
import { z } from "zod";

/** A JSON Schema. */
export type Schema = Record<string, unknown>;

/** Turns shapes into schemas; those with an id are collected and referred to. */
export interface SchemaBook {
  /** Of what comes in, or of what goes out. */
  schemaOf(shape: z.ZodType, io: "input" | "output"): Schema;
  /** The named ones so far. */
  readonly named: ReadonlyMap<string, Schema>;
}

/** An empty book. */
export function schemaBook(): SchemaBook {
  const named = new Map<string, Schema>();
  return {
    named,
    schemaOf(shape, io) {
      const converted = z.toJSONSchema(shape, {
        io,
        unrepresentable: "any",
        override: ({ zodSchema, jsonSchema }) =>
          tidy(zodSchema._zod.def.type, jsonSchema as unknown as Schema),
      }) as unknown as Schema;
      const { $schema: _, $defs = {}, ...schema } = converted;
      const names = nameAll($defs as Record<string, Schema>, named);
      return refer(schema, names) as Schema;
    },
  };
}

/** Free JSON as {}, `doc` as `description`, no patterns where a format says it. */
function tidy(type: string, schema: Schema): void {
  if (type === "lazy") {
    for (const key of Object.keys(schema)) delete schema[key];
    return;
  }
  if (typeof schema.doc === "string") {
    schema.description = schema.doc;
    delete schema.doc;
  }
  if (schema.format === "date-time" || schema.format === "uuid" || schema.type === "integer") {
    delete schema.pattern;
  }
  if (schema.type === "array" && Array.isArray(schema.anyOf)) {
    const list = schema.anyOf.find((each) => (each as Schema).type === "array") as Schema;
    schema.items = list?.items ?? {};
    delete schema.anyOf;
  }
}

/** Put definitions among the named ones; where one differs from its namesake it gets a name of its own. */
function nameAll(defs: Record<string, Schema>, named: Map<string, Schema>): Map<string, string> {
  const names = new Map<string, string>();
  for (const [id, schema] of Object.entries(defs)) {
    if (Object.keys(schema).length === 0) continue;
    let name = id.startsWith("__") ? `Shape${named.size + 1}` : id;
    const text = JSON.stringify(schema);
    const before = named.get(name);
    if (before && JSON.stringify(before) !== text) name = `${id}Input`;
    names.set(`#/$defs/${id}`, name);
    named.set(name, schema);
  }
  for (const name of names.values()) named.set(name, refer(named.get(name), names) as Schema);
  return names;
}

/** References as the document has them; one to free JSON becomes {}. */
function refer(part: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(part)) return part.map((each) => refer(each, names));
  if (part === null || typeof part !== "object") return part;
  const { $ref, ...rest } = part as Schema;
  const others = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, refer(value, names)]),
  );
  if (typeof $ref !== "string" || !$ref.startsWith("#/$defs/")) {
    return $ref === undefined ? others : { $ref, ...others };
  }
  const name = names.get($ref);
  return name === undefined ? others : { $ref: `#/components/schemas/${name}`, ...others };
}
