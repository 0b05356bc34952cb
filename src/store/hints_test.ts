import { assert, assertEquals } from "@std/assert";
import { payloads } from "./hints.ts";
import type { Hint } from "./port.ts";

const read = (payload: string) => (JSON.parse(payload) as { hints: Hint[] }).hints;

Deno.test("payloads() stays below what a NOTIFY takes, whatever the names, and loses none", () => {
  const ids = Array.from({ length: 300 }, (_, i) => `${i}-${"\u00fc".repeat(200)}`);
  const sent = payloads("here", [{ topic: "dags", ids }, { topic: "queued", ids: ["q"] }]);
  assert(sent.every((payload) => new TextEncoder().encode(payload).length < 8_000));
  const all = sent.flatMap(read);
  assertEquals(all.filter(({ topic }) => topic === "dags").flatMap((hint) => hint.ids), ids);
  assertEquals(all.at(-1), { topic: "queued", ids: ["q"] });
});

Deno.test("payloads() keeps instances while they fit, and else names their runs as a whole", () => {
  const hint = { topic: "runs" as const, ids: ["r"], taskInstanceIds: ["t"] };
  assertEquals(payloads("here", [hint]).flatMap(read), [hint]);
  const many = {
    ...hint,
    taskInstanceIds: Array.from({ length: 500 }, (_, i) => `task-${i}-of-r`),
  };
  assertEquals(payloads("here", [many]).flatMap(read), [{ topic: "runs", ids: ["r"] }]);
});
