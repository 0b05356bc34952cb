import { assertEquals } from "@std/assert";
import type { TableSchema } from "./data.ts";
import { isCompatible, schemaChanges } from "./schema_change.ts";

const schema = (columns: Record<string, string>, key: string[] = []): TableSchema => ({
  name: "t",
  key,
  columns: Object.entries(columns).map(([name, type]) => ({
    name,
    type: type.replace("!", ""),
    nullable: !type.endsWith("!"),
  })),
});

const kinds = (before: TableSchema, after: TableSchema) =>
  schemaChanges(before, after).map(({ kind, column }) => `${kind} ${column}`);

Deno.test("schemaChanges() names what was added, removed, retyped, and the key", () => {
  const before = schema({ a: "BIGINT!", b: "VARCHAR", c: "DATE" }, ["a"]);
  assertEquals(schemaChanges(before, before), []);
  assertEquals(
    kinds(before, schema({ a: "VARCHAR", b: "VARCHAR!", d: "DOUBLE" }, ["a", "b"])),
    ["retyped a", "nullable a", "required b", "added d", "removed c", "key null"],
  );
  assertEquals(kinds(before, schema({ b: "VARCHAR", a: "BIGINT!", c: "DATE" }, ["a"])), [
    "moved b",
    "moved a",
  ]);
});

Deno.test("isCompatible(): readers go on with more columns and with wider types", () => {
  for (
    const [before, after, want] of [
      ["INTEGER", "BIGINT", true],
      ["BIGINT", "INTEGER", false],
      ["INTEGER", "UBIGINT", false],
      ["FLOAT", "DOUBLE", true],
      ["DECIMAL(18,2)", "DECIMAL(18,4)", false],
      ["DECIMAL(18,2)", "DECIMAL(20,4)", true],
      ["TIMESTAMP_MS", "TIMESTAMP", true],
      ["TIMESTAMP", "TIMESTAMP_NS", false],
      ["BIGINT", "VARCHAR", false],
      ["VARCHAR!", "VARCHAR", false],
      ["VARCHAR", "VARCHAR!", true],
    ] as const
  ) {
    assertEquals(
      isCompatible(schema({ a: before }), schema({ a: after })),
      want,
      `${before} → ${after}`,
    );
  }
  assertEquals(isCompatible(schema({ a: "DATE" }), schema({ a: "DATE", b: "DATE" })), true);
  assertEquals(isCompatible(schema({ a: "DATE", b: "DATE" }), schema({ a: "DATE" })), false);
});
