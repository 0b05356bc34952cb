import { assertEquals } from "@std/assert";
import { topologicalOrder, totalWeights } from "./graph.ts";

const diamond = new Map([["d", ["b", "c"]], ["b", ["a"]], ["c", ["a"]], ["a", []]]);

Deno.test("topologicalOrder() puts each node behind those it waits for, ties by id", () => {
  assertEquals(topologicalOrder(diamond), { order: ["a", "b", "c", "d"] });
});

Deno.test("topologicalOrder() gives a cycle in the order of its edges", () => {
  const graph = new Map([["in", []], ["a", ["c", "in"]], ["b", ["a"]], ["c", ["b"]], ["z", ["c"]]]);
  assertEquals(topologicalOrder(graph), { cycle: ["a", "b", "c", "a"] });
});

Deno.test("totalWeights() counts each node downstream once", () => {
  const weights = totalWeights(diamond, ["a", "b", "c", "d"], (id) => id === "d" ? 10 : 1);
  assertEquals(Object.fromEntries(weights), { a: 13, b: 11, c: 11, d: 10 });
});

Deno.test("totalWeights() stays within 32 bits", () => {
  const weights = totalWeights(diamond, ["a", "b", "c", "d"], () => 2 ** 30);
  assertEquals(weights.get("a"), 2 ** 31 - 1);
});

Deno.test("totalWeights() is right past one word of its bit sets", () => {
  const ids = Array.from({ length: 100 }, (_, i) => `t${String(i).padStart(3, "0")}`);
  const chain = new Map(ids.map((id, i) => [id, i === 0 ? [] : [ids[i - 1]]]));
  const weights = totalWeights(chain, ids, () => 1);
  assertEquals([weights.get(ids[0]), weights.get(ids[50]), weights.get(ids[99])], [100, 50, 1]);
});
