/** @module What every object store must do. Call it in the test file of each. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ErrorCode, hasCode } from "../../src/model/errors.ts";
import type { ObjectStore } from "../../src/objects/port.ts";

/** An empty store for one test. */
export interface ObjectStoreFixture extends AsyncDisposable {
  store: ObjectStore;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array) => new TextDecoder().decode(data);

async function refused(code: ErrorCode, work: () => Promise<unknown>): Promise<void> {
  const error = await assertRejects(work);
  assert(hasCode(error, code), `expected ${code}, got ${error}`);
}

async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  return (await Array.fromAsync(store.list(prefix))).map((info) => info.key);
}

/** Register the suite for the store called `name`. */
export function testObjectStore(name: string, open: () => Promise<ObjectStoreFixture>): void {
  const test = (fact: string, body: (store: ObjectStore, dir: string) => Promise<void>) =>
    Deno.test(`${name} ${fact}`, async () => {
      const dir = await Deno.makeTempDir({ prefix: "tw_objects_" });
      try {
        await using fixture = await open();
        await body(fixture.store, dir);
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    });

  test("gives back what was put", async (store) => {
    await store.put("a/b=1/c.bin", new Uint8Array([0, 255, 10]));

    assertEquals([...await store.get("a/b=1/c.bin")], [0, 255, 10]);
    const info = await store.stat("a/b=1/c.bin");
    assertEquals([info?.key, info?.bytes], ["a/b=1/c.bin", 3]);
  });

  test("keeps an empty object", async (store) => {
    await store.put("empty", new Uint8Array());

    assertEquals((await store.get("empty")).length, 0);
    assertEquals((await store.stat("empty"))?.bytes, 0);
  });

  test("takes equal content again and refuses other content", async (store) => {
    await store.put("k", bytes("one"));
    await store.put("k", bytes("one"));

    await refused("CONFLICT", () => store.put("k", bytes("two")));
    await refused("CONFLICT", () => store.put("k", bytes("longer")));
    assertEquals(text(await store.get("k")), "one");
  });

  test("lets one of many writers of a key win", async (store) => {
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => store.put("race", bytes(`writer ${i}`))),
    );

    const winners = results.flatMap((r, i) => r.status === "fulfilled" ? [i] : []);
    assertEquals(winners.length, 1);
    assertEquals(text(await store.get("race")), `writer ${winners[0]}`);
    for (const r of results) if (r.status === "rejected") assert(hasCode(r.reason, "CONFLICT"));
  });

  test("moves a file in, once", async (store, dir) => {
    await Deno.writeTextFile(`${dir}/in`, "from a file");
    await store.putFile("files/in", `${dir}/in`);
    await Deno.writeTextFile(`${dir}/again`, "from a file");
    await store.putFile("files/in", `${dir}/again`);
    await Deno.writeTextFile(`${dir}/other`, "from 4 file");

    await refused("CONFLICT", () => store.putFile("files/in", `${dir}/other`));
    assertEquals(text(await store.get("files/in")), "from a file");
  });

  test("streams all of an object or a range of it", async (store) => {
    await store.put("s", bytes("0123456789"));
    const read = async (range?: { start: number; end?: number }) =>
      await new Response(await store.stream("s", range)).text();

    assertEquals(await read(), "0123456789");
    assertEquals(await read({ start: 2, end: 5 }), "234");
    assertEquals(await read({ start: 7 }), "789");
    assertEquals(await read({ start: 8, end: 99 }), "89");
    assertEquals(await read({ start: 10 }), "");
    assertEquals(await read({ start: 3, end: 3 }), "");
    await refused("INVALID", () => store.stream("s", { start: 11 }));
  });

  test("can be left in the middle of a stream", async (store) => {
    await store.put("s", new Uint8Array(1_000_000));

    const reader = (await store.stream("s", { start: 1 })).getReader();
    assert((await reader.read()).value!.length > 0);
    await reader.cancel();
  });

  test("says NOT_FOUND for a key that it does not have", async (store, dir) => {
    await refused("NOT_FOUND", () => store.get("none"));
    await refused("NOT_FOUND", () => store.stream("none"));
    await refused("NOT_FOUND", () => store.stream("none", { start: 1 }));
    await refused("NOT_FOUND", () => store.materialize("none", dir));
    assertEquals(await store.stat("none"), null);
    await store.delete("none");
  });

  test("gives a path at which an object can be read", async (store, dir) => {
    await store.put("a/b.csv", bytes("x,y\n"));

    const path = await store.materialize("a/b.csv", dir);
    assertEquals(await Deno.readTextFile(path), "x,y\n");
    assertEquals(await store.materialize("a/b.csv", dir), path);
  });

  test("lists keys below a prefix in order", async (store) => {
    for (const key of ["b/2", "a", "b/10", "b.x", "b/1/z", "c/1"]) await store.put(key, bytes(key));

    assertEquals(await keysOf(store, ""), ["a", "b.x", "b/1/z", "b/10", "b/2", "c/1"]);
    assertEquals(await keysOf(store, "b/"), ["b/1/z", "b/10", "b/2"]);
    assertEquals(await keysOf(store, "b/1"), ["b/1/z", "b/10"]);
    assertEquals(await keysOf(store, "none/"), []);
  });

  test("forgets a deleted object", async (store) => {
    await store.put("gone", bytes("1"));
    await store.delete("gone");

    assertEquals(await store.stat("gone"), null);
    await store.put("gone", bytes("2"));
    assertEquals(text(await store.get("gone")), "2");
  });

  test("refuses keys that lead out of it or are not plain", async (store, dir) => {
    const bad = [
      "",
      "/abs",
      "a//b",
      "a/",
      "../up",
      "a/../b",
      ".",
      "a/./b",
      "a b",
      "a\\b",
      "ä",
      "a\0",
    ];
    for (const key of [...bad, "x".repeat(901)]) {
      await refused("INVALID", () => store.put(key, bytes("x")));
      await refused("INVALID", () => store.get(key));
      await refused("INVALID", () => store.stat(key));
      await refused("INVALID", () => store.delete(key));
      await refused("INVALID", () => store.materialize(key, dir));
    }
    await refused("INVALID", () => keysOf(store, "../"));
  });
}
