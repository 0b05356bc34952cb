import { assertEquals, assertThrows } from "@std/assert";
import { AppError } from "../model/errors.ts";
import { dag } from "./dag.ts";
import { afterRun, onFiles, onKafka, onWebhook, type OnWebhookOptions } from "./on_events.ts";

// deno-lint-ignore no-explicit-any
const spec = (schedule: { spec(zone: string): any }) => schedule.spec("UTC");

Deno.test("onWebhook() says how calls are signed and told apart", () => {
  const made = spec(onWebhook({
    name: "fills",
    secret: "broker",
    signature: "github",
    key: "$.data.items[0].exec-id",
  }));
  assertEquals(made.datasets, ["webhook:fills"]);
  assertEquals(made.partition, { kind: "each" });
  assertEquals(made.watch.signature.header, "x-hub-signature-256");
  assertEquals(made.watch.key, { from: "body", path: ["data", "items", "0", "exec-id"] });
  const other = (over: Partial<OnWebhookOptions>) =>
    onWebhook({ name: "a", secret: "s", signature: "standard", ...over });
  assertEquals(spec(other({})).watch.key, { from: "content" });
  assertEquals(spec(other({ key: { header: "X-Id" } })).watch.key, {
    from: "header",
    name: "x-id",
  });
  assertThrows(() => other({ name: "a b" }), RangeError, 'the name "a b"');
  assertThrows(() => other({ key: "data.id" }), RangeError, 'the key "data.id"; give a path');
  assertThrows(() => other({ signature: "none" as never }), RangeError, '"none"; give "github"');
  assertThrows(() => other({ secret: "" }), RangeError, "the connection");
});

Deno.test("onFiles() watches a folder or a prefix, and refuses what it cannot", () => {
  const made = spec(onFiles({ folder: "/drop/", pattern: "*.csv", settle: { minutes: 1 } }));
  assertEquals(made.datasets, ["files:/drop/*.csv"]);
  assertEquals([made.watch.folder, made.watch.settleMs], ["/drop", 60_000]);
  assertEquals(spec(onFiles({ objects: "in/", pattern: "**" })).watch.objects, "in/");
  assertThrows(() => onFiles({ folder: "drop", pattern: "*" }), RangeError, "absolute path");
  assertThrows(() => onFiles({ pattern: "*" } as never), RangeError, "give one of them");
  assertThrows(() => onFiles({ folder: "/d", pattern: "../*" }), RangeError, "the pattern");
  assertThrows(() => onFiles({ folder: "/d", pattern: "*", marker: "/x" }), RangeError, "marker");
});

Deno.test("onKafka() has a group, a key and where it begins", () => {
  const made = spec(onKafka({ connection: "k", topic: "ticks" }));
  assertEquals([made.datasets, made.watch.key, made.watch.from], [
    ["kafka:k/ticks/tidewheel"],
    { from: "offset" },
    "latest",
  ]);
  assertEquals(
    spec(onKafka({ connection: "k", topic: "t", key: "message" })).watch.key,
    { from: "message" },
  );
  assertThrows(() => onKafka({ connection: "k", topic: "a/b" }), RangeError, 'the topic "a/b"');
});

Deno.test("afterRun() names a DAG and how its runs must end", () => {
  const made = spec(afterRun("prices"));
  assertEquals([made.datasets, made.watch.states], [["run:prices"], ["success"]]);
  assertEquals(spec(afterRun("p", { states: ["success", "failed"] })).watch.states, [
    "failed",
    "success",
  ]);
  assertThrows(() => afterRun("p", { states: [] }), RangeError, 'give "success", "failed" or both');
  assertThrows(() => afterRun("a b"), RangeError, 'the DAG "a b"');
  assertThrows(
    () => dag({ id: "own", schedule: afterRun("own") }, () => {}),
    AppError,
    "waits for its own runs",
  );
});
