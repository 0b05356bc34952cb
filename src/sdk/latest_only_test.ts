import { assertEquals, assertThrows } from "@std/assert";
import { dag, latestOnly, task } from "./mod.ts";

Deno.test("latestOnly() declares a task that can stop what is right after it", () => {
  const made = dag({ id: "d", schedule: null }, () => {
    const latest = latestOnly({ id: "latest", pool: "small" });
    task({ id: "send", after: latest }, () => 1);
  });
  const [latest] = made.spec.tasks;
  assertEquals([latest.operator, latest.pool], ["latest_only", "small"]);
  assertEquals([latest.isBranch, latest.ignoreDownstreamTriggerRules], [true, false]);
});

Deno.test("latestOnly() takes no option that does not exist", () => {
  const declare = () =>
    dag({ id: "d", schedule: null }, () => latestOnly({ id: "l", x: 1 } as never));
  assertThrows(declare, Error, 'there is no option "x"');
});
