/** @module What a zod schema accepts, as rows of a table. */
import { z } from "zod";

/** A node of JSON Schema with the words of `.meta()`. */
export interface SchemaNode {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: SchemaNode[];
  oneOf?: SchemaNode[];
  allOf?: SchemaNode[];
  items?: SchemaNode;
  properties?: Record<string, SchemaNode>;
  required?: string[];
  additionalProperties?: SchemaNode | boolean;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  format?: string;
  pattern?: string;
  default?: unknown;
  $ref?: string;
  doc?: string;
  example?: unknown;
  unit?: string;
  secret?: boolean;
  /** Name of a shape that is described elsewhere on the page. */
  shape?: string;
}

/** One field, at `path` from the root: `paging.limit`, `parts[].name`. */
export interface FieldRow {
  path: string;
  type: string;
  required: boolean;
  default: unknown;
  doc: string;
  example: unknown;
}

/** The JSON Schema of what `schema` takes in; inside it, the `shapes` go by their names. */
export function schemaNode(
  schema: z.ZodType,
  shapes: Readonly<Record<string, z.ZodType>> = {},
): SchemaNode {
  const names = new Map<unknown, string>(Object.entries(shapes).map(([name, one]) => [one, name]));
  return z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    reused: "inline",
    override: ({ zodSchema, jsonSchema }) => {
      const name = (zodSchema as unknown) === schema ? undefined : names.get(zodSchema);
      if (name) jsonSchema.shape = name;
    },
  }) as SchemaNode;
}

/**
 * Every field of an object, those of objects inside it too. Fields that only some forms of a union
 * have say so; what is inside two fields alike is listed for the first. `stopAt` tells which objects
 * are not to be opened.
 */
export function fieldRows(
  node: SchemaNode,
  stopAt: (node: SchemaNode) => boolean = () => false,
  prefix = "",
): FieldRow[] {
  const rows: FieldRow[] = [];
  const opened = new Map<string, string>();
  for (const [name, property] of Object.entries(node.properties ?? {})) {
    const path = `${prefix}${name}`;
    const inside = insideRows(property, stopAt, path);
    const key = JSON.stringify(insideRows(property, stopAt, ""));
    const twin = inside.length > 0 ? opened.get(key) : undefined;
    rows.push({
      path,
      type: typeText(property) + (twin ? `, as in \`${twin}\`` : ""),
      required: node.required?.includes(name) ?? false,
      default: property.default,
      doc: property.doc ?? "",
      example: property.example,
    });
    if (twin) continue;
    opened.set(key, path);
    rows.push(...inside);
  }
  return rows;
}

function insideRows(
  node: SchemaNode,
  stopAt: (node: SchemaNode) => boolean,
  path: string,
): FieldRow[] {
  if (node.shape || stopAt(node)) return [];
  if (node.properties) return fieldRows(node, stopAt, `${path}.`);
  if (node.items) return insideRows(node.items, stopAt, `${path}[]`);
  const forms = node.oneOf ?? node.anyOf;
  return forms ? formRows(forms.filter((form) => form.properties), stopAt, path) : [];
}

/** Rows of a union's forms; a row that several forms share is there once. */
function formRows(
  forms: readonly SchemaNode[],
  stopAt: (node: SchemaNode) => boolean,
  path: string,
): FieldRow[] {
  const tag = tagOf(forms);
  const merged = new Map<string, { row: FieldRow; of: string[] }>();
  forms.forEach((form, i) => {
    const of = tag ? JSON.stringify(form.properties![tag].const) : `form ${i + 1}`;
    for (const row of fieldRows(form, stopAt, `${path}.`)) {
      if (row.path === `${path}.${tag}`) continue;
      const key = JSON.stringify(row);
      const known = merged.get(key);
      if (known) known.of.push(of);
      else merged.set(key, { row, of: [of] });
    }
  });
  const rows = [...merged.values()].map(({ row, of }) => {
    if (of.length === forms.length) return row;
    const with_ = tag ? withText(tag, of, forms) : `of ${of.join(", ")}`;
    return { ...row, doc: row.doc ? `${row.doc} (${with_})` : `(${with_})` };
  });
  const told = tag === null ? [] : tagRow(forms, tag, path);
  return [...told, ...rows];
}

