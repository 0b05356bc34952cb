import { assert, assertEquals } from "@std/assert";
import { judgeImport } from "./imports.ts";

const aliases = {
  lodash: "npm:lodash@4.17.21",
  "d3/": "npm:/d3@7.9.0/",
  range: "npm:left-pad",
  std: "jsr:@std/path@1",
  zod: "npm:zod@3.0.0",
  "@/": "./",
};

function why(specifier: string): string {
  const target = judgeImport(specifier, aliases);
  assert(target.kind === "refused", `${specifier} was taken`);
  return target.why;
}

Deno.test("judgeImport() takes the product's modules, Node's, and npm packages with a version", () => {
  const kindOf = (specifier: string) => judgeImport(specifier, aliases).kind;

  assertEquals(["tidewheel", "tidewheel/operators", "zod"].map(kindOf), Array(3).fill("product"));
  assertEquals(kindOf("node:path"), "builtin");
  for (const specifier of ["npm:is-odd@3", "npm:@scope/x@^1.2/sub.js", "lodash"]) {
    assertEquals(kindOf(specifier), "npm", specifier);
  }
});

Deno.test("judgeImport() follows names to packages and paths below them", () => {
  const targetOf = (specifier: string) => {
    const target = judgeImport(specifier, aliases);
    return target.kind === "npm" ? target.target : target;
  };

  assertEquals(targetOf("lodash/fp"), "npm:lodash@4.17.21/fp");
  assertEquals(targetOf("d3/src/index.js"), "npm:/d3@7.9.0/src/index.js");
});

Deno.test("judgeImport() says why it refuses an import", () => {
  assert(why("https://x.com/y.ts").startsWith("https: imports are not allowed"));
  assert(why("jsr:@std/path").startsWith("jsr: imports are not allowed"));
  assert(why("data:text/javascript,1").startsWith("data: imports are not allowed"));
  assert(why("postgres").startsWith(`"postgres" is not in the "imports"`));
  assert(why("toString").startsWith(`"toString" is not in the "imports"`));
  assert(why("std").includes("only npm: packages can be given names"));
  assert(why("@/lib.ts").includes("only npm: packages can be given names"));
  assert(why("npm:lodash").includes("names no version"));
  assert(why("range").includes("names no version"));
});
