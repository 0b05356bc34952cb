/** @module A disk that is full: said clearly where it hurts, nothing lost, and on when there is room. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Product, startProduct } from "../support/product.ts";
import { mountSmallDisk, type SmallDisk, whyNoSmallDisk } from "../support/small_disk.ts";
import { until } from "../support/until.ts";

const why = await whyNoSmallDisk();
if (why !== null) console.log(`Disks cannot be filled here: ${why}`);

/** A product whose whole home is on a disk of so many MiB; the database too, if so wished. */
async function onSmallDisk(
  mib: number,
  { withDatabase, dags }: { withDatabase: boolean; dags: Record<string, string> },
): Promise<{ product: Product; disk: SmallDisk } & AsyncDisposable> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "tw_product_" }));
  await Deno.chmod(root, 0o755);
  await Deno.mkdir(`${root}/disk`);
  const disk = await mountSmallDisk(`${root}/disk`, mib);
  const home = `${root}/disk/home`;
  await Deno.mkdir(home);
  if (withDatabase) {
    await Deno.mkdir(`${root}/disk/postgres`);
    await Deno.writeTextFile(`${home}/postgres.path`, `${root}/disk/postgres\n`);
  }
  const product = await startProduct({ root, home, dags }).catch(async (error) => {
    await disk[Symbol.asyncDispose]();
    throw error;
  });
  return {
    product,
    disk,
    async [Symbol.asyncDispose]() {
      await product.end("SIGKILL");
      await disk[Symbol.asyncDispose]();
      await product[Symbol.asyncDispose]();
    },
  };
}

const writesDag = `import { dag, task } from "tidewheel";
export default dag({
  id: "writes",
  schedule: null,
  defaults: { retries: 100, retryDelay: { milliseconds: 300 } },
}, () => {
  task({ id: "file" }, async (ctx) => {
    const path = ctx.workDir + "/data.bin";
    await Deno.writeFile(path, new Uint8Array(3_000_000).fill(7));
    return await ctx.files.put(path);
  });
  task({ id: "output" }, () => "x".repeat(3_000_000));
  task({ id: "sql" }, async (ctx) => {
    const path = ctx.workDir + "/rows.parquet";
    await ctx.engine.run("SELECT uuid() AS id FROM range(100000)", { to: { path, format: "parquet" } });
    return await ctx.files.put(path);
  });
});
`;

Deno.test({
  name: "a full disk under the home: each task says so, and all go on when there is room",
  ignore: why !== null,
  async fn() {
    await using world = await onSmallDisk(24, {
      withDatabase: false,
      dags: { "writes.ts": writesDag, "says.ts": saysDag },
    });
    const { product, disk } = world;
    await product.api.listed("writes");
    await product.api.listed("says");
    await disk.fill(1_000_000);

    const run = await product.api.trigger("writes");
    await product.write({ "late.ts": writesDag.replace('"writes"', '"late"') + bigComment });
    for (const task of ["file", "output", "sql"]) {
      const failed = await until(`${task} to fail`, async () => {
        const attempts = await product.api.attempts(run, task);
        return attempts.find(({ end_reason }) => end_reason !== null);
      });
      assertEquals(failed.end_reason, "task_error");
      assertMatch(failed.evidence.message!, /No space left on device|disk .* is full/);
    }
    const says = await product.api.trigger("says");
    await until("health to say what is wrong", async () => {
      const { status, body } = await product.api.call("GET", "/health/ready");
      const text = JSON.stringify(body);
      return status === 503 && text.includes("disk of the object store is full") &&
        /Cannot write the log [^"]*: the disk is full/.test(text);
    });
    assertEquals((await product.api.call("GET", "/health/live")).status, 200);

    await disk.empty();

    assertEquals((await product.api.ended(run, { withinMs: 60_000 })).state, "success");
    assertEquals((await product.api.ended(says)).state, "success");
    assertEquals((await product.api.attempts(says)).length, 1);
    const lines = await product.api.log(says, "says");
    assertEquals(lines.filter(({ event }) => event.startsWith("line ")).length, 3_000);
    assertEquals((await product.api.output<string>(run, "output")).length, 3_000_000);
    await product.api.listed("late");
    // What was said while there was no room is there too.
    for (const task of ["file", "output", "sql"]) {
      const log = await product.api.log(run, task);
      assertMatch(log.at(-1)?.event ?? "", /No space left on device|disk .* is full/);
    }
  },
});

const saysDag = `import { dag, task } from "tidewheel";
export default dag({ id: "says", schedule: null }, () => {
  task({ id: "says" }, (ctx) => {
    for (let i = 0; i < 3000; i++) ctx.log.info("line " + i + " " + "y".repeat(1000));
  });
});
`;

/** Its bundle finds no room on the full disk. */
const bigComment = `// ${"z".repeat(2_000_000)}\n`;

const fansDag = `import { dag, expand, task } from "tidewheel";
export default dag({ id: "fans", schedule: null }, () => {
  const list = task({ id: "list" }, () => Array.from({ length: 300 }, (_, i) => i));
  const each = expand(list, (n) =>
    task({ id: "each", inputs: { n } }, (_ctx, { n }) => "z".repeat(20_000) + n));
  task({ id: "sum", inputs: { each } }, (_ctx, { each }) => each.length);
});
`;

Deno.test({
  name: "a full disk under the database: nothing is lost, and runs go on when there is room",
  ignore: why !== null,
  async fn() {
    await using world = await onSmallDisk(220, {
      withDatabase: true,
      dags: { "fans.ts": fansDag },
    });
    const { product, disk } = world;
    await product.api.listed("fans");
    await disk.fill(200_000);

    const run = await product.api.trigger("fans");
    await until("health to say what is wrong", async () => {
      const { status, body } = await product.api.call("GET", "/health/ready");
      return status === 503 && JSON.stringify(body).includes("the database's disk is full");
    });
    assertStringIncludes(await product.output(), "the database's disk is full");
    await disk.empty();

    assertEquals((await product.api.ended(run, { withinMs: 60_000 })).state, "success");
    assertEquals(await product.api.output(run, "sum"), 300);
    const attempts = await product.api.attempts(run);
    assert(attempts.every(({ end_reason }) => end_reason === "success"));
    assertEquals(attempts.length, 302);
  },
});
