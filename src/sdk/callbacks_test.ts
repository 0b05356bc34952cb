import { assertEquals, assertThrows } from "@std/assert";
import { AppError } from "../model/errors.ts";
import { type Notices, runDag, slack, webhook } from "./callbacks.ts";
import { dag, task } from "./mod.ts";

const declare = (options: object, taskOptions: object = {}) =>
  dag({ id: "d", schedule: null, ...options }, () => {
    task({ id: "a", ...taskOptions }, () => 1);
  });

Deno.test("callbacks of a DAG and of its tasks are data, and a DAG's default is a task's", () => {
  const made = dag({
    id: "d",
    schedule: null,
    onFailure: [slack({ connection: "desk" }), runDag({ dag: "mend", conf: { b: 1, a: [2] } })],
    defaults: { onRetry: webhook({ url: "https://x.org/a" }) },
  }, () => {
    task({ id: "a" }, () => 1);
    task({ id: "b", onRetry: webhook({ connection: "ops", path: "b" }) }, () => 1);
  });
  const none = { url: null, connection: null, path: null };
  assertEquals(made.spec.callbacks, {
    failure: [
      { kind: "webhook", ...none, connection: "desk", format: "slack" },
      { kind: "run_dag", dagId: "mend", conf: { a: [2], b: 1 }, eventAs: null },
    ],
  });
  assertEquals(made.spec.tasks.map((each) => each.callbacks), [
    { retry: [{ kind: "webhook", ...none, url: "https://x.org/a", format: "cloudevents" }] },
    { retry: [{ kind: "webhook", ...none, connection: "ops", path: "b", format: "cloudevents" }] },
  ]);
});

Deno.test("a DAG without callbacks is described as it was before there were any", () => {
  const { spec } = declare({});
  assertEquals(["callbacks" in spec, "callbacks" in spec.tasks[0]], [false, false]);
});

Deno.test("callbacks that cannot be are refused, with what would be right", () => {
  assertThrows(() => webhook({}), RangeError, "give url or connection");
  assertThrows(() => webhook({ url: "ftp://x" }), RangeError, "give one of http or https");
  assertThrows(() => webhook({ url: "https://x.org", path: "a" }), RangeError, "both url and path");
  assertThrows(() => webhook({ uri: "https://x.org" } as never), RangeError, 'no option "uri"');
  assertThrows(() => runDag({ dag: "a b" }), RangeError, "give its id");
  assertThrows(() => runDag({ dag: "b", conf: { at: new Date(0) } }), RangeError, "at ");
  const bad = (options: object, part: string, taskOptions: object = {}) =>
    assertThrows(() => declare(options, taskOptions), AppError, part);
  bad({ onSuccess: runDag({ dag: "d" }) }, "continuous()");
  bad({ onFailure: () => {} }, "a task with a trigger rule such as one_failed");
  bad({ onFailure: [] }, "give 1 to 20");
  bad({}, 'onFailure is "https://x.org"; give webhook(…)', {
    onFailure: "https://x.org" as unknown as Notices,
  });
});
