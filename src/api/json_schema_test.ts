import { assertEquals } from "@std/assert";
import { z } from "zod";
import { many, queryInt } from "./shapes/basic.ts";
import { schemaBook } from "./json_schema.ts";

Deno.test("schemaOf() keeps named shapes apart and gives our words as descriptions", () => {
  const book = schemaBook();
  const Thing = z.object({ name: z.string().meta({ doc: "Its name" }) }).meta({ id: "Thing" });
  assertEquals(book.schemaOf(z.array(Thing), "output"), {
    type: "array",
    items: { $ref: "#/components/schemas/Thing" },
  });
  assertEquals(book.schemaOf(Thing, "output"), { $ref: "#/components/schemas/Thing" });
  assertEquals(book.named.get("Thing")!.properties, {
    name: { type: "string", description: "Its name" },
  });
});

Deno.test("schemaOf() shows free JSON as anything, however deep", () => {
  const book = schemaBook();
  const schema = book.schemaOf(z.object({ value: z.json() }), "input");
  assertEquals(schema.properties, { value: {} });
  assertEquals(book.named.size, 0);
});

Deno.test("schemaOf() shows query values as what they stand for", () => {
  const book = schemaBook();
  const Query = z.object({ n: queryInt({ max: 9 }), state: many(z.enum(["a", "b"])) });
  assertEquals(book.schemaOf(Query, "input").properties, {
    n: { type: "integer", minimum: 0, maximum: 9 },
    state: { type: "array", items: { type: "string", enum: ["a", "b"] } },
  });
});

Deno.test("schemaOf() tells a shape that comes in from the same that goes out", () => {
  const book = schemaBook();
  const Thing = z.object({ name: z.string().default("x") }).meta({ id: "Thing" });
  book.schemaOf(Thing, "output");
  assertEquals(book.schemaOf(Thing, "input"), { $ref: "#/components/schemas/ThingInput" });
});
