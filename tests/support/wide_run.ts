/** @module A run of a task mapped over a wide list, through the real product; its outputs are summed. */
import { assertEquals } from "@std/assert";
import type { Run } from "./product_api.ts";
import type { Product } from "./product.ts";

/** DAG "wide": `width` items, a task for each, `again` over each one's output, and their sum. */
export function wideDag(width: number, { again }: { again: boolean }): string {
  return `import { dag, task } from "tidewheel";
export default dag({ id: "wide", schedule: null, maxActiveTasks: 1000 }, () => {
  const list = task({ id: "list" }, () => Array.from({ length: ${width} }, (_, i) => i));
  const once = list.expand((item) =>
    task({ id: "each", inputs: { item }, pool: "wide" }, (_ctx, { item }) => item + 1));
  const all = ${again} ? once.expand((item) =>
    task({ id: "again", inputs: { item }, pool: "wide" }, (_ctx, { item }) => item + 1)) : once;
  task({ id: "sum", inputs: { all } }, (_ctx, { all }) => all.reduce((a, b) => a + b, 0));
});
`;
}

/** Run it to its end; every item must have gone through once. */
export async function runWide(
  { api }: Product,
  width: number,
  { again, withinMs }: { again: boolean; withinMs: number },
): Promise<Run> {
  await api.listed("wide");
  await api.send("POST", "/api/v2/pools", { name: "wide", slots: -1 });
  const run = await api.ended(await api.trigger("wide"), { withinMs, everyMs: 100 });
  assertEquals(run.state, "success");
  const rounds = again ? 2 : 1;
  assertEquals(await api.output(run, "sum"), width * (width - 1) / 2 + rounds * width);
  return run;
}
