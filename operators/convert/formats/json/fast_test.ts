import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { tableContext } from "../../../../tests/support/table_context.ts";
import { convertFiles } from "../../convert_files.ts";
import { ConvertParams } from "../../params.ts";
import { LineTemplate } from "./line_template.ts";

const plain = {
  id: fc.integer({ min: -1000, max: 1000 }).map(String),
  price: fc.tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.integer({ min: 0, max: 4 }))
    .map(([unscaled, scale]) => (unscaled / 10 ** scale).toFixed(scale)),
  name: fc.string({ unit: "grapheme", maxLength: 6 }).filter((text) => text.isWellFormed())
    .map((text) => JSON.stringify(text)),
  flag: fc.constantFrom("true", "false", "null"),
};
const odd = fc.constantFrom(
  ..."1e5 1E-3 1e400 -0 -0.0 1.0 01 +1 .5 5. 1.123456789012345678 12345678901234567890".split(" "),
  ..."1234567890123456789 123456789.123456789 9007199254740993 NaN -Infinity nan true".split(" "),
  ...'null nul [] [1.50] {} {"a":1} 2 1.5 -'.split(" "),
  '"x"',
  '""',
  '" 1.5"',
  '"1_000"',
  '"\\u0041\\u0000"',
  '"\\ud800"',
  '"a\\",\\"name\\":1"',
  '"tab\there"',
  '"1.10"',
);
const fields = Object.keys(plain) as (keyof typeof plain)[];
const oddLine = fc.constantFrom(
  "",
  "  ",
  "{}",
  "[]",
  "7",
  '{"id":1,}',
  '{"id":1,"id":2}',
  '{"id":1}{"id":2}',
  '{"id":1} ',
  '{"name":"x","id":3}',
  '{"id":1,"other":null}',
  '{"id":1,"other":2.50}',
  '{"i\\u0064":1}',
  '{"ID":1}',
  '{"id" : 1}',
  '{"name":"a,\\"price\\":2","id":1}',
  '{"id":1}\r{"id":2}',
  '{"id":1',
);

/** Lines that are mostly alike, with few odd values and lines among them, or none. */
const files = fc.record({
  lines: fc.array(fc.record(plain), { minLength: 1, maxLength: 12 }),
  odd: fc.array(
    fc.record({
      line: fc.nat(11),
      field: fc.nat(3),
      value: odd,
      other: oddLine,
      isLine: fc.boolean(),
    }),
    { maxLength: 2 },
  ),
  newLine: fc.constantFrom("\n", "\r\n"),
  separators: fc.constantFrom([",", ":"], [", ", ": "]),
  /** Rows before them, so that what is odd is not among those from which columns are learned. */
  before: fc.constantFrom(0, 1001),
}).map(({ lines, odd, newLine, separators: [comma, colon], before }) => {
  const written: string[] = [];
  for (const [i, record] of lines.entries()) {
    const values: Record<string, string> = { ...record };
    for (const { line, field, value, other, isLine } of odd) {
      if (line !== i) continue;
      if (isLine) written.push(other);
      else values[fields[field]] = value;
    }
    written.push(
      `{${fields.map((name) => `"${name}"${colon}${values[name]}`).join(comma)}}`,
    );
  }
  const [first] = lines;
  const same = `{${fields.map((name) => `"${name}"${colon}${first[name]}`).join(comma)}}${newLine}`;
  return same.repeat(before) + written.join(newLine) + newLine;
});

const schema = {
  name: "t",
  key: [],
  columns: [
    { name: "id", type: "BIGINT", nullable: true },
    { name: "price", type: "DECIMAL(18,4)", nullable: true },
    { name: "name", type: "VARCHAR", nullable: true },
    { name: "flag", type: "BOOLEAN", nullable: true },
  ],
};
const doubles = {
  ...schema,
  columns: schema.columns.map((column) =>
    column.name === "price" ? { ...column, type: "DOUBLE" } : column
  ),
};

Deno.test("what the engine reads of lines is what a careful reading gives, or it is not taken", async () => {
  await using t = await tableContext();
  const { engine, signal } = t.ctx;
  let fast = 0;
  let next = 0;
  const convert = async (path: string, given: Record<string, unknown>) => {
    const workDir = `${t.root}/work/${next++}`;
    await Deno.mkdir(workDir);
    const raw = { path, name: "x.ndjson", key: "x.ndjson", source: "s", labels: {} };
    const params = ConvertParams.parse({ format: "ndjson", onDrift: "evolve", ...given });
    try {
      const { files, accounting, schema, quarantine } = await convertFiles([raw], params, {
        engine,
        workDir,
        signal,
      });
      await quarantine.close();
      const names = schema.columns.map(({ name }) => `"${name}"::VARCHAR`).join(", ");
      return {
        isFast: files[0].provenance !== null,
        found: {
          columns: schema.columns,
          accounting,
          refused: quarantine.sample,
          rows: (await engine.run(
            `SELECT ${names} FROM read_parquet('${files[0].path}', file_row_number = true) ` +
              `ORDER BY file_row_number`,
            { rowsMax: 10_000 },
          )).rows,
        },
      };
    } catch (error) {
      return { isFast: false, found: String(error) };
    }
  };
  // A number that means null is a reason to read with care; this one is in no file.
  const withCare = { nullTokens: ["1e+99999"] };
  await fc.assert(
    fc.asyncProperty(
      files,
      fc.constantFrom({}, { schema }, { schema: doubles }),
      async (text, given) => {
        const path = `${t.root}/objects/${next++}.ndjson`;
        await Deno.writeTextFile(path, text);
        const quick = await convert(path, given);
        const careful = await convert(path, { ...given, ...withCare });
        assertEquals(careful.isFast, false);
        assertEquals(quick.found, careful.found, text.slice(-1000));
        if (quick.isFast) fast++;
      },
    ),
    { numRuns: 30 },
  );
  assert(fast > 5, `the engine read ${fast} files`);
});

