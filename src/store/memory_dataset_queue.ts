/** @module Dataset events in memory: who waits for which, and which run took them. */
import type { DatasetEvent } from "../model/rows.ts";
import { isMet, type PendingPartition } from "../timetable/mod.ts";
import type { NewRun } from "./port.ts";

/** An event that waits, with the number of its place. */
interface Waiting {
  place: number;
  event: DatasetEvent;
}

/** Events by the DAG that waits, then by the run that took them. */
export function memoryDatasetQueue() {
  const all: DatasetEvent[] = [];
  const waiting = new Map<string, Waiting[]>();
  const taken = new Map<string, DatasetEvent[]>();
  let places = 0;

  return {
    /** The event of a key, if there is one. */
    keyed: (dataset: string, key: string) =>
      all.find((event) => event.dataset === dataset && event.key === key),
    record(event: DatasetEvent, dagIds: readonly string[]): void {
      all.push(event);
      for (const dagId of dagIds) {
        waiting.set(dagId, [...waiting.get(dagId) ?? [], { place: ++places, event }]);
      }
    },
    hasPartition: (dataset: string, partition: string) =>
      all.some((event) => event.dataset === dataset && event.partition === partition),
    /** What waits for a DAG, oldest first: datasets, or partitions of them. */
    pending(dagId: string, byPartition: boolean): PendingPartition[] {
      const found = new Map<string, PendingPartition>();
      for (const { event: { dataset, partition } } of waiting.get(dagId) ?? []) {
        const one = { dataset, partition: byPartition ? partition ?? "" : "" };
        found.set(`${one.dataset}\n${one.partition}`, one);
      }
      return [...found.values()];
    },
    mark(dagId: string): string {
      const list = waiting.get(dagId) ?? [];
      return list.length === 0 ? "" : `${list.length}:${list.at(-1)!.place}`;
    },
    /** Give a new run what waits for it; the number of events. */
    take({ id, dagId, takes }: NewRun): number {
      const there = new Set((waiting.get(dagId) ?? []).map(({ event }) => event.dataset));
      if (takes!.anyOf && !isMet(takes!.anyOf, there)) return 0;
      const isTheirs = ({ event }: Waiting) =>
        takes!.partitions === null || takes!.partitions.includes(event.partition ?? "");
      const list = waiting.get(dagId) ?? [];
      taken.set(id, list.filter(isTheirs).map(({ event }) => event));
      waiting.set(dagId, list.filter((one) => !isTheirs(one)));
      return taken.get(id)!.length;
    },
    takenBy: (dagRunId: string): DatasetEvent[] => [...taken.get(dagRunId) ?? []],
    all: () => [...all],
    /** Every event that waits for a DAG. */
    waitingFor: (dagId: string): DatasetEvent[] =>
      (waiting.get(dagId) ?? []).map(({ event }) => event),
  };
}