/** Which forms have a field: those, or all but those without it, whichever is shorter. */
function withText(tag: string, of: readonly string[], forms: readonly SchemaNode[]): string {
  const others = forms.map((form) => JSON.stringify(form.properties![tag].const))
    .filter((name) => !of.includes(name));
  return others.length < of.length - 1
    ? `with any ${tag} but ${others.join(", ")}`
    : `with ${tag} ${of.join(", ")}`;
}

/** What the forms of a union are, where they say so. */
function tagRow(forms: readonly SchemaNode[], tag: string, path: string): FieldRow[] {
  const docs = forms.filter((form) => form.doc)
    .map((form) => `${JSON.stringify(form.properties![tag].const)}: ${form.doc}`);
  if (docs.length === 0) return [];
  const type = typeText({ enum: forms.map((form) => form.properties![tag].const) });
  const row = { path: `${path}.${tag}`, type, required: true, default: undefined };
  return [{ ...row, doc: docs.join("; "), example: undefined }];
}

/** The field whose constant tells the forms of a union apart. */
function tagOf(forms: readonly SchemaNode[]): string | null {
  const [first] = forms;
  const names = Object.keys(first?.properties ?? {});
  return names.find((name) =>
    forms.every((form) => form.properties?.[name]?.const !== undefined)
  ) ??
    null;
}

/** Formats of strings that a reader gains from. */
const formats: Readonly<Record<string, string>> = {
  "uri": "URL",
  "uuid": "UUID",
  "date": "date (2026-01-05)",
  "date-time": "instant (ISO 8601)",
};

/** The type in words. */
export function typeText(node: SchemaNode): string {
  if (node.shape) return `[${node.shape}](#${node.shape.toLowerCase()})`;
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum) return node.enum.map((value) => JSON.stringify(value)).join(", ");
  if (node.$ref) return "JSON";
  const forms = node.oneOf ?? node.anyOf;
  if (forms) return unionText(forms);
  if (node.allOf) return node.allOf.map(typeText).join(" and ");
  if (Array.isArray(node.type)) {
    return node.type.map((type) => typeText({ ...node, type })).join(" or ");
  }
  switch (node.type) {
    case "array": {
      const inner = typeText(node.items ?? {});
      return `list of ${/ or |, /.test(inner) ? `(${inner})` : inner}${boundsText(node)}`;
    }
    case "object":
      return objectText(node);
    case "integer":
    case "number":
      return `${node.type}${boundsText(node)}`;
    case "string":
      return `${formats[node.format ?? ""] ?? "string"}${boundsText(node)}`;
    case undefined:
      return "JSON";
    default:
      return node.type;
  }
}

function unionText(forms: readonly SchemaNode[]): string {
  const objects = forms.filter((form) => form.properties);
  const tag = tagOf(objects);
  if (objects.length > 1 && tag && objects.length === forms.length) {
    const tags = forms.map((form) => JSON.stringify(form.properties![tag].const));
    return `object with ${tag} ${tags.join(", ")}`;
  }
  return [...new Set(forms.map(typeText))].join(" or ");
}

function objectText(node: SchemaNode): string {
  if (node.properties) return "object";
  const values = node.additionalProperties;
  return typeof values === "object" ? `map of ${wrapped(typeText(values))}` : "object";
}

function wrapped(text: string): string {
  return text.includes(" or ") ? `(${text})` : text;
}

/** Bounds; the ones that only say "a safe integer" are left out. */
function boundsText(node: SchemaNode): string {
  const isBound = (n: number | undefined) =>
    n !== undefined && Math.abs(n) < Number.MAX_SAFE_INTEGER;
  const parts: string[] = [];
  const least = node.minimum ?? node.minItems ?? node.minLength;
  const most = node.maximum ?? node.maxItems ?? node.maxLength;
  if (isBound(node.exclusiveMinimum)) parts.push(`> ${node.exclusiveMinimum}`);
  if (isBound(least)) parts.push(`≥ ${least}`);
  if (isBound(most)) parts.push(`≤ ${most}`);
  return parts.length > 0 ? `, ${parts.join(", ")}` : "";
}
