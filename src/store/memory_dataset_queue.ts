/** @module Dataset events in memory: who waits for which, and which run took them. */
import type { DatasetEvent } from "../model/rows.ts";

/** Events by the DAG that waits, then by the run that took them. */
export function memoryDatasetQueue() {
  const waiting = new Map<string, DatasetEvent[]>();
  const taken = new Map<string, DatasetEvent[]>();
  return {
    add(dagId: string, event: DatasetEvent): void {
      waiting.set(dagId, [...waiting.get(dagId) ?? [], event]);
    },
    /** Datasets with events for the DAG, by name. */
    pending(dagId: string): string[] {
      return [...new Set((waiting.get(dagId) ?? []).map(({ dataset }) => dataset))].sort();
    },
    take(dagId: string, dagRunId: string): void {
      taken.set(dagRunId, waiting.get(dagId) ?? []);
      waiting.delete(dagId);
    },
    takenBy: (dagRunId: string): DatasetEvent[] => [...taken.get(dagRunId) ?? []],
  };
}
