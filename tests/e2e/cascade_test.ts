/** @module A backfill with all that is downstream of it, from collecting to what datasets start. */
import { assertEquals, assertMatch } from "@std/assert";
import type { Run } from "../support/product_api.ts";
import { runVerb, startProduct } from "../support/product.ts";

/** A daily DAG that publishes its day of a dataset, from the same day of another. */
const daily = (id: string, dataset: string, from: string | null, fails = false) =>
  `import { dag, done, task } from "tidewheel";
export default dag({ id: "${id}", schedule: "@daily", start: "2013-01-01" }, () => {
  task({ id: "publish" }, async (ctx) => {
    ${fails ? `if (ctx.params.ok !== true) throw new Error("not today");` : ""}
    const partition = ctx.interval.date;
    const path = ctx.workDir + "/part.csv";
    await Deno.writeTextFile(path, "symbol\\n" + partition + "\\n");
    const file = await ctx.files.put(path, { name: "part.csv", rows: 1 });
    return done(1, { publish: [{
      dataset: "${dataset}", partition, kind: "table", schema: null, files: [file],
      lineageFiles: [], rows: 1, columns: [], metrics: {},
      inputs: ${from === null ? "[]" : `[{ dataset: "${from}", partition, sha256: null }]`},
    }] });
  });
});
`;

const risk = `import { dag, onDatasets, task } from "tidewheel";
export default dag({ id: "risk", schedule: onDatasets("returns") }, () => {
  task({ id: "value" }, ({ datasetEvents }) => datasetEvents.length);
});
`;

Deno.test("a backfill with --cascade runs what is downstream, in order, as one", async () => {
  await using product = await startProduct({
    dags: {
      "prices.ts": daily("prices", "prices", null),
      "returns.ts": daily("returns", "returns", "prices"),
      "risk.ts": risk,
    },
  });
  const env = { TIDEWHEEL_API_URL: product.url, TIDEWHEEL_TOKEN: product.token };
  const verb = (...args: string[]) => runVerb(args, env);
  for (const id of ["prices", "returns", "risk"]) await product.api.listed(id);
  const range = ["--from", "2013-02-26", "--to", "2013-02-28"];
  for (const id of ["prices", "returns"]) {
    assertEquals((await verb("backfill", id, ...range, "--watch")).code, 0);
  }

  const again = ["backfill", "prices", ...range, "--reprocess", "completed", "--cascade"];
  const dry = await verb(...again, "--dry-run");
  assertMatch(dry.stdout, /└ returns +prices of prices +3 +what each needs +0 +3 +2013-02-26/);
  assertMatch(dry.stdout, / {2}└ risk +returns of returns +1, by its datasets +all above/);

  const { code, stdout, stderr } = await verb(...again, "--watch");
  assertEquals(code, 0, stdout + stderr);
  const last = stdout.slice(stdout.lastIndexOf("cascade "));
  assertMatch(last, /^cascade \d+ {2}completed/);
  assertMatch(last, /└ returns +\d+ +prices of prices +completed +3 +100 % +0\n/);
  assertMatch(last, /└ risk +\d+ +returns of returns +completed +1 +100 % +0\n/);

  // Each partition was published once more, returns from the new prices.
  // Risk goes by no partitions: it ran once more, with all that was published.
  const valued = await product.api.get<{ dag_runs: Run[] }>(
    "/api/v2/dags/risk/dagRuns?order_by=-run_after&limit=1",
  );
  assertEquals(await product.api.output(valued.dag_runs[0], "value"), 3);
  const { versions } = await product.api.get<{ versions: { version: number }[] }>(
    "/api/v2/datasets/returns/versions?partition=2013-02-27",
  );
  assertEquals(versions.map((each) => each.version).sort(), [1, 2]);
});
