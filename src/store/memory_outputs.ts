/** @module What tasks have put out, in memory: whole, by item, and how long lists are. */
import type { EngineStore, FoundItem } from "./port.ts";
import type { Row } from "./memory_rows.ts";

type Output = { output: unknown; outputKey: string | null };

/** The three reads of outputs over a run's rows and what they put out. */
export function memoryOutputs(
  { tasksOf, outputs }: {
    tasksOf: (dagRunId: string) => readonly Row[];
    outputs: ReadonlyMap<string, Output>;
  },
): Pick<EngineStore, "loadOutputs" | "loadItems" | "loadLengths"> {
  return {
    loadOutputs: (dagRunId, taskIds, index) =>
      Promise.resolve(
        tasksOf(dagRunId)
          .filter((row) =>
            taskIds.includes(row.taskId) && row.state === "success" && outputs.has(row.id) &&
            (index === undefined || row.mapIndex === index)
          )
          .sort((a, b) => a.mapIndex - b.mapIndex)
          .map(({ id, taskId, mapIndex }) => ({ taskId, mapIndex, ...outputs.get(id)! })),
      ),
    loadItems(dagRunId, wanted) {
      const rows = tasksOf(dagRunId);
      return Promise.resolve(wanted.flatMap(({ taskId, index }): FoundItem[] => {
        const row = rows.find((each) =>
          each.taskId === taskId && each.state === "success" && outputs.has(each.id) &&
          (each.mapIndex === -1 || each.mapIndex === index)
        );
        if (!row) return [];
        const { output, outputKey } = outputs.get(row.id)!;
        if (row.mapIndex >= 0) {
          return [{ taskId, index, isOwn: true, output, outputKey, length: null }];
        }
        const item = Array.isArray(output) ? output[index] ?? null : null;
        const length = row.outputLength;
        return [{ taskId, index, isOwn: false, output: item, outputKey, length }];
      }));
    },
    loadLengths(dagRunId, taskIds) {
      const rows = tasksOf(dagRunId);
      return Promise.resolve(taskIds.flatMap((taskId) => {
        const of = rows.filter((row) => row.taskId === taskId && row.state !== "removed");
        const last = Math.max(...of.map((row) => row.mapIndex));
        if (last >= 0) return [{ taskId, length: last + 1 }];
        const list = of.find((row) => row.mapIndex === -1 && row.state === "success");
        return list?.outputLength == null ? [] : [{ taskId, length: list.outputLength }];
      }));
    },
  };
}
