import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { tableContext } from "../../tests/support/table_context.ts";
import type { ReadCall } from "./formats/format.ts";
import type { StagedType } from "./formats/staged_type.ts";
import { TableStage } from "./formats/staging.ts";
import { parquet } from "./formats/parquet/mod.ts";
import { convertFile, inspectFile } from "./local.ts";
import { writeFile } from "./write_file.ts";

const targets = ["parquet", "avro", "arrow", "arrow_stream"] as const;

const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const nanos = fc.bigInt({ min: -(10n ** 18n), max: 4n * 10n ** 18n });
const text = fc.oneof(fc.constant(""), fc.string({ unit: "grapheme", maxLength: 8 }))
  .filter((value) => value.isWellFormed() && !value.includes("\0"));
const unscaled = (digits: number) =>
  fc.bigInt({ min: -(10n ** BigInt(digits)) + 1n, max: 10n ** BigInt(digits) - 1n });

interface TypedValues {
  type: StagedType;
  values: fc.Arbitrary<unknown>;
}

/** Types with values of them, as staging takes both. */
const plain: TypedValues[] = [
  { type: "BIGINT", values: long },
  { type: "UBIGINT", values: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) },
  { type: "INTEGER", values: fc.integer() },
  { type: "TINYINT", values: fc.integer({ min: -128, max: 127 }) },
  { type: "UINTEGER", values: fc.integer({ min: 0, max: 2 ** 32 - 1 }) },
  { type: "DOUBLE", values: fc.double() },
  { type: "FLOAT", values: fc.float() },
  { type: "BOOLEAN", values: fc.boolean() },
  { type: "VARCHAR", values: text },
  { type: "BLOB", values: fc.uint8Array({ maxLength: 40 }) },
  { type: "UUID", values: fc.uint8Array({ minLength: 16, maxLength: 16 }) },
  { type: "DATE", values: fc.integer({ min: -700_000, max: 2_900_000 }) },
  { type: "TIME", values: fc.bigInt({ min: 0n, max: 86_399_999_999n }) },
  { type: "TIMESTAMP", values: nanos },
  { type: "TIMESTAMP_NS", values: nanos },
  { type: "TIMESTAMP WITH TIME ZONE", values: nanos },
  { type: "TIMESTAMP_NS WITH TIME ZONE", values: nanos },
  { type: { decimal: [4, 1] }, values: unscaled(4) },
  { type: { decimal: [18, 6] }, values: unscaled(18) },
  { type: { decimal: [38, 20] }, values: unscaled(38) },
];

const orNull = (values: fc.Arbitrary<unknown>) => fc.option(values, { freq: 4, nil: null });

/** A type of some depth, with its values. */
function typed(depth: number): fc.Arbitrary<TypedValues> {
  const leaf = fc.constantFrom<TypedValues>(...plain);
  if (depth === 0) return leaf;
  const inner = typed(depth - 1);
  const list = inner.map(({ type, values }): TypedValues => ({
    type: { list: type },
    values: fc.array(orNull(values), { maxLength: 3 }),
  }));
  const struct = fc.array(inner, { minLength: 1, maxLength: 3 }).map((fields): TypedValues => ({
    type: { struct: fields.map(({ type }, i) => ({ name: `f ${i}`, type })) },
    values: fc.record(
      Object.fromEntries(fields.map(({ values }, i) => [`f ${i}`, orNull(values)])),
    ),
  }));
  const map = fc.tuple(
    fc.constantFrom<TypedValues>(
      { type: "VARCHAR", values: text },
      { type: "INTEGER", values: fc.integer() },
    ),
    inner,
  ).map(([key, value]): TypedValues => ({
    type: { map: [key.type, value.type] },
    values: fc.uniqueArray(fc.record({ key: key.values, value: orNull(value.values) }), {
      maxLength: 3,
      selector: ({ key }) => key,
    }),
  }));
  return fc.oneof(leaf, list, struct, map);
}

const table = fc.array(typed(2), { minLength: 1, maxLength: 5 }).chain((columns) =>
  fc.record({
    types: fc.constant(columns.map(({ type }) => type)),
    rows: fc.array(fc.tuple(...columns.map(({ values }) => orNull(values))), {
      minLength: 1,
      maxLength: 6,
    }),
  })
);

Deno.test("values of every type go through every pair of typed formats exactly", async () => {
  await using t = await tableContext();
  const { engine } = t.ctx;
  let next = 0;
  const fresh = async (under: "work" | "objects") => {
    const dir = `${t.root}/${under}/${next++}`;
    await Deno.mkdir(dir);
    return dir;
  };
  await fc.assert(
    fc.asyncProperty(table, async ({ types, rows }) => {
      const workDir = await fresh("work");
      const call = {
        file: { path: "", name: "rows", bytes: 0, isAsCollected: true },
        signal: new AbortController().signal,
        tempPath: (extension: string) => `${workDir}/${next++}.${extension}`,
      } as unknown as ReadCall;
      const staged = types.map((type, i) => ({ name: `c${i}`, type }));
      const stage = new TableStage(call, staged, { isPositioned: false });
      for (const row of rows) stage.add(row);
      const { relation, columns } = stage.finish();
      const texts = columns.map(({ name }) => `${name}::VARCHAR`).join(", ");
      const want = (await engine.run(`SELECT ${texts} FROM (${relation})`, { rowsMax: 100 })).rows;
      for (const from of targets) {
        const dir = await fresh("objects");
        const path = `${workDir}/start.${from}`;
        await writeFile(t.ctx, { relation, columns, to: from, path });
        await Deno.rename(path, `${dir}/start.${from}`);
        for (const to of targets) {
          const out = await fresh("objects");
          const report = await convertFile(`${dir}/start.${from}`, { to, out }, {
            engine,
            workDir: await fresh("work"),
          });
          const { sample, columns: found } = await inspectFile(report.file, { sampleRows: 100 }, {
            engine,
            workDir: await fresh("work"),
          });
          assertEquals(sample.length, want.length, `${from} to ${to}`);
          // Avro has fewer types of integers; their values are the same.
          if (from !== "avro" && to !== "avro") {
            const names = found.map(({ type }) => type.replaceAll('"', ""));
            assertEquals(names, columns.map(({ type }) => type.replaceAll('"', "")));
          }
          const again = await fresh("objects");
          const back = await convertFile(report.file, { to: "parquet", out: again }, {
            engine,
            workDir: await fresh("work"),
          });
          const sql = `SELECT ${texts} FROM (${await relationBack(back.file)})`;
          const got = (await engine.run(sql, { rowsMax: 100 })).rows;
          assertEquals(got, want, `${from} to ${to}`);
        }
      }
    }),
    { numRuns: 4 },
  );

  /** The engine cuts zoned nanoseconds, so they are looked at as the product reads them. */
  async function relationBack(path: string): Promise<string> {
    const workDir = await fresh("work");
    const { size } = await Deno.stat(path);
    const source = await parquet.read({
      file: { path, name: "back", bytes: size, isAsCollected: true },
      options: { skipLines: 0, nullTokens: [], pointers: [], knownColumns: [] },
      engine,
      signal: new AbortController().signal,
      tempPath: (extension) => `${workDir}/${next++}.${extension}`,
      refuse: () => Promise.resolve(),
      isCareful: false,
    });
    return source.relation;
  }
});
