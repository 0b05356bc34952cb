import { assert, assertEquals, assertRejects } from "@std/assert";
import { AppError } from "../../../../src/model/errors.ts";
import { converter, readAlone } from "../../../../tests/support/converted.ts";
import { corpus } from "../../../../tests/support/corpora.ts";
import { damageAll } from "../../../../tests/support/damage.ts";
import { walk } from "../../../../tests/support/files_below.ts";
import { arrow } from "./mod.ts";

const root = corpus("arrow_testing");
const ignore = root === null;
const integration = () =>
  walk(`${root}/arrow-ipc-stream/integration`).filter((path) =>
    /\.(stream|arrow_file)$/.test(path)
  );

/** Row counts of the JSON beside a file. */
async function rowsBeside(path: string): Promise<number> {
  const packed = await Deno.open(path.replace(/\.(stream|arrow_file)$/, ".json.gz"));
  const text = await new Response(packed.readable.pipeThrough(new DecompressionStream("gzip")))
    .text();
  // Its numbers may have more digits than a double.
  const batches = JSON.parse(text).batches as { count: number }[];
  return batches.reduce((sum, { count }) => sum + count, 0);
}

Deno.test({
  name: "every file of Arrow's integration suite is read, with all its rows",
  ignore,
  async fn() {
    const files = integration();
    assertEquals(files.length, 182);
    for (const path of files) {
      const bytes = await Deno.readFile(path);
      assert(arrow.recognise(bytes.subarray(0, 65_536), "data") > 0.8, path);
      const { rows } = await readAlone(arrow, bytes);
      assertEquals(rows, await rowsBeside(path), path);
    }
  },
});

Deno.test({
  name: "a file and its stream, of either byte order, have the same values",
  ignore,
  async fn() {
    await using convert = await converter();
    const dir = `${root}/arrow-ipc-stream/integration`;
    const names = ["datetime", "decimal256", "dictionary", "nested", "map", "union", "interval"];
    for (const name of names) {
      const [first, ...others] = await Promise.all(
        ["1.0.0-littleendian", "1.0.0-bigendian"].flatMap((version) =>
          ["arrow_file", "stream"].map(async (ending) =>
            await convert.table(
              await Deno.readFile(`${dir}/${version}/generated_${name}.${ending}`),
            )
          )
        ),
      );
      for (const other of others) {
        assertEquals([other.types, other.rows], [first.types, first.rows], name);
      }
    }
  },
});

Deno.test({
  name: "files that crashed others are refused with an offset, or read",
  ignore,
  async fn() {
    const files = [...walk(`${root}/arrow-ipc-file`), ...walk(`${root}/arrow-ipc-stream`)]
      .filter((path) => !/integration|README/.test(path));
    assert(files.length > 60);
    let refused = 0;
    for (const path of files) {
      try {
        await readAlone(arrow, await Deno.readFile(path));
      } catch (error) {
        assert(error instanceof AppError && error.code === "CORRUPT", `${path}: ${error}`);
        assert(/at offset \d+$/.test(error.message), error.message);
        refused++;
      }
    }
    // The others have whole batches in them, and nothing in those is wrong.
    assert(refused >= files.length - 6, `${refused} of ${files.length}`);
  },
});

Deno.test({
  name: "a damaged Arrow file is refused with words, or read",
  ignore,
  async fn() {
    const dir = `${root}/arrow-ipc-stream/integration/cpp-21.0.0`;
    const read = (damaged: Uint8Array) => readAlone(arrow, damaged);
    for (const name of ["list_view", "run_end_encoded"]) {
      const file = await Deno.readFile(`${dir}/generated_${name}.arrow_file`);
      const cut = await damageAll(file, read, { step: 61, flips: 100 });
      assertEquals(cut.cutRefused, cut.cuts, name);
      const stream = await Deno.readFile(`${dir}/generated_${name}.stream`);
      await damageAll(stream, read, { step: 61, flips: 100 });
    }
    await assertRejects(() => read(new TextEncoder().encode("FEA1xxxx")), AppError, "Feather");
  },
});
