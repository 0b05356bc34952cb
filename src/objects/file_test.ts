import { assert, assertEquals, assertRejects } from "@std/assert";
import { testObjectStore } from "../../tests/conformance/object_store.ts";
import { hasCode } from "../model/errors.ts";
import { asStoreError, fileObjectStore } from "./file.ts";

async function tempStore() {
  const dir = await Deno.makeTempDir({ prefix: "tw_objects_" });
  return {
    dir,
    store: fileObjectStore(`${dir}/store`),
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

testObjectStore("fileObjectStore()", tempStore);

Deno.test("fileObjectStore() materializes as the object's own path, read only", async () => {
  await using at = await tempStore();
  await at.store.put("a/b", new Uint8Array([1]));

  const path = await at.store.materialize("a/b", "/unused");
  assertEquals(path, `${at.dir}/store/a/b`);
  assertEquals((await Deno.stat(path)).mode! & 0o777, 0o444);
});

Deno.test("fileObjectStore() leaves no temporary file behind and lists none", async () => {
  await using at = await tempStore();
  await at.store.put("a", new Uint8Array([1]));
  await at.store.put("a", new Uint8Array([2])).catch(() => {});
  await Deno.writeTextFile(`${at.dir}/store/~tmp/from-a-crash`, "half");

  assertEquals((await Array.fromAsync(at.store.list(""))).map((o) => o.key), ["a"]);
  await Deno.remove(`${at.dir}/store/~tmp/from-a-crash`);
  assertEquals(await Array.fromAsync(Deno.readDir(`${at.dir}/store/~tmp`)), []);
});

Deno.test("fileObjectStore() moves a file of the same disk without copying it", async () => {
  await using at = await tempStore();
  await Deno.writeTextFile(`${at.dir}/in`, "x");
  const { ino } = await Deno.stat(`${at.dir}/in`);
  await at.store.putFile("k", `${at.dir}/in`);

  assertEquals((await Deno.stat(`${at.dir}/store/k`)).ino, ino);
});

Deno.test("fileObjectStore() refuses a key below another object", async () => {
  await using at = await tempStore();
  await at.store.put("a", new Uint8Array([1]));

  const error = await assertRejects(() => at.store.put("a/b", new Uint8Array([1])));
  assert(hasCode(error, "INVALID") || hasCode(error, "UNAVAILABLE"), String(error));
  assertEquals(await at.store.stat("a/b"), null);
});

Deno.test("asStoreError() calls a full disk and a used-up quota DISK_FULL", async () => {
  const quota = Object.assign(new Error("Quota exceeded"), { code: "EDQUOT" });
  assertEquals(asStoreError(quota, "put", "k").code, "DISK_FULL");
  assertEquals(asStoreError(new Error("I/O error"), "put", "k").code, "UNAVAILABLE");

  // The error that this system really gives.
  if (Deno.build.os !== "linux") return;
  using full = await Deno.open("/dev/full", { write: true });
  const error = await assertRejects(() => full.write(new Uint8Array(8)));
  assertEquals(asStoreError(error, "put", "k").code, "DISK_FULL");
});

Deno.test("fileObjectStore() goes on when its folders are removed", async () => {
  await using at = await tempStore();
  await at.store.put("a/b", new Uint8Array([1]));
  await Deno.remove(`${at.dir}/store`, { recursive: true });
  await at.store.put("a/b", new Uint8Array([2]));

  assertEquals([...await at.store.get("a/b")], [2]);
});

Deno.test("fileObjectStore() leaves no empty folders behind", async () => {
  await using at = await tempStore();
  const names = (dir: string) => [...Deno.readDirSync(`${at.dir}/store/${dir}`)].map((e) => e.name);
  const data = new Uint8Array([1]);
  await at.store.put("a/b/one", data);
  await at.store.put("a/two", data);
  await at.store.delete("a/b/one");
  await at.store.delete("a/b/one");
  assertEquals(names("a"), ["two"]);
  await at.store.delete("a/two");
  assertEquals(names("").includes("a"), false);
  await at.store.put("a/b/one", data);
  assertEquals(await at.store.get("a/b/one"), data);
});
