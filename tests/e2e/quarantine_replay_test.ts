/** @module Refused rows, their rule mended, and replayed: into the next version, each once. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runVerb, startProduct } from "../support/product.ts";
import { until } from "../support/until.ts";

const dagFile = (inbox: string, type: string) =>
  `import { column, dag, table } from "tidewheel";
import { collect, convert, publish } from "tidewheel/operators";

const Rows = table("rows", { id: column.int64(), px: ${type} }, { key: ["id"] });

export default dag({ id: "replayed", schedule: null }, () => {
  const raw = collect.file({ id: "collect", source: "drop", folder: ${
    JSON.stringify(inbox)
  }, pattern: "*.csv", ready: { kind: "settled", quietMs: 10 } });
  const rows = convert({ id: "convert", from: raw, schema: Rows });
  publish({ id: "publish", from: rows, dataset: "replayed.rows", partition: () => "all" });
});
`;

interface Quarantine {
  id: string;
  rows: number;
  is_open: boolean;
}

Deno.test("quarantine replay runs what refused the rows again, by its new rule", async () => {
  await using product = await startProduct();
  const { api, root } = product;
  const inbox = `${root}/drop`;
  await Deno.mkdir(inbox);
  await Deno.writeTextFile(`${inbox}/a.csv`, "id,px\n1,1.25\n2,2.125\n3,3.50\n");
  await product.write({ "replayed.ts": dagFile(inbox, "column.decimal(9, 2)") });
  const run = await api.runDag("replayed");
  const env = { TIDEWHEEL_API_URL: product.url, TIDEWHEEL_TOKEN: product.token };
  const verb = (...args: string[]) => runVerb(["quarantine", ...args, "--json"], env);
  const versions = async () =>
    (await api.get<{ versions: { rows: number }[] }>(
      "/api/v2/datasets/replayed.rows/versions",
    ))
      .versions.map(({ rows }) => rows);
  const listed = async (...args: string[]) =>
    (JSON.parse((await verb("list", ...args)).stdout) as { quarantines: Quarantine[] }).quarantines;

  assertEquals(run.state, "success", JSON.stringify(await api.states(run)));
  const [refused, ...more] = await listed("--open");
  assertEquals([refused.rows, refused.is_open, more.length], [1, true, 0]);
  const shown = JSON.parse((await verb("show", refused.id, "--raw")).stdout);
  assertEquals(shown.rows.map(({ raw }: { raw: string }) => raw), ["2,2.125"]);
  assertEquals(await versions(), [2]);

  await product.write({ "replayed.ts": dagFile(inbox, "column.decimal(9, 3)") });
  const dry = await verb("replay", refused.id, "--dry-run");
  assertEquals(
    JSON.parse(dry.stdout).task_instances.map(({ task_id }: { task_id: string }) => task_id)
      .toSorted(),
    ["convert", "publish"],
  );
  await until("the new version of the DAG", async () => {
    const versions = "/api/v2/dags/replayed/dagVersions";
    return (await api.get<{ total_entries: number }>(versions)).total_entries === 2;
  });
  assertEquals((await verb("replay", refused.id)).code, 0);
  await api.ended(run);
  assertEquals((await versions()).toSorted(), [2, 3]);
  assertEquals(await listed("--open"), []);
  const [closed] = await listed();
  assertEquals([closed.id, closed.is_open], [refused.id, false]);

  const again = await verb("replay", refused.id);
  assert(again.code !== 0);
  assertStringIncludes(again.stderr + again.stdout, "ran again since");
});
