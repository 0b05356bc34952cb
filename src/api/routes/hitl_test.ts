import { assertEquals, assertStringIncludes } from "@std/assert";
import { type ApiWorld, apiWorld } from "../../../tests/support/api.ts";

const question = {
  subject: "Publish?",
  body: "Two rows are odd",
  options: ["Approve", "Reject"],
  defaults: null,
  multiple: false,
  params: { limit: { value: 5, description: null, schema: { type: "integer", minimum: 1 } } },
  assignees: [],
};

/** A run of the DAG "d" whose task "a" asks. */
async function asking(w: ApiWorld, some: object = {}): Promise<string> {
  await w.addDag("d", [{ taskId: "a" }, { taskId: "b", upstream: ["a"] }]);
  const run = await w.trigger("d");
  const [work] = await w.start("d", run, ["a"]);
  const deadline = new Date(w.parts.clock.now().getTime() + 60_000).toISOString();
  const outcome = { kind: "ask", question: { ...question, ...some }, deadline };
  await w.end(work, { outcome, endReason: "awaiting_input" });
  return run;
}

const pathOf = (run: string, task = "a") =>
  `/api/v2/dags/d/dagRuns/${run}/taskInstances/${task}/-1/hitlDetails`;
const answering = (w: ApiWorld, run: string, body: object, token?: string) =>
  w.call("PATCH", pathOf(run), { body, ...(token ? { token } : {}) });

Deno.test("a question is listed while it waits, and answered once", async () => {
  await using w = await apiWorld();
  const run = await asking(w);
  const list = async (query: string) =>
    (await w.call("GET", `/api/v2/dags/~/dagRuns/~/hitlDetails?${query}`)).body;
  const open = await list("response_received=false");
  assertEquals(open.total_entries, 1);
  const [detail] = open.hitl_details;
  assertEquals([detail.subject, detail.options, detail.is_open], [
    "Publish?",
    ["Approve", "Reject"],
    true,
  ]);
  assertEquals(detail.task_instance.state, "awaiting_input");
  assertEquals(detail.params.limit.value, 5);
  assertEquals((await list("subject_search=publish&dag_id_pattern=d")).total_entries, 1);
  assertEquals((await list("subject_search=p_blish")).total_entries, 0);
  const states = "/api/v2/dags/~/dagRuns/~/taskInstances?state=awaiting_input";
  assertEquals((await w.call("GET", states)).body.total_entries, 1);

  const { status, body } = await answering(w, run, { chosen_options: ["Approve"] });
  assertEquals([status, body.chosen_options, body.params_input], [200, ["Approve"], { limit: 5 }]);
  const again = await answering(w, run, { chosen_options: ["Reject"] });
  assertEquals(again.status, 409);
  assertStringIncludes(again.body.detail, "answered Approve");
  const { body: seen } = await w.call("GET", pathOf(run));
  assertEquals([seen.response_received, seen.is_open, seen.task_instance.state], [
    true,
    false,
    "scheduled",
  ]);
  assertEquals((await list("is_open=true")).total_entries, 0);
  const { body: log } = await w.call("GET", "/api/v2/eventLogs?event=hitl.answer");
  const [entry] = log.event_logs;
  assertEquals([entry.owner, entry.task_id, entry.run_id], [body.responded_by.name, "a", run]);
});

Deno.test("an answer that does not fit is refused, and the question stays open", async () => {
  await using w = await apiWorld();
  const run = await asking(w);
  const refused = async (body: object, why: string) => {
    const answer = await answering(w, run, body);
    assertEquals([400, 422].includes(answer.status), true, why);
    assertStringIncludes(JSON.stringify(answer.body.detail), why);
  };
  const chosen = { chosen_options: ["Approve"] };
  await refused({ chosen_options: ["Maybe"] }, "is no option of it; choose of Approve, Reject");
  await refused({ chosen_options: ["Approve", "Reject"] }, "only one of its options");
  await refused({ chosen_options: ["Approve", "Approve"] }, "chosen twice");
  await refused({ ...chosen, params_input: { limit: 0 } }, 'the field \\"limit\\" must be >= 1');
  await refused({ ...chosen, params_input: { other: 1 } }, "its fields are: limit");
  await refused({ chosen_options: [] }, "chosen_options");
  assertEquals((await w.call("GET", pathOf(run))).body.is_open, true);
});

Deno.test("only those who are asked may answer, and nobody once the task is gone", async () => {
  await using w = await apiWorld();
  const run = await asking(w, { assignees: ["ann"] });
  const chosen = { chosen_options: ["Approve"] };
  const other = await answering(w, run, chosen);
  assertEquals([other.status, other.body.code], [403, "FORBIDDEN"]);
  assertEquals((await answering(w, run, chosen, w.tokens.viewer)).status, 403);
  await w.call("PATCH", `/api/v2/dags/d/dagRuns/${run}`, { body: { state: "failed" } });
  const late = await answering(w, run, chosen);
  assertEquals(late.status, 409);
  assertStringIncludes(late.body.detail, "does not wait any more, it is cancelled");
  assertEquals((await w.call("GET", pathOf(run, "b"))).status, 404);
});
