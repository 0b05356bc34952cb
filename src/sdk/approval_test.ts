import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { z } from "zod";
import { VirtualClock } from "../base/clock.ts";
import { approval, choose, dag, input, task } from "./mod.ts";
import type { TaskContext } from "./mod.ts";
import { executeTask } from "./execute.ts";

const clock = new VirtualClock("2026-07-01T00:00:00Z");

/** The outcome of the task "t", which goes on with `reply` where there is one. */
async function outcomeOf(declare: () => void, reply?: object) {
  const node = dag({ id: "d", schedule: null }, declare).task("t");
  const resumedWith = reply
    ? { event: { paramsInput: {}, by: "ann", ...reply }, data: null, timedOut: false }
    : null;
  const ctx = { taskId: "t", runId: "r1", clock, resumedWith } as unknown as TaskContext;
  return await executeTask(node, { ctx, stateChanges: {}, isNewest: true }, {});
}

const gate = (some: object = {}) => () => {
  const asked = approval({ id: "t", subject: (facts) => `Publish ${facts.runId}?`, ...some });
  task({ id: "next", after: asked }, () => 1);
};

Deno.test("approval() asks first, with its deadline", async () => {
  const asked = await outcomeOf(gate({ timeout: { hours: 1 }, defaults: "Reject" }));
  if (asked.kind !== "ask") throw new Error(asked.kind);
  const { subject, options, defaults, multiple } = asked.question;
  assertEquals(
    [subject, options, defaults, multiple],
    ["Publish r1?", ["Approve", "Reject"], ["Reject"], false],
  );
  assertEquals(asked.deadline, "2026-07-01T01:00:00.000Z");
});

Deno.test("approval() goes on when approved, and stops what comes after when rejected", async () => {
  const approved = await outcomeOf(gate(), { chosenOptions: ["Approve"] });
  const answered = { chosenOptions: ["Approve"], params: {}, by: "ann" };
  assertEquals(approved, { kind: "done", output: answered });
  const rejected = await outcomeOf(gate(), { chosenOptions: ["Reject"] });
  assertEquals((rejected as { chosen: unknown }).chosen, []);
  await assertRejects(
    () => outcomeOf(gate({ failOnReject: true }), { chosenOptions: ["Reject"] }),
    Error,
    'Task "t" was rejected by "ann"',
  );
});

Deno.test("choose() lets the tasks of what was chosen go on", async () => {
  const declare = () => {
    const [a, b] = ["a", "b"].map((id) => task({ id }, () => 1));
    choose({ id: "t", subject: "Which?", to: { first: a, second: b }, multiple: true });
  };
  const asked = await outcomeOf(declare);
  assertEquals(asked.kind === "ask" && asked.question.options, ["first", "second"]);
  const chosen = await outcomeOf(declare, { chosenOptions: ["second"] });
  assertEquals((chosen as { chosen: unknown }).chosen, ["b"]);
});

Deno.test("input() puts the form out, checked by its own schema", async () => {
  const params = z.object({
    limit: z.number().default(5).meta({ description: "Rows" }),
    note: z.string().refine((note) => note !== "bad", "not that"),
  });
  const declare = () => void input({ id: "t", subject: "How many?", params });
  const asked = await outcomeOf(declare);
  const { limit } = (asked as { question: { params: Record<string, object> } }).question.params;
  assertEquals(limit, {
    value: 5,
    description: "Rows",
    schema: { type: "number", description: "Rows" },
  });
  const filled = { chosenOptions: ["OK"], paramsInput: { limit: null, note: "fine" } };
  const { output } = await outcomeOf(declare, filled) as unknown as {
    output: { params: object };
  };
  assertEquals(output.params, { limit: 5, note: "fine" });
  const bad = { ...filled, paramsInput: { note: "bad" } };
  await assertRejects(() => outcomeOf(declare, bad), Error, "not that");
});

Deno.test("a question that cannot be asked is refused where it is declared", () => {
  const refused = (declare: () => void, message: string) =>
    assertThrows(() => dag({ id: "d", schedule: null }, declare), Error, message);
  const subject = "Go?";
  refused(
    () => void input({ id: "t", subject, options: ["a"], defaults: ["b"] }),
    'the default "b" is none of its options',
  );
  refused(
    () => void input({ id: "t", subject, options: ["a", "b"], defaults: ["a", "b"] }),
    "only one option can be chosen",
  );
  refused(() => void input({ id: "t", subject: "" }), "cannot be asked");
  refused(() => void choose({ id: "t", subject, to: {} }), "cannot be asked");
  refused(
    () => void input({ id: "t", subject, params: z.object({ at: z.date() }) }),
    "cannot be a form",
  );
  refused(() => void input({ id: "t", subject, retry: 1 } as never), 'there is no option "retry"');
});
