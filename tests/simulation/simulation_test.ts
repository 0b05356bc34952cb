import { assert, assertEquals } from "@std/assert";
import { simulateMany } from "./run.ts";
import { simulate } from "./simulate.ts";

Deno.test("simulated histories hold what must always hold, and meet every kind of fault", async () => {
  const { faults } = await simulateMany({ runs: 3_000, seed: 1 });
  for (
    const fault of [
      "call failed",
      "answer lost",
      "call slow",
      "call twice",
      "call cut off",
      "hint lost",
      "hint twice",
      "database away",
      "scheduler killed",
      "scheduler paused",
      "scheduler cut off",
      "worker killed",
      "worker paused",
      "worker cut off",
      "triggers killed",
      "triggers paused",
      "triggers cut off",
      "trigger fired",
      "question answered",
      "wait timed out",
      "clock jumped",
      "clocks change for summer or winter",
      "leader changed",
      "old leader refused",
      "DAG edited",
      "event repeated",
      "run by datasets",
      "failed fast",
      "DAG paused for its failures",
      "batch manager killed",
      "backfill made",
      "backfill paused or resumed",
      "backfill cancelled",
      "backfill extended",
      "backfill run again",
    ]
  ) assert(faults[fault] > 15, `${fault} happened ${faults[fault] ?? 0} times`);
});

Deno.test("the same seed gives the same history, another seed another", async () => {
  const [once, again, other] = [await simulate(7), await simulate(7), await simulate(8)];
  assertEquals(once.hash, again.hash);
  assert(once.hash !== other.hash);
});

Deno.test("a failed simulation names its seed and how to run it again", async () => {
  let message = "";
  try {
    await simulate(1, { stopAfterMs: 1 });
  } catch (error) {
    message = (error as Error).message;
  }
  assert(message.includes("--seed 1 --trace"), message);
});
