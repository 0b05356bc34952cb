import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { apiWorld } from "../../../tests/support/api.ts";
import { runCli } from "../../../tests/support/cli.ts";
import { bulk } from "./bulk.ts";

Deno.test("bulk starts, previews, cancels and pauses many at once, and shows what it did", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  await w.addDag("e", [{ taskId: "a" }]);
  const call = async (args: string[], stdin = "") => {
    const { code, out, err } = await runCli(w, bulk, args, { stdin });
    return { code, out: out + err };
  };
  const runs = '{"dag_run_id":"r1"}\n\n{"dag_run_id":"r2","conf":{"x":1}}\n';
  const made = await call(["trigger", "d", "--runs", "--key", "k"], runs);
  assertMatch(made.out, /state +completed\nkey +k\ntotal +2\nplanned +0\ndone +2\n/);
  const dry = await call(["cancel", "--dag", "d", "--state", "queued", "--dry-run"]);
  assertMatch(dry.out, /d +r1\nd +r2\ncancel would be about 2\n/);
  assertMatch((await call(["cancel", "--dag", "d", "--watch"])).out, /done +2\n/);
  assertMatch((await call(["pause", "--pattern", "~"])).out, /done +2\n/);
  assertMatch((await call([])).out, /3 +pause +completed +2 +2 +0 /);
  assertMatch((await call(["items", "1"])).out, /d +r2 +done +-\n/);
  const twice = await call(["trigger", "d", "--runs", "--watch"], runs);
  assertEquals([twice.code, /refused +2\n/.test(twice.out)], [1, true]);
  for (
    const [args, stdin, why] of [
      [["dance"], "", "it is one of list, trigger"],
      [["trigger", "d"], "", "--runs with runs as JSON lines"],
      [["trigger", "d", "--runs"], "{}\nrubbish\n", "line 2 of standard input"],
      [["cancel"], "", "would mean everything"],
      [["show"], "", "without the id"],
    ] as const
  ) {
    const refused = await call([...args], stdin);
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.out, why);
  }
});
