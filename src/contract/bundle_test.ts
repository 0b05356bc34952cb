import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { gunzipSync, gzipSync } from "node:zlib";
import { limits } from "../base/limits.ts";
import { hasCode } from "../model/errors.ts";
import { type BundleFiles, makeBundle, manifestHash, packBundle, unpackBundle } from "./bundle.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const files = (all: Record<string, string>): BundleFiles =>
  new Map(Object.entries(all).map(([path, text]) => [path, bytes(text)]));

Deno.test("unpackBundle() gives back what packBundle() packed", () => {
  const bundle = makeBundle(files({ "b/q.sql": "select 1\n", "a.ts": "export {};", "empty": "" }));
  const back = unpackBundle(bundle.hash, packBundle(bundle));

  assertEquals(back.manifest.map((entry) => entry.path), ["a.ts", "b/q.sql", "empty"]);
  assertEquals(new TextDecoder().decode(back.files.get("b/q.sql")), "select 1\n");
});

Deno.test("makeBundle() hashes by content and path, in whatever order the files come", () => {
  const one = makeBundle(files({ "a.ts": "1", "b.ts": "2" }));

  assertEquals(makeBundle(files({ "b.ts": "2", "a.ts": "1" })).hash, one.hash);
  assertNotEquals(makeBundle(files({ "a.ts": "1", "c.ts": "2" })).hash, one.hash);
  assertNotEquals(makeBundle(files({ "a.ts": "1", "b.ts": "3" })).hash, one.hash);
});

Deno.test("makeBundle() refuses paths that are not plain", () => {
  for (const path of ["../a", "/a", "a/../b", "a//b", "./a", "a\\b", "C:/a", "a\0", ""]) {
    assert(hasCode(assertThrows(() => makeBundle(files({ [path]: "x" }))), "INVALID"), path);
  }
});

Deno.test("makeBundle() refuses too many files and too many bytes", () => {
  const many = new Map(
    Array.from({ length: limits.bundleFiles + 1 }, (_, i) => [`f${i}`, bytes("")]),
  );
  const large = new Map([["f", new Uint8Array(limits.bundleBytes + 1)]]);

  for (const all of [many, large]) {
    assert(hasCode(assertThrows(() => makeBundle(all)), "TOO_LARGE"));
  }
});

Deno.test("unpackBundle() says CORRUPT for anything that does not match", () => {
  const bundle = makeBundle(files({ "a.ts": "one", "b.ts": "two" }));
  const packed = packBundle(bundle);
  const raw = new Uint8Array(gunzipSync(packed));
  const repack = (change: (raw: Uint8Array) => Uint8Array) =>
    new Uint8Array(gzipSync(change(raw.slice())));
  const altered = repack((data) => {
    data[data.length - 1] ^= 1;
    return data;
  });

  for (
    const [name, hash, data] of [
      ["another hash", "0".repeat(64), packed],
      ["an altered file", bundle.hash, altered],
      ["a missing byte", bundle.hash, repack((data) => data.subarray(0, -1))],
      ["a byte too many", bundle.hash, repack((data) => new Uint8Array([...data, 1]))],
      ["a cut archive", bundle.hash, packed.subarray(0, packed.length - 9)],
      ["no archive", bundle.hash, bytes("hello")],
      ["no manifest", bundle.hash, new Uint8Array(gzipSync(bytes("hello")))],
      ["a broken manifest", bundle.hash, new Uint8Array(gzipSync(bytes("{}\n")))],
    ] as const
  ) {
    assert(hasCode(assertThrows(() => unpackBundle(hash, data)), "CORRUPT"), name);
  }
});

Deno.test("unpackBundle() refuses a path that leads out, even under the right hash", () => {
  const manifest = [{ ...makeBundle(files({ a: "x" })).manifest[0], path: "../../etc/passwd" }];
  const packed = new Uint8Array(gzipSync(bytes(JSON.stringify(manifest) + "\nx")));

  assert(hasCode(assertThrows(() => unpackBundle(manifestHash(manifest), packed)), "CORRUPT"));
});

Deno.test("unpackBundle() stops at an archive that grows past every limit", () => {
  const bomb = new Uint8Array(gzipSync(new Uint8Array(limits.bundleBytes * 3)));

  assert(hasCode(assertThrows(() => unpackBundle("0".repeat(64), bomb)), "CORRUPT"));
});
