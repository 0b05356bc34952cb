import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { AppError } from "../../../../src/model/errors.ts";
import { converter } from "../../../../tests/support/converted.ts";
import { corpus } from "../../../../tests/support/corpora.ts";
import { damageAll } from "../../../../tests/support/damage.ts";
import { walk } from "../../../../tests/support/files_below.ts";

const root = corpus("parquet_testing");
const ignore = root === null;

/**
 * A text of 2 GiB in one page, which the engine holds in memory: over the limit of these tests, which
 * is what its refusal says.
 */
const larger = "large_string_map.brotli.parquet";

Deno.test({
  name: "Parquet: every valid file of Apache's suite is read, every invalid one refused",
  ignore,
  async fn() {
    await using convert = await converter();
    const files = walk(`${root}/data`).filter((path) => path.endsWith(".parquet"));
    assert(files.length >= 75);
    for (const path of files) {
      if (path.endsWith(larger)) continue;
      const table = await convert.table(await Deno.readFile(path), { file: path });
      assertEquals(table.refused, [], path);
    }
    // Its dictionary of one value needs no bits, which is right; other readers read it, too.
    const right = /ARROW-GH-43605/;
    for (const path of walk(`${root}/bad_data`)) {
      if (!path.endsWith(".parquet") || right.test(path)) continue;
      const bytes = await Deno.readFile(path);
      const error = await assertRejects(() => convert.table(bytes, { file: "bad" }), AppError);
      assertEquals(error.code, "CORRUPT", path);
      assertStringIncludes(error.message, "Cannot read bad as Parquet: ");
    }
  },
});

Deno.test({
  name: "Parquet: files that are encrypted say so",
  ignore,
  async fn() {
    await using convert = await converter();
    for (const path of walk(`${root}/data`).filter((path) => path.endsWith(".encrypted"))) {
      const bytes = await Deno.readFile(path);
      const error = await assertRejects(() => convert.table(bytes), AppError);
      assertStringIncludes(error.message, "encrypted", path);
    }
  },
});

Deno.test({
  name: "Parquet: what the engine cannot read, or would bend, is exact",
  ignore,
  async fn() {
    await using convert = await converter();
    const table = async (name: string) =>
      await convert.table(await Deno.readFile(`${root}/data/${name}.parquet`));
    // The engine reads 96 bits to the microsecond, and wrongly that far off.
    const spark = await table("int96_from_spark");
    assertEquals(spark.types, { a: "TIMESTAMP" });
    assertEquals(spark.rows.map(({ a }) => a), [
      "2024-01-01 20:34:56.123456",
      "2024-01-01 01:00:00",
      "9999-12-31 03:00:00",
      "2024-12-30 23:00:00",
      null,
      "290000-12-30 23:00:00",
    ]);
    for (const name of ["hadoop_lz4_compressed", "non_hadoop_lz4_compressed"]) {
      assertEquals((await table(name)).rows.map(({ c0 }) => c0), [
        1593604800,
        1593604800,
        1593604801,
        1593604801,
      ]);
    }
    const keys = await table("map_no_value");
    assertEquals(keys.rows[0].my_map_no_v, [1, 2, 3]);
    const split = await table("byte_stream_split_extended.gzip");
    assertEquals(split.rows.length, 200);
    for (const { int32_plain, int32_byte_stream_split, decimal_plain, ...rest } of split.rows) {
      assertEquals(int32_byte_stream_split, int32_plain);
      assertEquals(rest.decimal_byte_stream_split, decimal_plain);
    }
  },
});

Deno.test({
  name: "a damaged Parquet file is refused with words, or read",
  ignore,
  async fn() {
    await using convert = await converter();
    const read = (damaged: Uint8Array) => convert.table(damaged, { format: "parquet" });
    for (const name of ["single_nan", "rle_boolean_encoding"]) {
      const bytes = await Deno.readFile(`${root}/data/${name}.parquet`);
      const { cuts, cutRefused } = await damageAll(bytes, read, { step: 7, flips: 60 });
      assertEquals(cutRefused, cuts, name);
    }
  },
});
