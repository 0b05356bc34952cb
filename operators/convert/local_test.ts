import { assert, assertEquals, assertRejects } from "@std/assert";
import { tableContext } from "../../tests/support/table_context.ts";
import { convertFile, inspectFile } from "./local.ts";

Deno.test("local files", async (t) => {
  await using context = await tableContext();
  let next = 0;
  const fresh = async () => {
    const workDir = `${context.root}/work/${next++}`;
    await Deno.mkdir(workDir);
    return { engine: context.ctx.engine, workDir };
  };
  const file = `${context.root}/objects/prices.csv`;
  const content = "id;px\n1;1.10\n2;n/a\n3\n4;2.25\n";
  await Deno.writeTextFile(file, content);

  await t.step("inspectFile() says format, rows, columns, types and what is refused", async () => {
    const found = await inspectFile(file, { nullTokens: ["n/a"] }, await fresh());
    assertEquals([found.format, found.rows, found.refused.reasons], ["csv", 4, { columns: 1 }]);
    assertEquals(found.columns.map(({ inferred: _, ...column }) => column), [
      { name: "id", type: "BIGINT", nulls: 0, min: "1", max: "4" },
      { name: "px", type: "DECIMAL(18,2)", nulls: 1, min: "1.10", max: "2.25" },
    ]);
    assertEquals(found.columns[0].inferred, {
      type: "BIGINT",
      confidence: 0.8,
      texts: 3,
      distinct: 3,
      nulls: 0,
      meaning: "not-generalizable",
    });
    assertEquals(found.sample, [[1, "1.10"], [2, null], [4, "2.25"]]);
  });

  await t.step("inspectFile() finds columns, or pairs of them, that are keys", async () => {
    const path = `${context.root}/objects/bars.csv`;
    const keysOf = async (content: string) => {
      await Deno.writeTextFile(path, content);
      return (await inspectFile(path, {}, await fresh())).keys;
    };
    const bars = "symbol,day,close\nA,2026-01-05,1.5\nA,2026-01-06,1.5\nB,2026-01-05,2.5\n";
    assertEquals(await keysOf(bars), [["symbol", "day"]]);
    assertEquals(await keysOf(bars + "B,2026-01-05,2.5\n"), []);
    assertEquals(await keysOf("id,x\n1,a\n2,a\n"), [["id"]]);
  });

  await t.step("convertFile() accounts for every row, refused ones beside the result", async () => {
    const out = `${context.root}/out`;
    const schema = {
      name: "prices",
      key: [],
      columns: [
        { name: "id", type: "BIGINT", nullable: false },
        { name: "px", type: "DECIMAL(9,1)", nullable: true },
      ],
    };
    const report = await convertFile(file, { to: "json", out, schema }, await fresh());
    assertEquals(report.file, `${out}/prices.json`);
    assertEquals(await Deno.readTextFile(report.file), '[\n{"id":1,"px":1.1}\n]\n');
    assertEquals([report.accounting.in, report.accounting.out], [4, 1]);
    assertEquals(report.reasons, { columns: 1, type: 2 });
    const lines = (await Deno.readTextFile(report.quarantineFile!)).trim().split("\n");
    assertEquals(lines.map((line) => JSON.parse(line).raw).sort(), ["2;n/a", "3", "4;2.25"]);
    assertEquals(await Deno.readTextFile(file), content);
  });

  await t.step("convertFile() replaces a result, but never the file itself", async () => {
    const out = `${context.root}/objects`;
    const refused = await assertRejects(
      async () => await convertFile(file, { to: "csv", out }, await fresh()),
      Error,
      "onto itself",
    );
    assertEquals((refused as { code?: string }).code, "CONFLICT");
    for (let i = 0; i < 2; i++) await convertFile(file, { to: "parquet", out }, await fresh());
    assert((await Deno.stat(`${out}/prices.parquet`)).isFile);
  });

  await t.step("a file that is not there, or a folder, is said to be so", async () => {
    const path = `${context.root}/none.csv`;
    await assertRejects(async () => inspectFile(path, {}, await fresh()), Error, "no such file");
    await assertRejects(async () => inspectFile("/tmp", {}, await fresh()), Error, "not a file");
  });
});
