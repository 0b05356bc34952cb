/** @module DAGs that would start each other for ever, by the datasets that they publish and await. */
import type { DagSpec } from "../model/dag_spec.ts";
import { runDataset } from "../model/watch_spec.ts";
import type { DatasetFlow, FileRecord } from "./port.ts";

/** One step of a circle: this DAG publishes what the next one waits for. */
export interface CircleStep {
  dagId: string;
  dataset: string;
}

/** What a DAG publishes, with the ends of its runs, and awaits; null when it awaits nothing. */
export function flowOf({ dagId, datasets, schedule }: DagSpec): DatasetFlow | null {
  if (schedule.kind !== "datasets") return null;
  return { dagId, publishes: [...datasets, runDataset(dagId)], awaits: schedule.datasets };
}

/** The flows of a record's DAGs. */
export function flowsIn({ outcome }: FileRecord): DatasetFlow[] {
  if (outcome.kind !== "dags") return [];
  return outcome.dags.map(({ spec }) => flowOf(spec)).filter((flow) => flow !== null);
}

/** The shortest circle that leads through one of `given`, among them and `others`; null: none. */
export function circleThrough(
  given: readonly DatasetFlow[],
  others: readonly DatasetFlow[],
): CircleStep[] | null {
  if (given.length === 0) return null;
  const awaiting = new Map<string, DatasetFlow[]>();
  for (const flow of [...given, ...others]) {
    for (const dataset of flow.awaits) {
      awaiting.set(dataset, [...awaiting.get(dataset) ?? [], flow]);
    }
  }
  const found = given.map((flow) => circleFrom(flow, awaiting)).filter((one) => one !== null);
  return found.sort((a, b) => a.length - b.length)[0] ?? null;
}

function circleFrom(
  start: DatasetFlow,
  awaiting: ReadonlyMap<string, DatasetFlow[]>,
): CircleStep[] | null {
  const seen = new Set<string>();
  let paths: { at: DatasetFlow; steps: CircleStep[] }[] = [{ at: start, steps: [] }];
  while (paths.length > 0) {
    const next: typeof paths = [];
    for (const { at, steps } of paths) {
      for (const dataset of at.publishes) {
        for (const to of awaiting.get(dataset) ?? []) {
          const further = [...steps, { dagId: at.dagId, dataset }];
          if (to.dagId === start.dagId) return further;
          if (seen.has(to.dagId)) continue;
          seen.add(to.dagId);
          next.push({ at: to, steps: further });
        }
      }
    }
    paths = next;
  }
  return null;
}

/** `a (a.ts) publishes "x" → b (b.ts) publishes "y" → a`. */
export function circleText(steps: readonly CircleStep[], fileOf: (dagId: string) => string) {
  const parts = steps.map(({ dagId, dataset }) =>
    `${dagId} (${fileOf(dagId)}) publishes "${dataset}"`
  );
  return [...parts, steps[0].dagId].join(" → ");
}
