import { assert, assertEquals, assertRejects } from "@std/assert";
import { makeBundle, packBundle } from "../contract/bundle.ts";
import { hasCode } from "../model/errors.ts";
import { bundleModuleUrl, findBundle, installBundle } from "./bundle_cache.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const sample = makeBundle(
  new Map([["main.ts", bytes("export const a = 1;\n")], ["lib/q.sql", bytes("select 1\n")]]),
);
const packed = packBundle(sample);

async function tempDir() {
  const dir = await Deno.makeTempDir({ prefix: "tw_bundles_" });
  return { dir, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

const names = async (dir: string) =>
  (await Array.fromAsync(Deno.readDir(dir))).map((entry) => entry.name).toSorted();

Deno.test("installBundle() writes the files, read only, under the hash", async () => {
  await using at = await tempDir();
  const bundle = await installBundle(sample.hash, packed, at.dir);

  assertEquals(bundle.dir, `${at.dir}/bundles/${sample.hash}`);
  assertEquals(await Deno.readTextFile(`${bundle.dir}/lib/q.sql`), "select 1\n");
  assertEquals((await Deno.stat(`${bundle.dir}/main.ts`)).mode! & 0o777, 0o444);
  assertEquals(bundleModuleUrl(bundle, "main.ts"), `file://${bundle.dir}/main.ts`);
  assertEquals(await names(`${at.dir}/bundles`), [sample.hash]);
});

Deno.test("installBundle() is the same for many callers at once", async () => {
  await using at = await tempDir();
  const all = await Promise.all(
    Array.from({ length: 8 }, () => installBundle(sample.hash, packed, at.dir)),
  );

  assertEquals(new Set(all.map((bundle) => bundle.dir)).size, 1);
  assertEquals(await names(`${at.dir}/bundles`), [sample.hash]);
});

Deno.test("installBundle() refuses bytes that are not that bundle, and leaves nothing", async () => {
  await using at = await tempDir();
  const error = await assertRejects(() => installBundle("a".repeat(64), packed, at.dir));

  assert(hasCode(error, "CORRUPT"));
  assertEquals(await findBundle("a".repeat(64), at.dir), null);
  assert(hasCode(await assertRejects(() => findBundle("../x", at.dir)), "INVALID"));
});

Deno.test("findBundle() finds a bundle that is whole and removes one that is not", async () => {
  for (const damage of ["change", "remove", "half"] as const) {
    await using at = await tempDir();
    // Written as another process would have: this one has not verified it.
    const dir = `${at.dir}/bundles/${sample.hash}`;
    await using other = await tempDir();
    const { dir: good } = await installBundle(sample.hash, packed, other.dir);
    await new Deno.Command("cp", { args: ["-r", "--", `${other.dir}/bundles`, at.dir] }).output();
    assert((await Deno.stat(good)).isDirectory);

    await Deno.chmod(`${dir}/main.ts`, 0o644);
    if (damage === "change") await Deno.writeTextFile(`${dir}/main.ts`, "export const a = 2;\n");
    if (damage === "remove") await Deno.remove(`${dir}/lib/q.sql`);
    if (damage === "half") await Deno.writeTextFile(`${dir}/.manifest.json`, "[");

    assertEquals(await findBundle(sample.hash, at.dir), null);
    await installBundle(sample.hash, packed, at.dir);
    assertEquals(await Deno.readTextFile(`${dir}/main.ts`), "export const a = 1;\n");
  }
});
