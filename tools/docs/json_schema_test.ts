import { assertEquals } from "@std/assert";
import { z } from "zod";
import { fieldRows, schemaNode, typeText } from "./json_schema.ts";

const rowsOf = (schema: z.ZodType) =>
  fieldRows(schemaNode(schema)).map(({ path, type, doc }) =>
    `${path}: ${type}${doc && `; ${doc}`}`
  );

Deno.test("fieldRows() opens objects and lists, and says which form has a field", () => {
  const schema = z.object({
    paging: z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("page"), max: z.int(), first: z.int().default(1) }),
      z.object({ kind: z.literal("link"), max: z.int() }),
    ]),
    parts: z.array(z.object({ name: z.string().meta({ doc: "Its name" }) })),
  });
  assertEquals(rowsOf(schema), [
    'paging: object with kind "page", "link"',
    "paging.max: integer",
    'paging.first: integer; (with kind "page")',
    "parts: list of object",
    "parts[].name: string; Its name",
  ]);
});

Deno.test("fieldRows() does not repeat what is inside two fields alike", () => {
  const inside = z.object({ a: z.string() });
  assertEquals(rowsOf(z.object({ one: inside, two: inside })), [
    "one: object",
    "one.a: string",
    "two: object, as in `one`",
  ]);
});

Deno.test("typeText() tells bounds and formats, and names shapes that are known", () => {
  const File = z.object({ key: z.string() });
  const text = (schema: z.ZodType) => typeText(schemaNode(schema, { File }));
  assertEquals(text(z.int().min(1).max(9)), "integer, ≥ 1, ≤ 9");
  assertEquals(text(z.enum(["a", "b"])), '"a", "b"');
  assertEquals(text(z.url().nullable()), "URL or null");
  assertEquals(text(z.record(z.string(), z.json())), "map of JSON");
  assertEquals(text(z.array(File)), "list of [File](#file)");
});
