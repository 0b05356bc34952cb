import { assertEquals } from "@std/assert";
import { deadModules, findings, inspect } from "./tidy.ts";

const whatOf = (file: string, text: string) => inspect(file, text).map(({ what }) => what);
const doc = "/** @module A. */\n";

Deno.test("findings() finds nothing in the tree", async () => {
  assertEquals(await findings(), []);
});

Deno.test("inspect() finds a file that is too long", () => {
  assertEquals(whatOf("src/a/b.ts", doc + "x;\n".repeat(499)).length, 1);
  assertEquals(whatOf("src/a/b.ts", doc + "x;\n".repeat(490)), []);
});

Deno.test("inspect() finds a name that says nothing", () => {
  assertEquals(whatOf("src/a/utils.ts", doc), ["says nothing by its name: name what it holds"]);
});

Deno.test("inspect() wants a module doc of product code, not of tests", () => {
  assertEquals(whatOf("operators/a/run.ts", "export {};\n").length, 1);
  assertEquals(whatOf("operators/a/run_test.ts", "export {};\n"), []);
});

Deno.test("inspect() finds secrets and marks of unfinished work", () => {
  assertEquals(whatOf("docs/a.md", "-----BEGIN " + "PRIVATE KEY-----").length, 1);
  assertEquals(whatOf("src/a/b.ts", doc + "// TO" + "DO: all of it\n").length, 1);
});

Deno.test("deadModules() finds what only tests import", () => {
  const modules = new Map([
    ["src/main.ts", 'import "./a/used.ts";\nnew URL("src/a/started.ts", root);'],
    ["src/a/used.ts", ""],
    ["src/a/started.ts", ""],
    ["src/a/dead.ts", ""],
    ["src/a/dead_test.ts", 'import "./dead.ts";'],
  ]);
  assertEquals(deadModules(modules).map(({ file }) => file), ["src/a/dead.ts"]);
});
