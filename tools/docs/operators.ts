/** @module The page of operators, from their declarations. */
import { z } from "zod";
import { operators } from "../../operators/mod.ts";
import { FileRef, RawFiles, TableRef, TableSchema } from "../../src/model/data.ts";
import type { Operator } from "../../src/sdk/operator.ts";
import { fieldRows, type SchemaNode, schemaNode, typeText } from "./json_schema.ts";
import { code, fence, json, page, table } from "./markdown.ts";
import { memberDocs } from "./member_docs.ts";

const root = new URL("../../", import.meta.url);

/** Shapes that travel between tasks; each has a chapter of its own. */
const shapes: Readonly<Record<string, z.ZodType>> = { RawFiles, TableRef, TableSchema, FileRef };

/** `docs/reference/operators.md`. */
export async function operatorsPage(): Promise<string> {
  const all = operators as unknown as readonly Operator[];
  return page(
    "Operators",
    "A task is an operator called with one flat object: the options that every task has, the " +
      "operator's inputs and its parameters. How that is written is in " +
      "[Writing DAGs](../guides/authoring.md).",
    table(
      ["operator", "what it does"],
      all.map(({ name, summary }) => [`[${name}](#${anchor(name)})`, summary]),
    ),
    await optionsChapter(),
    ...await Promise.all(all.map((one) => chapter(one, all))),
    "## Data between tasks\n\nOutputs are small: they refer to immutable files in object storage.",
    ...Object.entries(shapes).map(([name, shape]) =>
      `### ${name}\n\n${fieldTable(schemaNode(shape, shapes))}`
    ),
  );
}

async function optionsChapter(): Promise<string> {
  const source = await Deno.readTextFile(new URL("src/sdk/options.ts", root));
  const members = ["interface TaskOptions", "interface TaskDefaults"]
    .flatMap((opening) => memberDocs(source, opening));
  return "## Options of every task\n\n" +
    table(["option", ""], members.map(({ name, doc }) => [code(name), doc]));
}

async function chapter(operator: Operator, all: readonly Operator[]): Promise<string> {
  const { name, summary, params, inputs = {}, output } = operator;
  const others = all.slice(0, all.indexOf(operator));
  const inputRows = Object.entries(inputs).map(([name, shape]) => [code(name), shapeText(shape)]);
  const blocks = [
    `## ${name}`,
    `${summary}.`,
    inputRows.length > 0 ? table(["input", "what fits"], inputRows) : "It has no inputs.",
    fieldTable(schemaNode(params, shapes), others),
    outputText(output),
    permissionText(operator),
    await exampleText(name),
  ];
  return blocks.filter((block) => block !== null).join("\n\n");
}

/** Parameters; an object that is another operator's request is not spelled out again. */
function fieldTable(node: SchemaNode, others: readonly Operator[] = []): string {
  const like = (one: SchemaNode) => others.find((other) => isPartOf(one, schemaNode(other.params)));
  const rows = fieldRows(node, (one) => like(one) !== undefined).map((row) => {
    const property = propertyAt(node, row.path);
    const other = property && like(property);
    const link = other ? `the request of [${other.name}](#${anchor(other.name)})` : row.type;
    const example = row.example === undefined ? "" : `e.g. ${json(row.example)}`;
    return [
      code(row.path),
      link,
      row.required ? "required" : json(row.default),
      [row.doc, example].filter((text) => text !== "").join("; "),
    ];
  });
  return table(["field", "type", "default", "what it is"], rows) ?? "It has no parameters.";
}

/** Are nearly all of the fields of a large object those of `of`? */
function isPartOf(node: SchemaNode, of: SchemaNode): boolean {
  const names = Object.keys(node.properties ?? {});
  const known = new Set(Object.keys(of.properties ?? {}));
  return names.length > 12 && names.every((name) => known.has(name));
}

function propertyAt(node: SchemaNode, path: string): SchemaNode | undefined {
  return path.includes(".") ? undefined : node.properties?.[path];
}

/** A shape by its name, or in words. */
function shapeText(shape: z.ZodType): string {
  const named = Object.entries(shapes).find(([, one]) => one === shape)?.[0];
  if (named) return `[${named}](#${anchor(named)})`;
  if (shape instanceof z.ZodArray) return `list of ${shapeText(shape.element as z.ZodType)}`;
  return typeText(schemaNode(shape, shapes));
}

function outputText(output: z.ZodType): string {
  const node = schemaNode(output, shapes);
  const isNamed = Object.values(shapes).includes(output) || !node.properties;
  return isNamed ? `Output: ${shapeText(output)}` : `Output:\n\n${fieldTable(node)}`;
}

/** What its process may do, told by the examples of its parameters. */
function permissionText({ params, permissions, connections, datasets }: Operator): string | null {
  const properties = Object.entries(schemaNode(params).properties ?? {});
  const examples = Object.fromEntries(
    properties.map(([name, { example }]) => [name, example]).filter(([, of]) => of !== undefined),
  );
  const lists: [string, readonly string[]][] = [
    ...Object.entries(permissions?.(examples) ?? {}) as [string, string[]][],
    ["connections", connections?.(examples) ?? []],
    ["datasets", datasets?.(examples) ?? []],
  ];
  const rows = lists.filter(([, values]) => values.length > 0)
    .map(([what, values]) => [what, values.map(code).join(", ")]);
  if (rows.length === 0) return null;
  return "What a task with the parameters given as examples may do and publishes:\n\n" +
    table(["", ""], rows);
}

async function exampleText(name: string): Promise<string | null> {
  const folders = [`operators/${name.replace(".", "/")}`, `operators/${name.split(".")[0]}`];
  for (const folder of folders) {
    try {
      const text = await Deno.readTextFile(new URL(`${folder}/example_dag.ts`, root));
      return fence("ts", text);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return null;
}

function anchor(heading: string): string {
  return heading.toLowerCase().replace(/[^a-z0-9_ -]/g, "").replaceAll(" ", "-");
}
