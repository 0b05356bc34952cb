import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type ApiWorld, apiWorld } from "../../../tests/support/api.ts";
import { runCli } from "../../../tests/support/cli.ts";
import { answer, approvals, approve, reject } from "./approvals.ts";

/** A run whose task "a" asks, with these options. */
async function asking(w: ApiWorld, options: string[]): Promise<string> {
  await w.addDag("d", [{ taskId: "a" }]);
  const run = await w.trigger("d");
  const [work] = await w.start("d", run, ["a"]);
  const outcome = { kind: "ask", question: { subject: "Go?", options, multiple: true } };
  await w.end(work, { outcome: { ...outcome, deadline: null }, endReason: "awaiting_input" });
  return run;
}

Deno.test("approvals lists what is asked, approve answers it, and reject comes too late", async () => {
  await using w = await apiWorld();
  const run = await asking(w, ["Approve", "Reject"]);
  assertMatch((await runCli(w, approvals)).out, /d +\S+ +a +Go\? +Approve \| Reject/);
  const approved = await runCli(w, approve, ["d", "latest", "a"]);
  assertEquals(approved.code, 0, approved.err);
  assertStringIncludes(approved.out, "Approve");
  assertEquals((await runCli(w, approvals, ["d"])).out.includes("Go?"), false);
  assertMatch((await runCli(w, approvals, ["d", "--all"])).out, /Approve \(admin/);
  const late = await runCli(w, reject, ["d", run, "a"]);
  assertEquals(late.code, 1);
  assertStringIncludes(late.err, "answered Approve");
});

Deno.test("answer takes several options, and refuses params that are no object", async () => {
  await using w = await apiWorld();
  const run = await asking(w, ["x", "y", "z"]);
  const bad = await runCli(w, answer, ["d", run, "a", "x", "--params", "[1]"]);
  assertStringIncludes(bad.err, "it must be a JSON object");
  const { out, err } = await runCli(w, answer, ["d", run, "a", "x", "z", "--json"]);
  assertEquals(JSON.parse(out || err).chosen_options, ["x", "z"]);
});
