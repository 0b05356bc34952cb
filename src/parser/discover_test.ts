import { assert, assertEquals, assertThrows } from "@std/assert";
import { hasCode } from "../model/errors.ts";
import { isDagFile, sameSnapshot, snapshotFolder } from "./discover.ts";

async function folder(paths: string[]) {
  const dir = await Deno.makeTempDir({ prefix: "tw_dags_" });
  for (const path of paths) {
    await Deno.mkdir(`${dir}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${dir}/${path}`, path);
  }
  return { dir, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

Deno.test("isDagFile() takes TypeScript that is neither hidden, a part, a test nor a declaration", () => {
  const yes = ["a.ts", "x/y/eod_prices.ts", "_parts/a.ts", "a.b.ts"];
  const no = [
    "_a.ts",
    ".a.ts",
    "x/_a.ts",
    "a_test.ts",
    "a.test.ts",
    "a.d.ts",
    "a.tsx",
    "a.js",
    "ts",
  ];

  assertEquals(yes.filter(isDagFile), yes);
  assertEquals(no.filter(isDagFile), []);
});

Deno.test("snapshotFolder() follows links and leaves hidden folders out", async () => {
  await using at = await folder([
    "a.ts",
    "sub/b.sql",
    "..data/c.ts",
    ".git/x",
    "node_modules/y/z.ts",
    "sub/.hidden",
  ]);
  await Deno.symlink("..data/c.ts", `${at.dir}/c.ts`);
  await Deno.symlink("sub", `${at.dir}/link`);
  await Deno.symlink("nowhere", `${at.dir}/dangling.ts`);
  await Deno.symlink("..", `${at.dir}/sub/loop`);

  const found = [...snapshotFolder(at.dir).keys()];
  assertEquals(found.toSorted(), [
    "a.ts",
    "c.ts",
    "link/.hidden",
    "link/b.sql",
    "sub/.hidden",
    "sub/b.sql",
  ]);
});

Deno.test("snapshotFolder() differs after a change of content and after a replacement", async () => {
  await using at = await folder(["a.ts", "b.ts"]);
  const before = snapshotFolder(at.dir);
  assert(sameSnapshot(before, snapshotFolder(at.dir)));

  await Deno.writeTextFile(`${at.dir}/new`, "b.ts");
  await Deno.rename(`${at.dir}/new`, `${at.dir}/b.ts`);
  assert(!sameSnapshot(before, snapshotFolder(at.dir)));
});

Deno.test("snapshotFolder() says NOT_FOUND without the folder", () => {
  assert(hasCode(assertThrows(() => snapshotFolder("/nowhere/dags")), "NOT_FOUND"));
});
