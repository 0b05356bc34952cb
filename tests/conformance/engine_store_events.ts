/** @module What every engine store makes of dataset events: once each, by partition, from outside. */
import { assertEquals } from "@std/assert";
import type { NewDatasetEvent } from "../../src/store/port.ts";
import { intent, waitingSpec, type World } from "./engine_store_world.ts";

/** A case of the suite: takes a fresh world. */
export type Case = (name: string, check: (world: World) => Promise<void>) => void;

const outside = (partition: string | null, key: string | null = null): NewDatasetEvent => ({
  dataset: "prices.daily",
  partition,
  key,
  extra: { from: "desk" },
});

/** Define the cases. */
export function eventCases(test: Case): void {
  test("recordEvents() takes a key once, and has it wait for each DAG", async (w) => {
    await w.under.addDag(waitingSpec);
    const [one, two] = await w.store.recordEvents(
      [outside("x", "k1"), outside("x", "k1")],
      w.now,
    );
    const [three] = await w.store.recordEvents([outside("y", "k1")], w.now);
    const [four] = await w.store.recordEvents([outside(null)], w.now);

    assertEquals([one.isNew, two.isNew, three.isNew, four.isNew], [true, false, false, true]);
    assertEquals([two.id, three.id], [one.id, one.id]);
    assertEquals([one.waitingDags, two.waitingDags], [["waits"], []]);
  });

  test("recordEvents() from many at once makes one event of a key", async (w) => {
    await w.under.addDag(waitingSpec);
    const given = Array.from({ length: 6 }, () => w.store.recordEvents([outside("x", "k")], w.now));
    const recorded = (await Promise.all(given)).flat();
    assertEquals(recorded.filter(({ isNew }) => isNew).length, 1);
    assertEquals(new Set(recorded.map(({ id }) => id)).size, 1);
  });

  test("applyTick() gives a run the events of its partitions only, with what came along", async (w) => {
    const dagVersionId = await w.under.addDag({
      ...waitingSpec,
      schedule: { ...waitingSpec.schedule, kind: "datasets", partition: { kind: "each" } } as never,
    });
    await w.store.recordEvents([outside("x", "1"), outside("y", "2"), outside("x", "3")], w.now);
    const pending = async () => (await w.store.loadDags(["waits"]))[0].pending;
    const x = { dataset: "prices.daily", partition: "x" };
    const y = { dataset: "prices.daily", partition: "y" };
    assertEquals(await pending(), [x, y]);

    const run = w.newRun({
      dagId: "waits",
      dagVersionId,
      partitionKey: "x",
      takes: { partitions: ["x"], isRequired: true },
    });
    await w.tick({ newRuns: [run] });

    assertEquals(await pending(), [y]);
    const [{ run: made }] = await w.store.loadRuns([run.id]);
    assertEquals(made.partitionKey, "x");
    const taken = await w.store.loadDatasetEvents(run.id);
    assertEquals(taken.map(({ key, version, extra }) => [key, version, extra]), [
      ["1", null, { from: "desk" }],
      ["3", null, { from: "desk" }],
    ]);
  });

  test("applyTick() makes no run whose events another has, and keeps one that needs none", async (w) => {
    const dagVersionId = await w.under.addDag(waitingSpec);
    const runOf = (runId: string, isRequired: boolean) =>
      w.newRun({ dagId: "waits", dagVersionId, runId, takes: { partitions: null, isRequired } });
    const { newRuns } = await w.tick({ newRuns: [runOf("needs", true), runOf("may", false)] });
    assertEquals(newRuns.length, 1);
    assertEquals((await w.store.loadRuns(newRuns))[0].run.runId, "may");
  });

  test("applyTick() makes no run that would get one of two datasets, and takes nothing for it", async (w) => {
    const datasets = ["fx", "prices.daily"];
    const dagVersionId = await w.under.addDag({
      ...waitingSpec,
      schedule: { kind: "datasets", datasets, anyOf: [datasets] },
    });
    await w.store.recordEvents([outside("x")], w.now);
    const runOf = (runId: string) =>
      w.newRun({
        ...{ dagId: "waits", dagVersionId, runId },
        takes: { partitions: null, isRequired: true, anyOf: [datasets] },
      });
    assertEquals((await w.tick({ newRuns: [runOf("early")] })).newRuns, []);
    await w.store.recordEvents([{ ...outside("x"), dataset: "fx" }], w.now);
    const { newRuns } = await w.tick({ newRuns: [runOf("whole")] });
    assertEquals((await w.store.loadDatasetEvents(newRuns[0])).length, 2);
  });

  test("findPartitions() finds versions and events, whoever took them", async (w) => {
    const { a } = await w.run();
    const effects = { publish: [intent("prices.daily", "2030-01-01")] };
    await w.end(await w.start(a), { result: "succeed", effects });
    await w.store.recordEvents([{ ...outside("x"), dataset: "desk.marks" }], w.now);
    const asked = [
      { dataset: "prices.daily", partition: "2030-01-01" },
      { dataset: "prices.daily", partition: "2030-01-02" },
      { dataset: "desk.marks", partition: "x" },
    ];
    assertEquals(await w.store.findPartitions(asked), [asked[0], asked[2]]);
    assertEquals(await w.store.findPartitions([]), []);
  });

  test("applyTick() tells of an awaited end of a run only when it takes effect, and once", async (w) => {
    await w.under.addDag(waitingSpec);
    await w.run();
    const event = { ...outside("interval", "run@1"), dataset: "prices.daily" };
    const move = (from: "queued" | "running") => ({
      ...{ id: w.runId, from, to: "success" as const },
      awaited: { id: w.ids.uuid(), event },
    });
    assertEquals((await w.tick({ runMoves: [move("queued")] })).waitingDags, undefined);
    assertEquals((await w.tick({ runMoves: [move("running")] })).waitingDags, ["waits"]);
    assertEquals((await w.tick({ runMoves: [move("running")] })).waitingDags, undefined);
    const [{ pending }] = await w.store.loadDags(["waits"]);
    assertEquals(pending, [{ dataset: "prices.daily", partition: "" }]);
  });
}
