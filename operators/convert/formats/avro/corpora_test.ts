import { assert, assertEquals } from "@std/assert";
import { walk } from "../../../../tests/support/files_below.ts";
import { converter, readAlone } from "../../../../tests/support/converted.ts";
import { corpus } from "../../../../tests/support/corpora.ts";
import { damageAll } from "../../../../tests/support/damage.ts";
import { avro } from "./mod.ts";

const shared = corpus("avro");
const arrow = corpus("arrow_testing/avro");
const ignore = shared === null || arrow === null;

Deno.test({
  name: "every Avro file of Apache's suites is read",
  ignore,
  async fn() {
    const files = [...walk(shared!), ...walk(arrow!)].filter((path) => /\.avro(12)?$/.test(path));
    assert(files.length >= 45);
    for (const path of files) {
      const { rows } = await readAlone(avro, await Deno.readFile(path));
      assert(rows > 0, path);
    }
  },
});

Deno.test({
  name: "values of Avro's logical types are exact",
  ignore,
  async fn() {
    await using convert = await converter();
    const table = async (name: string) =>
      await convert.table(await Deno.readFile(`${arrow}/${name}.avro`));
    const stamps = await table("timestamp_logical_types");
    assertEquals(stamps.types, {
      id: "INTEGER",
      ts_millis: "TIMESTAMP WITH TIME ZONE",
      ts_micros: "TIMESTAMP WITH TIME ZONE",
      ts_nanos: "TIMESTAMP_NS WITH TIME ZONE",
      local_ts_millis: "TIMESTAMP",
      local_ts_micros: "TIMESTAMP",
      local_ts_nanos: "TIMESTAMP_NS",
    });
    const wide = await table("int256_decimal");
    assertEquals(wide.types, { value: "VARCHAR" });
    assertEquals(wide.rows[0].value, "1.0000000000");
    const durations = await table("duration_uuid");
    assertEquals(durations.types.uuid_field, "UUID");
    assertEquals(durations.rows[0].duration_field, { months: 1, days: 15, milliseconds: 500 });
    const old = await convert.table(await Deno.readFile(`${shared}/share/test/data/test.avro12`));
    assertEquals(Object.values(old.rows[0]).slice(0, 2), [
      "corftfdfvxvhyrxrktjjrfja",
      "6607288596706747066",
    ]);
  },
});

Deno.test({
  name: "a damaged Avro file is refused with words, or read",
  ignore,
  async fn() {
    for (const name of ["weather.avro", "weather-deflate.avro", "weather-snappy.avro"]) {
      const bytes = await Deno.readFile(`${shared}/share/test/data/${name}`);
      const read = (damaged: Uint8Array) => readAlone(avro, damaged);
      const { cutRefused, cuts } = await damageAll(bytes, read);
      // Only a file of a header alone is whole without its end.
      assert(cutRefused >= cuts - 1, `${name}: ${cutRefused} of ${cuts}`);
    }
  },
});
