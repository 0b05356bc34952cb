import { assertEquals } from "@std/assert";
import { grouper } from "./grouper.ts";

Deno.test("grouper() puts together what arrives while a call is under way", async () => {
  const calls: number[][] = [];
  const open: (() => void)[] = [];
  const group = grouper<number, number>(async (items) => {
    calls.push(items);
    await new Promise<void>((resolve) => open.push(resolve));
    return items.map((item) => item * 10);
  }, { max: 3, isCommon: () => false });

  const first = group([1]);
  const rest = [group([2, 3]), group([4, 5])];
  const values = async (results: typeof first) =>
    (await results).map((each) => each.status === "fulfilled" && each.value);
  open[0]();
  assertEquals(await values(first), [10]);
  await Promise.resolve();
  open[1]();
  assertEquals(await values(rest[0]), [20, 30]);
  await Promise.resolve();
  open[2]();
  assertEquals(await values(rest[1]), [40, 50]);
  assertEquals(calls, [[1], [2, 3, 4], [5]]);
});

Deno.test("grouper() tries each alone when one of several is bad", async () => {
  const group = grouper<number, number>((items) => {
    if (items.includes(2)) return Promise.reject(new Error("two"));
    return Promise.resolve(items);
  }, { max: 10, isCommon: () => false });
  const results = await group([1, 2, 3]);
  assertEquals(results.map((each) => each.status), ["fulfilled", "rejected", "fulfilled"]);
});

Deno.test("grouper() does not try again what has nothing to do with any item", async () => {
  let calls = 0;
  const group = grouper<number, number>(() => {
    calls++;
    return Promise.reject(new Error("down"));
  }, { max: 10, isCommon: () => true });
  assertEquals((await group([1, 2])).map((each) => each.status), ["rejected", "rejected"]);
  assertEquals(calls, 1);
});
