import { assertEquals, assertStringIncludes } from "@std/assert";
import { makeBundle } from "../contract/bundle.ts";
import { diffFiles } from "./file_diff.ts";

const bundle = (files: Record<string, string | Uint8Array>) =>
  makeBundle(
    new Map(
      Object.entries(files).map(([path, data]) => [
        path,
        typeof data === "string" ? new TextEncoder().encode(data) : data,
      ]),
    ),
  );

Deno.test("diffFiles() gives added, removed and changed files with unified diffs", () => {
  const found = diffFiles(
    bundle({ "a.ts": "one\ntwo\n", "gone.ts": "x\n", "same.ts": "s\n" }),
    bundle({ "a.ts": "one\n2\n", "new.ts": "y\n", "same.ts": "s\n" }),
  );
  assertEquals(found.map(({ path, change }) => [path, change]), [
    ["a.ts", "changed"],
    ["gone.ts", "removed"],
    ["new.ts", "added"],
  ]);
  assertEquals(found[0].diff, "--- a/a.ts\n+++ b/a.ts\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n");
  assertEquals(found[1].diff, "--- a/gone.ts\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n");
});

Deno.test("diffFiles() says why a file has no diff", () => {
  const lines = (word: string) => Array.from({ length: 2_500 }, (_, i) => `${word}${i}\n`).join("");
  const found = diffFiles(
    bundle({ "a.bin": new Uint8Array([0, 1]), "b.ts": "x\n", "c.ts": lines("old") }),
    bundle({ "a.bin": new Uint8Array([0, 2]), "b.ts": "y".repeat(300_000), "c.ts": lines("new") }),
  );
  assertEquals(found.map(({ diff }) => diff), [null, null, null]);
  assertEquals(found[0].noDiff, "the file is not text");
  assertStringIncludes(found[1].noDiff!, "larger than");
  assertStringIncludes(found[2].noDiff!, "more than 4000 lines differ");
});

Deno.test("diffFiles() keeps all diffs together within their bound", () => {
  const big = "z".repeat(100_000);
  const found = diffFiles(
    bundle({ "x.ts": "" }),
    bundle({ "a": big, "b": big, "c": big, "x.ts": "" }),
  );
  assertEquals(found.map(({ diff }) => diff !== null), [true, true, false]);
});
