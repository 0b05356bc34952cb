import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { apiWorld } from "../../../tests/support/api.ts";
import { runCli } from "../../../tests/support/cli.ts";
import { CliError, RestClient } from "../client.ts";
import { clear, mark, note, runTask, skip } from "./by_hand.ts";
import { runs, tasks } from "./runs.ts";

Deno.test("clear says of a task that the run does not have that it is not there", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }]);
  await w.trigger("d");
  await using server = Deno.serve({ port: 0, onListen() {} }, (request) => w.api.fetch(request));
  const url = `http://127.0.0.1:${server.addr.port}`;
  let out = "";
  const context = {
    api: new RestClient({ url, token: () => w.tokens.admin }),
    output: { json: false, isTerminal: false, out: (text: string) => void (out += text), err() {} },
    sleep: () => Promise.resolve(),
    readStdin: () => Promise.resolve(""),
  };
  await assertRejects(
    () => clear.run(context, ["d", "latest", "a", "b"], { dryRun: true }),
    CliError,
    'Cannot find task "b" in run',
  );
  assertEquals(out, "");
  assertEquals(await clear.run(context, ["d", "latest", "a"], { dryRun: true }), 0);
});

Deno.test("mark, skip, run-task and note change what they name, and say what that is", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }, { taskId: "b", upstream: ["a"] }, { taskId: "c" }]);
  await w.trigger("d", { dag_run_id: "r" });
  const [a] = await w.start("d", "r", ["a"]);
  await w.end(a, { outcome: null, endReason: "task_error" });
  const dry = await runCli(w, mark, ["d", "r", "success", "a", "--downstream", "--dry-run"]);
  assertStringIncludes(dry.out, "2 task instances would be success");
  assertEquals((await runCli(w, mark, ["d", "r", "success", "a", "--note", "ok"])).code, 0);
  assertEquals((await runCli(w, skip, ["d", "latest", "c"])).code, 0);
  const begun = await runCli(w, skip, ["d", "r", "a"]);
  assertStringIncludes(begun.err, 'Cannot skip task "a" of run "r" before it starts');
  const alone = await runCli(w, runTask, ["d", "r", "b"]);
  assertStringIncludes(alone.out, "1 task instances run alone");
  await runCli(w, note, ["d", "r", "vendor was late"]);
  await runCli(w, note, ["d", "r", "see the ticket", "b"]);
  assertStringIncludes((await runCli(w, runs, ["d"])).out, "vendor was late");
  const { out } = await runCli(w, tasks, ["d", "r"]);
  for (const text of ["Set to success by admin: ok", "see the ticket", "skipped"]) {
    assertStringIncludes(out, text);
  }
});

Deno.test("clear reaches over the runs between two dates, and one instance of a mapped task", async () => {
  await using w = await apiWorld();
  await w.addDag("d", [{ taskId: "a" }, { taskId: "b" }]);
  for (const day of [1, 2, 3]) await w.trigger("d", { logical_date: `2030-01-0${day}` });
  const args = ["d", "~", "a", "--from", "2030-01-02", "--dry-run"];
  assertStringIncludes(
    (await runCli(w, clear, args)).out,
    "2 task instances would run again, in 2",
  );
  const run = "manual__2030-01-02T00:00:00.000Z";
  const past = await runCli(w, clear, ["d", run, "a", "--past", "--dry-run"]);
  assertStringIncludes(past.out, "2 task instances would run again");
  assertStringIncludes((await runCli(w, clear, ["d", "~"])).err, "Give --from or --to with ~");
  assertEquals((await runCli(w, clear, ["d", run, "a[3]", "--dry-run"])).out, "(none)\n");
});
