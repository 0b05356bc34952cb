import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { typeErrors } from "./check.ts";
import { documentPrograms } from "./documents.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

Deno.test("what does not fit is a compile error that says so, what fits is none", async (t) => {
  const refused = await programs("fail");
  const accepted = await programs("pass");
  await using documents = await documentPrograms();
  const errors = await typeErrors([...refused, ...accepted, ...documents.paths]);

  for (const path of refused) {
    await t.step(`refuses ${nameOf(path)}`, async () => {
      const expected = [...(await Deno.readTextFile(path)).matchAll(/^\/\/ expect: (.+)$/gm)];
      assert(expected.length > 0, "the program does not say what it expects");
      const found = errors.get(path) ?? [];
      assert(found.length > 0, "it compiles");
      for (const [, text] of expected) {
        assert(found.some((error) => error.includes(text)), `no "${text}" in:\n${found.join("")}`);
      }
    });
    errors.delete(path);
  }
  await t.step(`accepts ${accepted.map(nameOf).join(", ")} and the guides`, () => {
    const found = [...errors].map(([path, of]) => `${documents.sourceOf(path)}:\n${of.join("")}`);
    assertEquals(found.join("\n"), "");
  });
});

Deno.test("at least twenty programs are refused", async () => {
  assert((await programs("fail")).length >= 20);
});

async function programs(folder: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(`${here}${folder}`), ({ name }) => name);
  return names.filter((name) => name.endsWith(".ts")).sort().map((n) => `${here}${folder}/${n}`);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1, -".ts".length).replaceAll("_", " ");
}
