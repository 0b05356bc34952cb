/** @module Wide mapped tasks by real processes; tests/long has a hundred thousand. */
import { startProduct } from "../support/product.ts";
import { runWide, wideDag } from "../support/wide_run.ts";

const WIDTH = 2_100;

Deno.test(`${WIDTH} items go through two mapped tasks, each instance with its own`, async () => {
  await using product = await startProduct({
    dags: { "wide.ts": wideDag(WIDTH, { again: true }) },
  });
  await runWide(product, WIDTH, { again: true, withinMs: 120_000 });
});
