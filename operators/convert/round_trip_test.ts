import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { tableContext } from "../../tests/support/table_context.ts";
import { convertFile, inspectFile } from "./local.ts";

const schema = {
  name: "exact",
  key: [],
  columns: [
    { name: "id", type: "BIGINT", nullable: true },
    { name: "price", type: "DECIMAL(38,18)", nullable: true },
    { name: "small", type: "DECIMAL(9,2)", nullable: true },
    { name: "at", type: "TIMESTAMP_NS", nullable: true },
    { name: "instant", type: "TIMESTAMP WITH TIME ZONE", nullable: true },
    { name: "exact_instant", type: "TIMESTAMP_NS WITH TIME ZONE", nullable: true },
    { name: "unsigned", type: "UBIGINT", nullable: true },
    { name: "day", type: "DATE", nullable: true },
    { name: "measure", type: "DOUBLE", nullable: true },
    { name: "flag", type: "BOOLEAN", nullable: true },
    { name: "text", type: "VARCHAR", nullable: true },
  ],
};

const digits = (min: number, max: number) =>
  fc.string({
    unit: fc.constantFrom(..."0123456789"),
    minLength: min,
    maxLength: max,
  });
const decimal = (whole: number, scale: number) =>
  fc.tuple(fc.constantFrom("", "-"), digits(1, whole), digits(scale, scale))
    .map(([sign, before, behind]) => {
      const plain = before.replace(/^0+(?=\d)/, "");
      const isZero = /^0*$/.test(plain + behind);
      return `${isZero ? "" : sign}${plain}.${behind}`;
    });
const pad = (value: number, length: number) => String(value).padStart(length, "0");
const day = fc.tuple(
  fc.integer({ min: 1900, max: 2200 }),
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 1, max: 28 }),
).map(([year, month, date]) => `${year}-${pad(month, 2)}-${pad(date, 2)}`);
const second = fc.tuple(day, fc.integer({ min: 0, max: 86_399 })).map(([date, s]) =>
  `${date} ${pad(Math.floor(s / 3600), 2)}:${pad(Math.floor(s / 60) % 60, 2)}:${pad(s % 60, 2)}`
);
const fraction = (length: number) =>
  digits(length, length).map((text) => {
    const short = text.replace(/0+$/, "");
    return short === "" ? "" : `.${short}`;
  });
const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom("", '"', "a,b", "two\nlines", "\t", "null", "\\N", " x ", "é", "'"),
).filter((value) => value.isWellFormed() && !value.includes("\0") && !value.includes("\r"));

/** Rows as the engine shows them: exact texts. */
const row = fc.tuple(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  decimal(20, 18),
  decimal(7, 2),
  fc.tuple(second, fraction(9)).map((parts) => parts.join("")),
  fc.tuple(second, fraction(6)).map((parts) => parts.join("") + "+00"),
  // The engine sees no zone; all else does.
  fc.tuple(second, fraction(9)).map((parts) => parts.join("")),
  fc.bigInt({ min: 2n ** 60n, max: 2n ** 64n - 1n }).map(String),
  day,
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
  fc.boolean(),
  text,
).map(([id, ...rest]) => [
  Number.isSafeInteger(Number(id)) ? Number(id) : String(id),
  ...rest,
]);
const rows = fc.array(row, { minLength: 1, maxLength: 20 }).map((list) => [
  ...list,
  list[0].map(() => null),
]);

Deno.test("values go through every format and back without a change", async () => {
  await using t = await tableContext();
  let next = 0;
  const fresh = async () => {
    const workDir = `${t.root}/work/${next++}`;
    await Deno.mkdir(workDir);
    return { engine: t.ctx.engine, workDir };
  };
  await fc.assert(
    fc.asyncProperty(rows, async (values) => {
      const dir = `${t.root}/objects/${next++}`;
      await Deno.mkdir(dir);
      const lines = values.map((cells) => JSON.stringify(cells));
      // Numbers are written digit by digit here: JSON.stringify would do so for doubles only.
      const start = lines.map((line) => line.replace(/^\["(-?\d+)"/, "[$1"));
      await Deno.writeTextFile(`${dir}/start.ndjson`, start.join("\n") + "\n");
      let file = `${dir}/start.ndjson`;
      const columns = Object.fromEntries(schema.columns.map(({ name }, i) => [name, String(i)]));
      for (
        const to of [
          "parquet",
          "avro",
          "csv",
          "arrow",
          "json",
          "tsv",
          "arrow_stream",
          "ndjson",
          "parquet",
        ] as const
      ) {
        const first = file === `${dir}/start.ndjson` ? { columns } : {};
        const out = `${dir}/${next++}`;
        const report = await convertFile(file, { to, out, schema, ...first }, await fresh());
        assertEquals(report.refused, []);
        assertEquals(report.accounting.out, values.length);
        file = report.file;
      }
      const { sample } = await inspectFile(file, { sampleRows: 100 }, await fresh());
      assertEquals(sample, values);
    }),
    { numRuns: 5 },
  );
});
