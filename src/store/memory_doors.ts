/** @module What tests, the simulation and `tidewheel run` set and look at in the store in memory. */
import type { OutboxEvent } from "../model/notice_spec.ts";
import type { Attempt, DagRun, DatasetEvent, Pool, TaskInstance } from "../model/rows.ts";
import type { memoryDatasetQueue } from "./memory_dataset_queue.ts";
import type { MemoryDataset, memoryDatasets } from "./memory_datasets.ts";
import type { KeptDeadline, memoryDeadlines } from "./memory_deadlines.ts";
import type { memoryOutbox } from "./memory_outbox.ts";
import type { Row, Try } from "./memory_rows.ts";
import type { BackfillLimits, DagVersion, Hint, SchedulableDag } from "./port.ts";

/** What tests and `tidewheel run` set and look at beside the port. */
export interface MemoryDoors {
  addDag(dag: SchedulableDag, version: DagVersion): void;
  setPaused(dagId: string, isPaused: boolean): void;
  setStale(dagId: string, isStale: boolean): void;
  setPool(pool: Pool): void;
  /** With the id of its DAG those who schedule it are told. */
  setBackfill(backfill: BackfillLimits, dagId?: string): void;
  /** Give a run that exists to a backfill. */
  adoptRun(dagRunId: string, run: Pick<DagRun, "backfillId" | "backfillOrdinal" | "conf">): void;
  /** All attempts, oldest first. */
  attempts(): Attempt[];
  /** Everything published. */
  datasets(): MemoryDataset[];
  /** Dataset events: all of them, and those that still wait for a DAG. */
  events(): DatasetEvent[];
  waitingEvents(dagId: string): DatasetEvent[];
  takenEvents(dagRunId: string): DatasetEvent[];
  /** What those who asked are told, in order. */
  outbox(): OutboxEvent[];
  /** Deadlines, also settled ones. */
  deadlines(): KeptDeadline[];
  /** Every run, also finished ones. */
  runs(): DagRun[];
  /** Every task instance as it is, not copied: look, do not touch. */
  tasks(): Iterable<Readonly<TaskInstance & Pick<Row, "queue" | "priorityWeight">>>;
}

/** The parts of the store that the doors lead to. */
export interface MemoryRooms {
  dags: Map<string, SchedulableDag>;
  versions: Map<string, DagVersion>;
  runs: Map<string, DagRun>;
  tasks: ReadonlyMap<string, Row>;
  attempts: ReadonlyMap<string, Try>;
  pools: Map<string, Pool>;
  backfills: Map<string, BackfillLimits>;
  publish(hint: Hint): void;
  published: Pick<ReturnType<typeof memoryDatasets>, "all">;
  outbox: Pick<ReturnType<typeof memoryOutbox>, "all">;
  deadlines: Pick<ReturnType<typeof memoryDeadlines>, "all">;
  datasetQueue: Pick<ReturnType<typeof memoryDatasetQueue>, "all" | "waitingFor" | "takenBy">;
}

/** See the module. */
export function memoryDoors(world: MemoryRooms): MemoryDoors {
  return {
    addDag(dag, version) {
      world.dags.set(dag.dagId, dag);
      world.versions.set(version.id, version);
      world.publish({ topic: "dags", ids: [dag.dagId] });
    },
    setPaused(dagId, isPaused) {
      world.dags.get(dagId)!.isPaused = isPaused;
      world.publish({ topic: "dags", ids: [dagId] });
    },
    setStale(dagId, isStale) {
      world.dags.get(dagId)!.isStale = isStale;
      world.publish({ topic: "dags", ids: [dagId] });
    },
    setPool: (pool) => void world.pools.set(pool.name, pool),
    setBackfill(backfill, dagId) {
      world.backfills.set(backfill.id, backfill);
      if (dagId !== undefined) world.publish({ topic: "dags", ids: [dagId] });
    },
    adoptRun: (id, run) => void Object.assign(world.runs.get(id)!, { ...run, runType: "backfill" }),
    attempts: () => [...world.attempts.values()].map((attempt) => ({ ...attempt })),
    datasets: () => world.published.all(),
    outbox: () => world.outbox.all(),
    deadlines: () => world.deadlines.all(),
    events: () => world.datasetQueue.all(),
    waitingEvents: (dagId) => world.datasetQueue.waitingFor(dagId),
    takenEvents: (dagRunId) => world.datasetQueue.takenBy(dagRunId),
    runs: () => [...world.runs.values()].map((run) => ({ ...run })),
    tasks: () => world.tasks.values(),
  };
}
