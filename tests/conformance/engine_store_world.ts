/** @module A store under test with one DAG and one run, and shorthands for what is done to it. */
import { assertEquals } from "@std/assert";
import { seededIds } from "../../src/base/ids.ts";
import type { VirtualClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/random.ts";
import { DagSpec } from "../../src/model/dag_spec.ts";
import type { OutboxEvent } from "../../src/model/notice_spec.ts";
import type { PublishIntent } from "../../src/model/data.ts";
import type { AttemptEnding, EngineStore, NewRun, TickWrites } from "../../src/store/port.ts";

/** A store under test, empty, with its clock. */
export interface StoreUnderTest extends AsyncDisposable {
  store: EngineStore;
  clock: VirtualClock;
  /** Store a DAG with one version and return the version's id. */
  addDag(spec: DagSpec): Promise<string>;
  /** Everything published, oldest first. */
  published(): Promise<{ dataset: string; partition: string; version: number; knownAt: string }[]>;
  /** What those who asked are told, in order; instants in data as JavaScript writes them. */
  outbox(): Promise<OutboxEvent[]>;
}

/** A DAG of three tasks in a row, `a → b → c`, with one retry each. */
export const chainSpec: DagSpec = DagSpec.parse({
  dagId: "chain",
  schedule: { kind: "none" },
  tasks: ["a", "b", "c"].map((taskId, i) => ({
    taskId,
    operator: "task",
    upstream: i ? [["a", "b"][i - 1]] : [],
    retry: { retries: 1 },
  })),
});

/** The same tasks, due when a dataset is published. */
export const waitingSpec: DagSpec = {
  ...chainSpec,
  dagId: "waits",
  schedule: { kind: "datasets", datasets: ["prices.daily"], anyOf: [["prices.daily"]] },
};

/** Nothing to write. */
export const noWrites: TickWrites = {
  newRuns: [],
  runMoves: [],
  taskMoves: [],
  expansions: [],
  nextRuns: [],
};

/** What publishes one small file. */
export function intent(dataset: string, partition: string): PublishIntent {
  return {
    dataset,
    partition,
    kind: "table",
    schema: null,
    files: [{ key: "x/part-0.parquet", bytes: 10, sha256: "0".repeat(64) }],
    lineageFiles: [],
    rows: 1,
    inputs: [{ dataset: "raw.x", partition, sha256: null }],
    columns: [],
    metrics: {},
  };
}

/** A store with the chain DAG, one run and shorthands. */
export class World {
  readonly ids;
  runId = "";

  private constructor(
    readonly under: StoreUnderTest,
    readonly dagVersionId: string,
    readonly epoch: number,
  ) {
    this.ids = seededIds(under.clock, seededRandom(7));
  }

  static async create(under: StoreUnderTest) {
    const version = await under.addDag(chainSpec);
    const lease = await under.store.takeLease("me", null, under.clock.now());
    return new World(under, version, lease!.epoch);
  }

  get store() {
    return this.under.store;
  }

  get now() {
    return this.under.clock.now();
  }

  async published() {
    return Array.from(await this.under.published());
  }

  newRun(some: Partial<NewRun> = {}): NewRun {
    return {
      id: this.ids.uuid(),
      dagId: "chain",
      runId: "r1",
      runType: "manual",
      logicalDate: null,
      dataIntervalStart: null,
      dataIntervalEnd: null,
      runAfter: this.now,
      conf: {},
      dagVersionId: this.dagVersionId,
      backfillId: null,
      traceParent: null,
      tasks: ["a", "b", "c"].map((taskId) => ({ id: this.ids.uuid(), taskId, maxTries: 1 })),
      ...some,
    };
  }

  /** Create run r1, move it to running, and return its instances' ids by task. */
  async run(): Promise<Record<string, string>> {
    const run = this.newRun();
    this.runId = run.id;
    await this.tick({ newRuns: [run], runMoves: [{ id: run.id, from: "queued", to: "running" }] });
    return Object.fromEntries(run.tasks.map((task) => [task.taskId, task.id]));
  }

  tick(writes: Partial<TickWrites>) {
    return this.store.applyTick(this.epoch, { ...noWrites, ...writes }, this.now);
  }

  queueing(some: { priorityWeight?: number; queue?: string; tryNumber?: number } = {}) {
    return {
      attemptId: this.ids.uuid(),
      tryNumber: 1,
      queue: "default",
      pool: "default_pool",
      poolSlots: 1,
      priorityWeight: 1,
      ...some,
    };
  }

  async queue(id: string, some: { priorityWeight?: number; queue?: string } = {}) {
    const { state: from, tryNumber } = await this.task(id);
    const queue = this.queueing({ ...some, tryNumber: tryNumber + 1 });
    await this.tick({ taskMoves: [{ id, from, to: "queued", queue }] });
    return queue.attemptId;
  }

  /** Queue and claim one instance; returns its attempt. */
  async start(id: string, from = "none"): Promise<string> {
    assertEquals((await this.task(id)).state, from);
    const attempt = await this.queue(id);
    await this.claim("w", 64);
    return attempt;
  }

  claim(workerId: string, slots: number, queues = ["default"]) {
    const claim = { workerId, hostname: "h", pid: 1, queues, slots };
    return this.store.claim(claim, this.now);
  }

  ending(attemptId: string, some: Partial<AttemptEnding>): AttemptEnding {
    return {
      attemptId,
      endReason: "success",
      evidence: {},
      endDate: this.now,
      result: "succeed",
      nextTryAt: null,
      output: null,
      outputKey: null,
      outputLength: null,
      chosen: null,
      effects: null,
      rssBytesMax: null,
      cpuMs: null,
      ...some,
    };
  }

  end(attemptId: string, some: Partial<AttemptEnding>) {
    return this.store.endAttempts([this.ending(attemptId, some)], this.now);
  }

  async task(id: string) {
    const [task] = await this.store.loadTasks([id]);
    return task;
  }

  async states(...ids: string[]) {
    const tasks = await this.store.loadTasks(ids);
    return ids.map((id) => tasks.find((task) => task.id === id)!.state);
  }
}
