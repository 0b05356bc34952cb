/** @module What every engine store makes of mapped tasks: items and lengths of what was put out. */
import { assertEquals } from "@std/assert";
import type { Case } from "./engine_store_events.ts";

/** Define the cases. */
export function mappingCases(test: Case): void {
  test("loadItems() gives single items of a list, and outputs of a mapped task by index", async (w) => {
    const { a, b } = await w.run();
    await w.end(await w.start(a), { result: "succeed", output: ["x", { y: 1 }], outputLength: 2 });
    const ids = [w.ids.uuid()];
    const mapIndex = { from: -1, to: 0 } as const;
    const more = { dagRunId: w.runId, taskId: "b", maxTries: 1, ids, firstIndex: 1 };
    await w.tick({ expansions: [{ id: b, mapIndex, ...more }] });
    await w.end(await w.start(ids[0]), { result: "succeed", output: null, outputKey: "k" });
    const wanted = [["a", 1], ["a", 2], ["b", 0], ["b", 1], ["c", 0]] as const;
    const found = await w.store.loadItems(
      w.runId,
      wanted.map(([taskId, index]) => ({ taskId, index })),
    );
    const byName = (x: { taskId: string; index: number }) => `${x.taskId}${x.index}`;
    assertEquals(
      [...found].sort((x, y) => byName(x) < byName(y) ? -1 : 1),
      [
        { taskId: "a", index: 1, isOwn: false, output: { y: 1 }, outputKey: null, length: 2 },
        { taskId: "a", index: 2, isOwn: false, output: null, outputKey: null, length: 2 },
        { taskId: "b", index: 1, isOwn: true, output: null, outputKey: "k", length: null },
      ],
    );
    assertEquals((await w.store.loadOutputs(w.runId, ["b"], 0)).length, 0);
    assertEquals((await w.store.loadOutputs(w.runId, ["b"], 1)).length, 1);
    const lengths = await w.store.loadLengths(w.runId, ["a", "b", "c"]);
    const inOrder = [...lengths].sort((x, y) => x.taskId < y.taskId ? -1 : 1);
    assertEquals(inOrder, [{ taskId: "a", length: 2 }, { taskId: "b", length: 2 }]);
  });
}
