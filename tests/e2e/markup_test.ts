/** @module XML, HTML and what is built on them, from dropped files to rows, in worker processes. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Product, startProduct } from "../support/product.ts";
import type { Run } from "../support/product_api.ts";

let product: Product;
let run: Run;
Deno.test.beforeAll(async () => {
  product = await startProduct();
  const inbox = `${product.root}/dropped`;
  await Deno.mkdir(inbox);
  await Deno.writeTextFile(
    `${inbox}/trades.dat`,
    `<Trades day="2026-01-02">${'<Trade id="1"><Price>1.10</Price></Trade>'.repeat(3)}</Trades>`,
  );
  await Deno.writeTextFile(
    `${inbox}/page.dat`,
    "<html><table><tr><th>day<th>rate<tr><td>2026-01-02<td>1.5</table></html>",
  );
  await Deno.writeTextFile(
    `${inbox}/error.dat`,
    "<html><head><title>403 Forbidden</title></head><body>no</body></html>",
  );
  await product.write({ "markup.ts": dagOf(inbox) });
  run = await product.api.runDag("markup", {}, { withinMs: 60_000 });
});
Deno.test.afterAll(async () => {
  await product[Symbol.asyncDispose]();
});

const dagOf = (inbox: string) =>
  `import { dag } from "tidewheel";
import { collect, convert } from "tidewheel/operators";

export default dag({ id: "markup", schedule: null }, () => {
  for (const name of ["trades", "page", "error"]) {
    const raw = collect.file({
      id: "collect_" + name,
      source: "drop." + name,
      folder: ${JSON.stringify(inbox)},
      pattern: name + ".dat",
      ready: { kind: "settled", quietMs: 10 },
      partition: "p",
    });
    convert({ id: name, from: raw });
  }
});
`;

Deno.test("XML and HTML are told by content and converted; an error page fails with its title", async () => {
  const states = await product.api.states(run);
  assertEquals([states.trades, states.page, states.error], ["success", "success", "failed"]);
  const { evidence } = await product.api.lastAttempt(run, "error");
  assertStringIncludes(evidence.message!, '"403 Forbidden"');
  assertEquals((await product.api.output<{ rows: number }>(run, "trades")).rows, 3);
});
