import { assertEquals } from "@std/assert";
import { mutants } from "./mutants_list.ts";

Deno.test("every mutant can still be planted: its text stands once in its file", async () => {
  for (const { name, file, from } of mutants) {
    const text = await Deno.readTextFile(new URL(`../../${file}`, import.meta.url));
    assertEquals(text.split(from).length - 1, 1, `${name}: ${file}`);
  }
});
