/** @module Avro, Arrow and Parquet go through a task's narrow permissions, in and out. */
import { assertEquals } from "@std/assert";
import { writeFile } from "../../operators/convert/write_file.ts";
import { startProduct } from "../support/product.ts";
import { tableContext } from "../support/table_context.ts";

const formats = ["avro", "arrow", "arrow_stream", "parquet"] as const;
const columns = [
  { name: "id", type: "UBIGINT" },
  { name: "at", type: "TIMESTAMP_NS WITH TIME ZONE" },
  { name: "legs", type: "STRUCT(price DECIMAL(18,4))[]" },
];
const relation = "SELECT (18446744073709551615 - i)::UBIGINT AS id, " +
  "make_timestamp_ns(1700000000123456789 + i) AS at, [{'price': 1.5::DECIMAL(18,4)}] AS legs " +
  "FROM range(3) r(i)";

const throughAll = (inbox: string) =>
  `import { dag } from "tidewheel";
import { collect, convert, publish } from "tidewheel/operators";

export default dag({ id: "columnar", schedule: null }, () => {
  for (const format of ${JSON.stringify(formats)} as const) {
    const raw = collect.file({
      id: \`collect_\${format}\`,
      source: \`drop.\${format}\`,
      folder: ${JSON.stringify(inbox)},
      pattern: \`trades.\${format}\`,
      ready: { kind: "settled", quietMs: 10 },
      partition: "p",
    });
    const table = convert({ id: \`convert_\${format}\`, from: raw });
    publish({ id: \`publish_\${format}\`, from: table, dataset: \`trades.\${format}\`, partition: "p" });
    if (format !== "parquet") convert({ id: \`write_\${format}\`, from: raw, to: format });
  }
});
`;

Deno.test("tasks read and write Avro, Arrow and Parquet", async () => {
  await using product = await startProduct();
  await using files = await tableContext();
  const inbox = `${product.root}/dropped`;
  await Deno.mkdir(inbox);
  for (const to of formats) {
    const path = `${files.ctx.workDir}/trades.${to}`;
    await writeFile(files.ctx, { relation, columns, to, path });
    await Deno.copyFile(path, `${inbox}/trades.${to}`);
  }
  await product.write({ "columnar.ts": throughAll(inbox) });
  const { api } = product;
  const run = await api.runDag("columnar", {}, { withinMs: 120_000 });
  assertEquals(run.state, "success", JSON.stringify(await api.attempts(run)));
});
