import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dagsFolder } from "../../tests/support/dags_folder.ts";
import { circleThrough } from "./circles.ts";

const flow = (dagId: string, awaits: string, publishes: string) => ({
  dagId,
  awaits: awaits.split(" "),
  publishes: publishes.split(" "),
});

Deno.test("circleThrough() finds the shortest circle through what is given, and no other", () => {
  const others = [flow("b", "x y", "z"), flow("c", "z", "w"), flow("d", "q", "q")];
  assertEquals(circleThrough([flow("a", "u", "x")], others), null);
  assertEquals(circleThrough([flow("a", "w z", "x")], others), [
    { dagId: "a", dataset: "x" },
    { dagId: "b", dataset: "z" },
  ]);
  assertEquals(circleThrough([], others), null);
});

/** A DAG that awaits one dataset and publishes another. */
const passing = (id: string, awaits: string, publishes: string) =>
  `import { dag, onDatasets, task } from "tidewheel";
import { publish } from "tidewheel/operators";
export default dag({ id: "${id}", schedule: onDatasets("${awaits}") }, () => {
  const from = task({ id: "make" }, () => ({} as never));
  publish({ id: "publish", from, dataset: "${publishes}", partition: "p" });
});
`;

Deno.test("a DAG that would start itself through others is refused, and its last good version stays", async () => {
  await using at = await dagsFolder({
    "a.ts": passing("a", "raw", "clean"),
    "b.ts": passing("b", "clean", "golden"),
  });
  const parser = at.parser();
  await parser.runOnce();
  assertEquals(at.store.importErrors.size, 0);

  await at.write({ "a.ts": passing("a", "golden", "clean") });
  await parser.runOnce();

  assertStringIncludes(
    at.store.importErrors.get("a.ts")!.message,
    'each other for ever: a (a.ts) publishes "clean" → b (b.ts) publishes "golden" → a; let one',
  );
  const { schedule } = at.store.dags.get("a")!.current.spec;
  assert(schedule.kind === "datasets" && schedule.datasets[0] === "raw");

  // Also to a parser that starts anew, and no longer once the other one lets go.
  const other = at.parser();
  await other.runOnce();
  assertEquals(at.store.importErrors.has("a.ts"), true);
  await at.write({ "b.ts": passing("b", "raw", "silver") });
  await other.runOnce();
  assertEquals([...at.store.importErrors], []);
  assertEquals(at.store.dags.get("a")!.versionNumber, 2);
});

Deno.test("of two new files in a circle one is taken", async () => {
  await using at = await dagsFolder({
    "a.ts": passing("a", "x", "y"),
    "b.ts": passing("b", "y", "x"),
  });
  await at.parser().runOnce();
  assertEquals([at.store.dags.size, at.store.importErrors.size], [1, 1]);
});

const after = (id: string, other: string) =>
  `import { afterRun, dag, task } from "tidewheel";
export default dag({ id: "${id}", schedule: afterRun("${other}") }, () => {
  task({ id: "t" }, () => {});
});
`;

Deno.test("DAGs that run after each other are a circle too", async () => {
  await using at = await dagsFolder({ "a.ts": after("a", "b") });
  const parser = at.parser();
  await parser.runOnce();
  await at.write({ "b.ts": after("b", "a") });
  await parser.runOnce();
  assertStringIncludes(
    at.store.importErrors.get("b.ts")!.message,
    'b (b.ts) publishes "run:b" → a (a.ts) publishes "run:a" → b',
  );
});
