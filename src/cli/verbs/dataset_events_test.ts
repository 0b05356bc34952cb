import { assertEquals, assertMatch } from "@std/assert";
import { apiWorld } from "../../../tests/support/api.ts";
import { runCli } from "../../../tests/support/cli.ts";
import { datasets } from "./datasets.ts";

Deno.test("datasets event, waiting and materialize do what they say", async () => {
  await using w = await apiWorld();
  const partition = { kind: "groups", groups: { europe: ["XETR", "XPAR"] } };
  await w.addDag("europe", [{ taskId: "t" }], {
    schedule: { kind: "datasets", datasets: ["marks"], anyOf: [["marks"]], partition },
    datasets: ["nav"],
  });
  const run = (...args: string[]) => runCli(w, datasets, args);

  const made = await run("event", "marks", "--partition", "XETR", "--key", "1", "--extra", "{}");
  assertEquals([made.code, made.err], [0, ""]);
  const { out } = await run("waiting");
  assertMatch(out, /europe +europe +1 +2 +1 +marks has 1 of 2, not XPAR/);
  assertEquals((await run("waiting", "europe", "--json")).code, 0);

  assertMatch((await run("materialize", "nav")).out, /dag +europe/);
  assertMatch((await run("materialize", "none")).err, /There is no dataset "none"/);
  assertMatch((await run("event", "marks", "--extra", "[1]")).err, /--extra must be a JSON object/);
  assertMatch((await run("foo", "bar")).err, /no `datasets foo bar`.*event, materialize, waiting/);
});
