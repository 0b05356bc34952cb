import { assertEquals, assertStringIncludes } from "@std/assert";
import { apiWorld } from "../../../tests/support/api.ts";
import { runCli } from "../../../tests/support/cli.ts";
import { pause, unpause } from "../../cli/verbs/dags.ts";
import { drain, resume } from "../../cli/verbs/maintenance.ts";

Deno.test("a drain says what still runs, and is empty when nothing does", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }, { taskId: "b" }]);
  const run = await w.trigger("d");
  const [a] = await w.start("d", run, ["a"]);
  await w.queue("d", run, ["b"]);
  const path = "/api/v2/maintenance";
  const user = { token: w.tokens.user };
  assertEquals((await w.call("POST", `${path}/drain`, user)).status, 403);
  const waiting = await runCli(w, drain, ["--timeout", "1", "--note", "new disks"]);
  assertEquals(waiting.code, 1);
  assertStringIncludes(waiting.out, "1 attempts run");
  const { body } = await w.call("GET", path, user);
  assertEquals([body.drained_by, body.note, body.running_attempts, body.queued_attempts], [
    "admin",
    "new disks",
    1,
    1,
  ]);
  assertEquals(body.is_empty, false);
  assertEquals(await w.start("d", run, []), []);
  await w.end(a);
  const empty = await runCli(w, drain, ["--timeout", "1"]);
  assertEquals(empty.code, 0);
  assertStringIncludes(empty.out, "empty: nothing runs");
  assertStringIncludes((await runCli(w, resume)).out, "it does not drain");
  assertEquals((await w.start("d", run, [])).map((work) => work.task.taskId), ["b"]);
});

Deno.test("a pause of all remembers what was paused before, and holds new DAGs too", async () => {
  await using w = await apiWorld();
  for (const dag of ["one", "two", "three"]) await w.addDag(dag, [{ taskId: "a" }]);
  await runCli(w, pause, ["two"]);
  assertStringIncludes((await runCli(w, pause, ["--all"])).out, "one, three");
  await w.addDag("new", [{ taskId: "a" }]);
  await runCli(w, unpause, ["three"]);
  await runCli(w, pause, ["three"]);
  const paused = async () => {
    const { body } = await w.call("GET", "/api/v2/dags?paused=true");
    return body.dags.map((dag: { dag_id: string }) => dag.dag_id).toSorted();
  };
  assertEquals(await paused(), ["new", "one", "three", "two"]);
  assertEquals((await w.call("GET", "/api/v2/maintenance")).body.paused_by_all, 2);
  await runCli(w, unpause, ["--all"]);
  assertEquals(await paused(), ["three", "two"]);
  await w.addDag("later", [{ taskId: "a" }]);
  assertEquals(await paused(), ["three", "two"]);
  assertEquals((await runCli(w, pause, ["one", "--all"])).code, 1);
});
