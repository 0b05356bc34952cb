/** @module What must hold of datasets: an event starts one run at most, and none before it is whole. */
import type { DagSpec } from "../../src/model/dag_spec.ts";
import type { DatasetsSpec } from "../../src/model/schedule_spec.ts";
import type { DagRun, DatasetEvent } from "../../src/model/rows.ts";
import type { MemoryEngineStore } from "../../src/store/engine_memory.ts";
import { partitionFor, partitionNeeds, partitionStates } from "../../src/timetable/mod.ts";
import { Violation } from "./checkers.ts";

/** Follows the events and the runs that take them. */
export class DataCheckers {
  /** The run that took an event, by DAG and event. */
  readonly #takers = new Map<string, string>();
  readonly #looked = new Set<string>();

  constructor(
    readonly store: MemoryEngineStore,
    readonly specOf: (dagVersionId: string) => DagSpec,
    readonly now: () => Date,
  ) {}

  /** After runs were made: these, or all that are new. */
  afterRuns(): void {
    this.#checkKeys();
    for (const run of this.store.runs()) {
      if (this.#looked.has(run.id)) continue;
      this.#looked.add(run.id);
      const events = this.store.takenEvents(run.id);
      this.#checkTaken(run, events);
      if (run.runType === "asset_triggered") this.#checkRun(run, events);
    }
  }

  #checkTaken(run: DagRun, events: readonly DatasetEvent[]) {
    for (const { id, dataset, key } of events) {
      const taken = `${run.dagId} ${id}`;
      if (this.#takers.has(taken)) {
        throw new Violation(`Event ${dataset} ${key ?? id} started two runs of ${run.dagId}`);
      }
      this.#takers.set(taken, run.id);
    }
  }

  #checkRun(run: DagRun, events: readonly DatasetEvent[]) {
    if (events.length === 0) throw new Violation(`Run ${run.runId} was started by no event`);
    const schedule = this.specOf(run.dagVersionId).schedule as DatasetsSpec;
    if (schedule.partition) this.#checkPartition(run, schedule, events);
    else if (!schedule.anyOf.some((all) => all.every((name) => hasDataset(events, name)))) {
      throw new Violation(`Run ${run.runId} began before its datasets were there`);
    }
  }

  /** All that a partition's run needs has had an event, and it takes only what is its own. */
  #checkPartition(run: DagRun, schedule: DatasetsSpec, events: readonly DatasetEvent[]) {
    const spec = schedule.partition!;
    const odd = events.find(({ partition }) =>
      partitionFor(spec, partition ?? "") !== run.partitionKey
    );
    if (odd) throw new Violation(`Run of ${run.partitionKey} took an event of ${odd.partition}`);
    const needs = partitionNeeds(spec, run.partitionKey!, this.now())!;
    const all = this.store.events();
    const isMet = (dataset: string) =>
      needs.every((key) => all.some((one) => one.dataset === dataset && one.partition === key));
    if (schedule.anyOf.some((datasets) => datasets.every(isMet))) return;
    throw new Violation(`Run ${run.runId} of ${run.partitionKey} ran before all of it was there`);
  }

  #checkKeys() {
    const seen = new Set<string>();
    for (const { dataset, key } of this.store.events()) {
      if (key === null) continue;
      const name = `${dataset} ${key}`;
      if (seen.has(name)) throw new Violation(`There are two events of the key ${name}`);
      seen.add(name);
    }
  }

  /** Every run that another DAG follows has told of its success. */
  atEnd({ schedule }: DagSpec): void {
    const watch = schedule.kind === "datasets" ? schedule.watch : undefined;
    if (watch?.kind !== "run") return;
    const told = new Set(this.store.events().map(({ key }) => key?.split("@")[0]));
    const untold = this.store.runs().find((run) =>
      run.dagId === watch.dagId && run.state === "success" && !told.has(run.id)
    );
    if (untold) throw new Violation(`Nobody was told that the run ${untold.runId} succeeded`);
  }

  /** Is there a run yet to be made of what waits for a DAG's newest version? */
  isDue({ dagId, schedule }: DagSpec): boolean {
    if (schedule.kind !== "datasets") return false;
    const waiting = this.store.waitingEvents(dagId);
    if (!schedule.partition) {
      return schedule.anyOf.some((all) => all.every((name) => hasDataset(waiting, name)));
    }
    const pending = waiting.map(({ dataset, partition }) => ({
      dataset,
      partition: partition ?? "",
    }));
    const all = this.store.events();
    const isThere = (dataset: string, partition: string) =>
      all.some((one) => one.dataset === dataset && one.partition === partition);
    return partitionStates(schedule, pending, isThere, this.now()).some((one) => one.isWhole);
  }
}

function hasDataset(events: readonly DatasetEvent[], name: string): boolean {
  return events.some(({ dataset }) => dataset === name);
}
