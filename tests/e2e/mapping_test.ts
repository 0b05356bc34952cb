/** @module Products of lists, lists of arguments and mapped groups, by real processes. */
import { assertEquals } from "@std/assert";
import { type Product, startProduct } from "../support/product.ts";

let product: Product;
Deno.test.beforeAll(async () => {
  product = await startProduct({ dags: { "mapping.ts": mappingDags } });
});
Deno.test.afterAll(async () => await product[Symbol.asyncDispose]());

const mappingDags = `import { branch, dag, expand, expandKwargs, group, task } from "tidewheel";
export const product = dag({ id: "product", schedule: null }, () => {
  const years = task({ id: "years" }, () => [2024, 2025]);
  const all = expand({ symbol: ["A", "B"], year: years }, ({ symbol, year }) =>
    task({ id: "each", inputs: { symbol, year } }, (_ctx, { symbol, year }) => symbol + year),
    { label: ({ symbol, year }) => symbol + " in " + year });
  const rows = expandKwargs([{ name: "x", times: 2 }, { name: "y", times: 3 }], ({ name, times }) =>
    task({ id: "row", inputs: { name, times } }, (_ctx, { name, times }) => name.repeat(times)));
  task({ id: "sum", inputs: { all, rows } }, (_ctx, { all, rows }) => [...all, ...rows]);
});
export const pages = dag({ id: "pages", schedule: null }, () => {
  const names = task({ id: "names" }, () => ["a", "bb", "ccc"]);
  const sizes = group({ id: "page", over: names, label: (name) => "page " + name }, (name) => {
    const text = task({ id: "get", inputs: { name } }, (_ctx, { name }) => {
      if (name === "bb") throw new Error("no such page");
      return name + "!";
    });
    const keep = task({ id: "keep", inputs: { text } }, (_ctx, { text }) => text);
    const drop = task({ id: "drop", inputs: { text } }, () => null);
    branch({ id: "which", inputs: { text }, to: { keep, drop } }, (_ctx, { text }) =>
      text.length > 3 ? "drop" : "keep");
    return task(
      { id: "size", inputs: { both: [keep, drop] }, triggerRule: "none_failed_min_one_success" },
      (_ctx, { both }) => both,
    );
  });
  task({ id: "sum", inputs: { sizes }, triggerRule: "all_done" }, (_ctx, { sizes }) => sizes);
});
`;

Deno.test("a product has every combination, a list of arguments one instance for each", async () => {
  const run = await product.api.runDag("product");
  const value = await product.api.output(run, "sum");
  assertEquals(value, ["A2024", "A2025", "B2024", "B2025", "xx", "yyy"]);
  assertEquals((await product.api.task(run, "each", 2)).rendered_map_index, "B in 2024");
  assertEquals((await product.api.task(run, "row", 1)).rendered_map_index, "1");
});

Deno.test("in a mapped group each index fails, branches and goes on by itself", async () => {
  const run = await product.api.trigger("pages");
  await product.api.ended(run);
  const states = await product.api.states(run);
  const ofIndex = (index: number) =>
    ["get", "which", "keep", "drop", "size"].map((id) => states[`page.${id}[${index}]`]);
  assertEquals(ofIndex(0), ["success", "success", "success", "skipped", "success"]);
  assertEquals(ofIndex(1), ["failed", ...Array(4).fill("upstream_failed")]);
  assertEquals(ofIndex(2), ["success", "success", "skipped", "success", "success"]);
  assertEquals(states.sum, "success");
  const failed = await product.api.task(run, "page.get", 1);
  assertEquals(failed.rendered_map_index, "page bb");
});

Deno.test("clearing one index of a mapped group clears what comes after it at that index", async () => {
  const run = await product.api.trigger("pages");
  await product.api.ended(run);
  const cleared = await product.api.send<{ task_instances: Record<string, unknown>[] }>(
    "POST",
    "/api/v2/dags/pages/clearTaskInstances",
    {
      dag_run_id: run.dag_run_id,
      task_ids: [["page.which", 0]],
      include_downstream: true,
      only_failed: false,
      dry_run: true,
    },
  );
  assertEquals(
    cleared.task_instances.map((task) => `${task.task_id}[${task.map_index}]`).sort(),
    ["page.drop[0]", "page.keep[0]", "page.size[0]", "page.which[0]", "sum[-1]"],
  );
});
