import { assertEquals } from "@std/assert";
import { testObjectStore } from "../../tests/conformance/object_store.ts";
import { memoryObjectStore } from "./memory.ts";

testObjectStore("memoryObjectStore()", () =>
  Promise.resolve({
    store: memoryObjectStore(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }));

Deno.test("memoryObjectStore() does not share its bytes with the caller", async () => {
  const store = memoryObjectStore();
  const data = new Uint8Array([1]);
  await store.put("k", data);
  data[0] = 2;
  (await store.get("k"))[0] = 3;

  assertEquals([...await store.get("k")], [1]);
});
