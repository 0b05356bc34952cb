import { assertEquals } from "@std/assert";
import { tableContext } from "../../../../tests/support/table_context.ts";
import { convertFile } from "../../local.ts";

/** By type: SQL of values that are easily bent. */
const values: Readonly<Record<string, readonly string[]>> = {
  BIGINT: ["-9223372036854775808", "9223372036854775807", "0"],
  UBIGINT: ["18446744073709551615", "0", "1"],
  HUGEINT: ["-12345678901234567890123456789012345678", "1", "0"],
  TINYINT: ["-128", "127", "0"],
  "DECIMAL(38,20)": ["0.12345678901234567890", "-123456789012345678.00000000000000000001", "0"],
  "DECIMAL(18,4)": ["100.1000", "-0.0001", "99999999999999.9999"],
  DOUBLE: ["0.1", "'NaN'", "'-Infinity'"],
  FLOAT: ["0.1", "'Infinity'", "1e-40"],
  BOOLEAN: ["true", "false", "true"],
  VARCHAR: [`''`, `'a"b\\c' || chr(10) || chr(0) || 'é😀'`, `'null'`],
  BLOB: [`'\\x00\\xFF'`, `''`, `'abc'`],
  UUID: [
    "'00112233-4455-6677-8899-aabbccddeeff'",
    "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
    "'00000000-0000-0000-0000-000000000000'",
  ],
  DATE: ["'1900-01-01'", "'2262-12-31'", "'0001-01-01'"],
  TIME: ["'23:59:59.999999'", "'00:00:00'", "'12:30:00.5'"],
  TIMESTAMP: [
    "'2024-01-02 03:04:05.123456'",
    "'1969-12-31 23:59:59.999999'",
    "'9999-12-31 00:00:00'",
  ],
  TIMESTAMP_MS: ["'2024-01-02 03:04:05.123'", "'1900-01-01 00:00:00'", "'2024-01-02 00:00:00'"],
  TIMESTAMP_NS: [
    "'2024-01-02 03:04:05.123456789'",
    "'1969-12-31 23:59:59.999999999'",
    "'2261-01-01 00:00:00'",
  ],
  "TIMESTAMP WITH TIME ZONE": [
    "'2024-01-02 03:04:05.123456+02'",
    "'1969-12-31 23:59:59.999999Z'",
    "'2024-06-01 00:00:00-05:30'",
  ],
  JSON: [`'{"a":[1.50,null]}'`, `'"12"'`, `'12345678901234567890'`],
  "DECIMAL(38,20)[]": ["[0.12345678901234567890, NULL]", "[]", "[1]"],
  'STRUCT("a b" VARCHAR, n UBIGINT, t TIMESTAMP_NS, d DOUBLE, x BLOB)': [
    `{'a b': 'x: 1, "2"', 'n': 18446744073709551615, 't': '2024-01-02 03:04:05.123456789', ` +
    `'d': 'NaN', 'x': '\\x00\\xFF'}`,
    "{'a b': NULL, 'n': NULL, 't': NULL, 'd': NULL, 'x': NULL}",
    "{'a b': '', 'n': 0, 't': NULL, 'd': 0.1, 'x': ''}",
  ],
  "MAP(VARCHAR, STRUCT(p DECIMAL(18,4), l BIGINT[]))": [
    "MAP {'k': {'p': 1.1000, 'l': [9223372036854775807]}, '': NULL}",
    "MAP {}",
    "MAP {'x': {'p': NULL, 'l': NULL}}",
  ],
};

const types = Object.keys(values);
const schema = {
  name: "every",
  key: [],
  columns: types.map((type, i) => ({ name: `c ${i}`, type, nullable: true })),
};

Deno.test("rows of every type come back from JSON and NDJSON as they were", async () => {
  await using t = await tableContext();
  const { engine } = t.ctx;
  let next = 0;
  const fresh = async () => {
    const workDir = `${t.root}/work/${next++}`;
    await Deno.mkdir(workDir);
    return { engine, workDir };
  };
  const rows = [0, 1, 2, null].map((row) =>
    `SELECT ${
      types.map((type, i) => `(${row === null ? "NULL" : values[type][row]})::${type} AS "c ${i}"`)
        .join(", ")
    }`
  );
  const start = `${(await fresh()).workDir}/start.parquet`;
  await engine.run(rows.join(" UNION ALL "), { to: { path: start, format: "parquet" } });
  const read = async (path: string) =>
    (await engine.run(
      `SELECT ${types.map((_, i) => `"c ${i}"::VARCHAR, typeof("c ${i}")`).join(", ")} ` +
        `FROM read_parquet('${path}')`,
      { rowsMax: 10 },
    )).rows;
  const want = await read(start);
  for (const to of ["ndjson", "json"] as const) {
    const written = await convertFile(
      start,
      { to, out: `${t.root}/objects/${next++}`, schema },
      await fresh(),
    );
    assertEquals([written.refused, written.accounting.out], [[], 4]);
    const back = await convertFile(
      written.file,
      { to: "parquet", out: `${t.root}/objects/${next++}`, schema },
      await fresh(),
    );
    assertEquals(back.refused.map(({ column, reason }) => [column, reason]), []);
    assertEquals(await read(back.file), want);
  }
});

Deno.test("a nested value that does not fit its type is refused, not bent", async () => {
  await using t = await tableContext();
  const columns = [
    { name: "l", type: "DECIMAL(9,2)[]", nullable: true },
    { name: "s", type: "STRUCT(a BIGINT, b VARCHAR)", nullable: true },
  ];
  const path = `${t.root}/objects/x.ndjson`;
  await Deno.writeTextFile(
    path,
    [
      '{"l":[1.10, 2],"s":{"a":1,"b":"x"}}',
      '{"l":[1.123]}',
      '{"l":{}}',
      '{"s":{"a":1.5,"b":"x"}}',
      '{"s":{"a":1,"b":"x","c":2}}',
      '{"s":{"a":1}}',
    ].join("\n"),
  );
  const workDir = `${t.root}/work/x`;
  await Deno.mkdir(workDir);
  const report = await convertFile(
    path,
    { to: "ndjson", out: `${t.root}/objects/out`, schema: { name: "t", key: [], columns } },
    { engine: t.ctx.engine, workDir },
  );
  assertEquals(report.refused.map(({ row }) => row), [2, 3, 4, 5, 6]);
  assertEquals(
    await Deno.readTextFile(report.file),
    '{"l":[1.10,2.00],"s":{"a":1,"b":"x"}}\n',
  );
});
