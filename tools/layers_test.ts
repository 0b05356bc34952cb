import { assertEquals } from "@std/assert";
import { breaches, breachesOf } from "./layers.ts";

const map = { "tidewheel": "./src/sdk/mod.ts", "postgres": "npm:postgres@3.4.9" };
const rulesOf = (file: string, text: string) => breachesOf(file, text, map).map(({ rule }) => rule);

Deno.test("breaches() finds none in the product", async () => {
  assertEquals(await breaches(), []);
});

Deno.test("breachesOf() finds a planted breach and says where it is", () => {
  const text = 'import type { A } from "./a.ts";\n\nimport { sql } from "../store/database.ts";\n';
  assertEquals(
    breachesOf("src/worker/claim.ts", text, map).map(({ file, line, imports }) => [
      file,
      line,
      imports,
    ]),
    [["src/worker/claim.ts", 3, "../store/database.ts"]],
  );
});

Deno.test("breachesOf() sees exports, dynamic imports and names of the import map", () => {
  assertEquals(rulesOf("src/model/a.ts", 'export * from "../store/port.ts";').length, 1);
  assertEquals(rulesOf("src/model/a.ts", 'await import("../store/port.ts");').length, 1);
  assertEquals(rulesOf("src/model/a.ts", 'import { dag } from "tidewheel";').length, 1);
});

Deno.test("breachesOf() keeps each package behind its door", () => {
  assertEquals(rulesOf("src/api/a.ts", 'import postgres from "postgres";'), [
    '"postgres" is imported in src/store/ only',
  ]);
  assertEquals(rulesOf("src/store/a.ts", 'import postgres from "postgres";'), []);
});

Deno.test("breachesOf() allows what the layers allow and passes over examples in comments", () => {
  assertEquals(rulesOf("src/api/a.ts", 'import { x } from "../store/dag.ts";'), []);
  assertEquals(rulesOf("src/model/a.ts", ' * import { x } from "../store/dag.ts";'), []);
});
