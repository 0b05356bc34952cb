import { assert, assertEquals } from "@std/assert";
import { makeBundle } from "../contract/bundle.ts";
import { findBundle, installVerified } from "./bundle_cache.ts";
import { sweepCache } from "./cache_sweep.ts";
import { moduleRuntime, runtimeKey } from "./module_runtime.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const bundleOf = (text: string) => makeBundle(new Map([["main.ts", bytes(text)]]));
const [longAgo, before] = [new Date("2000-01-01"), new Date("2010-01-01")];

async function tempCache() {
  const dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "tw_cache_" }));
  const names = (folder: string) =>
    [...Deno.readDirSync(`${dir}/${folder}`)].map(({ name }) => name).toSorted();
  return { dir, names, [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
}

Deno.test("sweepCache() removes old bundles that are not needed, and half installed ones", async () => {
  await using cache = await tempCache();
  const [needed, unused, reused] = ["1", "2", "3"].map(bundleOf);
  for (const bundle of [needed, unused, reused]) {
    const { dir } = await installVerified(bundle, cache.dir);
    await Deno.utime(dir, longAgo, longAgo);
  }
  const young = await installVerified(bundleOf("4"), cache.dir);
  await installVerified(reused, cache.dir);
  await Deno.mkdir(`${cache.dir}/bundles/~half`);
  await Deno.utime(`${cache.dir}/bundles/~half`, longAgo, longAgo);

  const swept = await sweepCache({
    cacheDir: cache.dir,
    before,
    needed: (hashes) => Promise.resolve(new Set(hashes.filter((hash) => hash === needed.hash))),
  });

  assertEquals(swept, { bundles: 1, runtimes: 0 });
  assertEquals(cache.names("bundles"), [needed.hash, reused.hash, young.hash].toSorted());
  assertEquals(await findBundle(unused.hash, cache.dir), null);
  await installVerified(unused, cache.dir);
  assert(await findBundle(unused.hash, cache.dir));
});

Deno.test("sweepCache() removes runtimes that no bundle needs; they are made again", async () => {
  await using cache = await tempCache();
  const options = { cacheDir: cache.dir };
  const { key } = await moduleRuntime(options);
  const old = `${cache.dir}/runtimes/${"0".repeat(32)}`;
  await Deno.mkdir(old);
  for (const dir of [old, `${cache.dir}/runtimes/${key}`]) await Deno.utime(dir, longAgo, longAgo);

  const needed = () => Promise.resolve(new Set<string>());
  assertEquals(await sweepCache({ ...options, before, needed }), { bundles: 0, runtimes: 1 });
  assertEquals(cache.names("runtimes"), [key]);
  assertEquals(runtimeKey(options), key);

  await Deno.remove(`${cache.dir}/runtimes/${key}`, { recursive: true });
  await moduleRuntime(options);
  assertEquals(cache.names("runtimes"), [key]);
});
