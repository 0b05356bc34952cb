/** @module Files of databases and offices, read in the processes of tasks. */
import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { orcFile, orcKind } from "../support/orc_file.ts";
import { startProduct } from "../support/product.ts";
import { xlsxOf } from "../support/workbook_file.ts";

const workbook = () =>
  xlsxOf({
    formats: ["yyyy-mm-dd"],
    strings: "<si><t>day</t></si><si><t>close</t></si>",
    sheets: [{
      name: "Prices",
      rows: '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>' +
        '<row r="2"><c r="A2" s="1"><v>45292</v></c><c r="B2"><v>0.1</v></c></row>',
    }],
  });

const orc = () =>
  orcFile({
    codec: "zlib",
    types: [
      { kind: orcKind.struct, subtypes: [1, 2], names: ["day", "close"] },
      { kind: orcKind.date },
      { kind: orcKind.decimal, precision: 4, scale: 1 },
    ],
    stripes: [{
      rows: 1,
      streams: [
        // 19,723 days, and 0.1.
        { column: 1, kind: 1, bytes: [0xff, 0x96, 0xb4, 0x02] },
        { column: 2, kind: 1, bytes: [2] },
        { column: 2, kind: 5, bytes: [0xff, 2] },
      ],
      encodings: [{ kind: 0 }, { kind: 0 }, { kind: 0 }],
    }],
  });

function database(path: string): void {
  const made = new DatabaseSync(path);
  made.exec("PRAGMA journal_mode = wal; CREATE TABLE prices (day DATE, close REAL)");
  made.exec("INSERT INTO prices VALUES ('2024-01-01', 0.1)");
  made.close();
}

const dagOf = (inbox: string, names: readonly string[]) =>
  `import { column, dag, table, type TableRef, task, type TaskContext } from "tidewheel";
import { collect, convert } from "tidewheel/operators";

const Prices = table("prices", { day: column.date(), close: column.decimal(18, 4) });

export default dag({ id: "files", schedule: null }, () => {
  for (const name of ${JSON.stringify(names)}) {
    const id = name.replace(".", "_");
    const from = collect.file({
      id: "collect_" + id,
      source: "drop." + id,
      folder: ${JSON.stringify(inbox)},
      pattern: name,
      ready: { kind: "settled", quietMs: 10 },
      partition: "p",
    });
    const table = convert({ id: "convert_" + id, from, schema: Prices });
    task({ id: "rows_" + id, inputs: { from: table } }, rowsOf);
  }
});

async function rowsOf(ctx: TaskContext, { from }: { from: TableRef }) {
  const sql = "SELECT day, close FROM read_parquet(?)";
  const params = [await ctx.files.open(from.files[0])];
  return (await ctx.engine.run(sql, { params, rowsMax: 100 })).rows;
}
`;

Deno.test("a workbook, an ORC and a SQLite file become tables in tasks", async () => {
  await using product = await startProduct();
  const inbox = `${product.root}/dropped`;
  await Deno.mkdir(inbox);
  await Deno.writeFile(`${inbox}/prices.xlsx`, await workbook());
  await Deno.writeFile(`${inbox}/prices.orc`, orc());
  database(`${inbox}/prices.sqlite`);
  const names = ["prices.xlsx", "prices.orc", "prices.sqlite"];
  await product.write({ "files.ts": dagOf(inbox, names) });

  const run = await product.api.runDag("files", {}, { withinMs: 60_000 });

  for (const name of names) {
    const rows = await product.api.output(run, `rows_${name.replace(".", "_")}`);
    assertEquals(rows, [["2024-01-01", "0.1000"]], name);
  }
});