Deno.test("a long document is read as its lines, however it is laid out", async (t) => {
  await using context = await tableContext();
  const { engine, signal } = context.ctx;
  let next = 0;
  const convert = async (text: string, given: Record<string, unknown> = {}) => {
    const path = `${context.root}/objects/${next++}.json`;
    await Deno.writeTextFile(path, text);
    const workDir = `${context.root}/work/${next++}`;
    await Deno.mkdir(workDir);
    const raw = { path, name: "x.json", key: "x", source: "s", labels: {} };
    const params = ConvertParams.parse({ format: "json", ...given });
    const { files, accounting, schema } = await convertFiles([raw], params, {
      engine,
      workDir,
      signal,
    });
    const { rows } = await engine.run(
      `SELECT count(*), sum(id)::VARCHAR, sum(price)::VARCHAR, max(name), any_value(typeof(price)) ` +
        `FROM read_parquet('${files[0].path}')`,
      { rowsMax: 1 },
    );
    return {
      isFast: files[0].provenance !== null,
      found: { rows, accounting, columns: schema.columns },
    };
  };
  const records = Array.from({ length: 70_000 }, (_, i) => ({
    id: i,
    price: `#${(i % 1000 / 100 - 3 + 0.01).toFixed(2)}#`,
    name: i % 7 === 0 ? null : `"n"\n${i}, é`,
    rest: "x".repeat(12),
  }));
  const json = (space?: number) => JSON.stringify(records, null, space).replace(/"#|#"/g, "");
  const withCare = { nullTokens: ["1e+99999"] };
  const want = (await convert(json(), withCare)).found;
  const layouts = {
    "on one line": json(),
    "a record a line": json().replaceAll("},{", "},\n{"),
    "indented": json(2),
    "in an envelope": `{"count":2,"data":{"rows":${json()}},"more":[1]}`,
  };
  for (const [layout, text] of Object.entries(layouts)) {
    await t.step(layout, async () => {
      assertEquals(await convert(text), { isFast: true, found: want });
    });
  }
  for (const odd of ['"price":1.50,"price":2', '"price":12345678901234567890', '"price":1e0']) {
    await t.step(`with ${odd} somewhere, with care`, async () => {
      const text = json().replace('"id":69000,"price":-2.99', `"id":69000,${odd}`);
      const { isFast, found } = await convert(text);
      assertEquals([isFast, found], [false, (await convert(text, withCare)).found]);
    });
  }
});

Deno.test("a template knows its lines to the byte", () => {
  const template = (line: string) =>
    new LineTemplate([
      { name: "s", kind: "string" },
      { name: "d", kind: "decimal" },
      { name: "i", kind: "integer" },
      { name: "b", kind: "boolean" },
    ], line);
  const floats = new LineTemplate([{ name: "f", kind: "float" }], '{"f":1}');
  const match = (line: string, like = line) => {
    const bytes = new TextEncoder().encode(`${line}\0`);
    const view = new DataView(bytes.buffer);
    const of = like.startsWith('{"f"') ? floats : template(like);
    return of.match(bytes, view, 0, bytes.length - 1) === bytes.length - 1;
  };
  const good = '{"s":"a\\"b","d":-1.5,"i":12,"b":true}';
  assert(match(good));
  assert(match('{ "s": "a", "d": null, "i": null, "b": false}'));
  // Whatever the buffer's end cuts, the match comes to an end.
  for (let length = 0; length < good.length; length++) {
    const cut = new TextEncoder().encode(`${good.slice(0, length)}\0`);
    assertEquals(template(good).match(cut, new DataView(cut.buffer), 0, length), -1);
  }
  for (const number of ["-0.5", "-0.0", "1e400", "0.12345678901234567", "-1.5E-3"]) {
    assert(match(`{"f":${number}}`), number);
  }
  for (const number of ["-0", "-0e5", "NaN", '"1"', "true", "1e5x"]) {
    assertEquals(match(`{"f":${number}}`), false, number);
  }
  assert(match('{"s":"a","d":-0.5,"i":-1,"b":true}'));
  for (
    const bad of [
      '{"s":"a","d":1.5,"i":12,"b":true',
      '{"s":"a","d":1.5,"i":12,"b":true,}',
      '{"s":"a","d":1.5,"i":12,"b":true,"x":1}',
      '{"s":1,"d":1.5,"i":12,"b":true}',
      '{"s":"a","d":"1.5","i":12,"b":true}',
      '{"s":"a","d":1e5,"i":12,"b":true}',
      '{"s":"a","d":1.23456789012345,"i":12,"b":true}',
      '{"s":"a","d":1.5,"i":1.0,"b":true}',
      '{"s":"a","d":1.5,"i":1234567890123456789,"b":true}',
      '{"s":"a","d":-0,"i":12,"b":true}',
      '{"s":"a","d":NaN,"i":12,"b":true}',
      '{"d":1.5,"s":"a","i":12,"b":true}',
      '{"s":"a","d":1.5,"i":12}',
      '{"s":["a"],"d":1.5,"i":12,"b":true}',
      '{"s":"a\n","d":1.5,"i":12,"b":true}',
    ]
  ) assertEquals(match(bad, good), false, bad);
});
