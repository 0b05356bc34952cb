/**
 * @module The engine's view of the metadata database: what scheduler, dispatcher and the Task
 * Execution API need. `PostgreSQL` and memory implement it and pass one suite. Pages and lists of
 * the REST API are queries of their own, on PostgreSQL alone.
 *
 * Every write is fenced: moves repeat the expected state, scheduler writes the lease's epoch,
 * workers' writes the attempt. A write that lost its race changes nothing and says so.
 */
import type { DagSpec } from "../model/dag_spec.ts";
import type { EndEvidence, EndReason } from "../model/end_reason.ts";
import type { Effects } from "../model/outcome.ts";
import type { RetryBudget } from "../model/retry.ts";
import type { Resumption } from "../model/trigger.ts";
import type { Attempt, DagRun, DatasetEvent, Pool, TaskInstance } from "../model/rows.ts";
import type { RunState, RunType } from "../model/run_state.ts";
import type { TaskState } from "../model/task_state.ts";
import type { NewDeadline, PendingPartition } from "../timetable/mod.ts";
import type { Claimer } from "./hand_over.ts";
import type { ByHandStore } from "./port_by_hand.ts";
import type { DrainStore } from "./port_drain.ts";
import type { Answer, Parked, TriggerStore } from "./trigger_port.ts";

export type {
  Answer,
  FiredTrigger,
  Parked,
  Seen,
  StoredTrigger,
  Trigger,
  TriggerStore,
} from "./trigger_port.ts";

/** A dataset event from outside, to record. */
export interface NewDatasetEvent {
  dataset: string;
  partition: string | null;
  /** A second event of this key in the dataset is none; null: each one is new. */
  key: string | null;
  extra: Record<string, unknown>;
}

/** What became of a {@link NewDatasetEvent}. */
export interface RecordedEvent {
  id: string;
  /** False: the key was known, and `id` is the first one's. */
  isNew: boolean;
  /** DAGs that it waits for a run of. */
  waitingDags: string[];
}

/** A DAG with its current version, as the scheduler reads it. */
export interface SchedulableDag {
  dagId: string;
  isPaused: boolean;
  /** The file is gone. */
  isStale: boolean;
  dagVersionId: string;
  spec: DagSpec;
  /** The newest automatic run's interval, where the next one goes on. */
  lastInterval: { start: Date; end: Date } | null;
  /** Due instant of the next automatic run as computed last; null: none or not computed. */
  nextRunAt: Date | null;
  /**
   * What has events for it that no run has taken, oldest first: datasets, and partitions of them where
   * its schedule is by partition; none when left out.
   */
  pending?: readonly PendingPartition[];
  /** Differs when the events that wait for it do; "": none. */
  pendingMark?: string;
}

/** An immutable DAG version. */
export interface DagVersion {
  id: string;
  dagId: string;
  versionNumber: number;
  spec: DagSpec;
  bundleHash: string;
  entry: string;
}

/** A run with all of its task instances, and its version's spec by `dagVersionId`. */
export interface RunSnapshot {
  run: DagRun;
  tasks: TaskInstance[];
}

/** How the run before another stands: what depends_on_past goes by. */
export interface PastRun {
  dagRunId: string;
  /** The DAG's run of the logical date before; null when there is none. */
  previousId: string | null;
  /** Tasks of it with an instance that neither succeeded nor was skipped. */
  unmet: string[];
}

/** A run to create; its task instances are made from the spec, one per task, mapIndex -1. */
export interface NewRun {
  id: string;
  dagId: string;
  runId: string;
  runType: RunType;
  /** See {@link DagRun.partitionKey}; null when left out. */
  partitionKey?: string | null;
  logicalDate: Date | null;
  dataIntervalStart: Date | null;
  dataIntervalEnd: Date | null;
  runAfter: Date;
  conf: Record<string, unknown>;
  dagVersionId: string;
  backfillId: string | null;
  /** Its place among the runs of its backfill. */
  backfillOrdinal?: number | null;
  traceParent: string | null;
  /** Dataset events that it takes, of those that wait for its DAG. */
  takes?: {
    /** Null: whatever the partition. */
    partitions: string[] | null;
    /** Without an event to take there is no run: another has taken them, or they were removed. */
    isRequired: boolean;
    /** And it takes none, and is not made, unless there is one of each dataset of one of these. */
    anyOf?: readonly (readonly string[])[];
  };
  /** None when left out. */
  deadlines?: NewDeadline[];
  /** Ids for the task instances, by task. */
  tasks: { id: string; taskId: string; maxTries: number }[];
}

/**
 * One fenced move of a task instance by the scheduler. A waiting instance (`none`, `up_for_retry`,
 * `up_for_reschedule`) may go to `queued` at once, or to `running`: all steps in one write.
 */
export interface TaskMove {
  id: string;
  from: TaskState;
  to: TaskState;
  /** Shown with the instance: why it failed without an attempt. */
  note?: string;
  /** With `to: "queued"` or "running": the new attempt and what a claim needs to choose by. */
  queue?: {
    attemptId: string;
    tryNumber: number;
    queue: string;
    pool: string;
    poolSlots: number;
    priorityWeight: number;
  };
  /** Its end without an attempt is told to whom its task's callbacks name: the event's id. */
  eventId?: string;
  /** With `to: "running"`: the worker that waits for it, so that it starts in the same write. */
  start?: Claimer;
}

/**
 * Add instances to a mapped task. A wide one grows by several of these: its first instance keeps
 * mapIndex -1 until the last, and so the task is unfinished whoever leads in between.
 */
export interface TaskExpansion {
  /** The task's first instance. */
  id: string;
  /** Its map index now, for the fence, and from then on. */
  mapIndex: { from: -1 | 0; to: -1 | 0 };
  dagRunId: string;
  taskId: string;
  maxTries: number;
  /** Ids of the added instances, the first of them with index `firstIndex`. */
  ids: string[];
  firstIndex: number;
}

/** One fenced move of a run. */
export interface RunMove {
  id: string;
  from: RunState;
  to: RunState;
  /** With an end that DAGs wait for (`afterRun`): the event that tells of it, with its id. */
  awaited?: { id: string; event: NewDatasetEvent };
  /**
   * With an end: how many moves of its tasks the same pass makes. Unless all of them take effect the
   * run does not end, since it was decided by states that are not so.
   */
  taskMoves?: number;
  /** With a failure: the DAG is paused when so many of its newest runs have failed in a row. */
  pauseAfter?: number;
  /** The run may have deadlines: its start sets some, its success ends what is left of them. */
  hasDeadlines?: true;
  /** Whom the version's callbacks name for it is told: the event's id, and what its data adds. */
  event?: { id: string; data: Record<string, unknown> };
  /** With an end: when the run was last queued. A clear since, or a state set by hand, forbids it. */
  queuedAt?: Date;
}

/** An attempt that the scheduler stops: queued → cancelled, running → cancelling. */
export interface TaskCancel {
  /** The task instance. */
  id: string;
  /** The attempt that is meant; not another one that came after it. */
  attemptId: string;
  /** Who wants it, or why. */
  by: string;
}

/**
 * The writes of one scheduler pass. All or nothing, under the lease, in this order: new runs,
 * expansions, then the moves, which may name rows that the same pass made. A row moves once a pass.
 */
export interface TickWrites {
  newRuns: NewRun[];
  runMoves: RunMove[];
  taskMoves: TaskMove[];
  /**
   * When given, task moves are made only in these runs, and only if they were last queued and asked
   * to stop at these instants. A clear queues a run anew and a cancel asks it to stop, so what was
   * decided before them does not take effect.
   */
  fences?: RunFence[];
  /** Made only in runs that the fences name. */
  cancels?: TaskCancel[];
  /** Deadlines that are due: each is settled once, and told of when it is missed. */
  deadlines?: { id: string; eventId: string }[];
  expansions: TaskExpansion[];
  /** Next due instants that changed; `null`: none. */
  nextRuns: { dagId: string; nextRunAt: Date | null; lastInterval?: { start: Date; end: Date } }[];
}

/** How a run was when a pass decided on its tasks. */
export type RunFence = Pick<DagRun, "id" | "queuedAt" | "cancelRequestedAt">;

/** What of {@link TickWrites} took effect: the ids of rows that did change. */
export interface TickResult {
  newRuns: string[];
  runMoves: string[];
  taskMoves: string[];
  expansions: string[];
  /** Those of the task moves that start an attempt, in their order. */
  started: Claimed[];
  /** Somebody drains: moves that start an attempt were refused. */
  isDraining?: boolean;
  /** Left out when there are none. */
  cancels?: string[];
  /** Deadlines that were missed; left out when there are none. */
  missed?: string[];
  /** DAGs that were paused for their failures; left out when there are none. */
  pausedDags?: string[];
  /** DAGs for which ends of runs left events; left out when there are none. */
  waitingDags?: string[];
}

/** What the scheduler needs of a backfill: its runs have a cap and a pause of their own. */
export interface BackfillLimits {
  id: string;
  maxActiveRuns: number;
  isPaused: boolean;
  /** Of the slots of a pool and of the DAG's limit of tasks: what its tasks may take; at most 1. */
  share: number;
}

/** A deadline that is not settled. */
export interface PendingDeadline {
  id: string;
  dagRunId: string;
  /** Null: counted from the run's start, which has not come. */
  at: Date | null;
}

/** What a sweep compares its cache with, to find what hints did not tell: cheap to read. */
export interface Outline {
  isDraining: boolean;
  /** Unfinished runs; `tasks`: how many instances are in each state. */
  runs: {
    id: string;
    state: RunState;
    dagVersionId: string;
    isCancelled: boolean;
    tasks: Partial<Record<TaskState, number>>;
  }[];
  /** DAGs that can be scheduled. */
  dags: {
    dagId: string;
    dagVersionId: string;
    isPaused: boolean;
    isStale: boolean;
    pendingMark: string;
  }[];
}

/** The leader's lease: `epoch` grows with each change of holder. */
export interface Lease {
  holder: string;
  epoch: number;
  /** Grows with each renewal; one that stands still has lost its holder. */
  renewals: number;
}

/** A claimed attempt with what a workload is made of. */
export interface Claimed {
  attempt: Attempt;
  task: TaskInstance;
  run: DagRun;
  /** The task's durable state as left by its last success. */
  state: Record<string, unknown>;
  /** Of an attempt that goes on after a wait; null: it begins. */
  resumption: Resumption | null;
}

/** An item of what a task put out. */
export interface WantedItem {
  taskId: string;
  index: number;
}

/** See {@link EngineStore.loadItems}. */
export interface FoundItem extends WantedItem {
  /** The task is mapped: this is all that its instance put out, else one item of its list. */
  isOwn: boolean;
  /** The item; null where it lies in object storage. */
  output: unknown;
  /** Where the instance's output, or else the whole list, lies in object storage. */
  outputKey: string | null;
  /** Of a list: how many items it has; null: it is none. */
  length: number | null;
}

/** How an attempt ended, decided by the API from the supervisor's word and the task's policy. */
export interface AttemptEnding {
  attemptId: string;
  endReason: EndReason;
  evidence: EndEvidence;
  endDate: Date;
  /**
   * `defer`, `ask`: it waits for `parked`, until `nextTryAt` at the latest, without using up a try.
   * `retry`: failed, and another try is allowed at `nextTryAt`; the store turns it into `fail` when
   * tryNumber > maxTries. `lose`: requeue without using up a try. `lose`, `reschedule`, `defer` and `ask` lower
   * the instance's tryNumber by one, so that queueing always writes tryNumber + 1. For an attempt that is being
   * cancelled each of these becomes `cancelled` (or `none` when a clear asked for it).
   */
  result: "succeed" | "skip" | "fail" | "retry" | "reschedule" | "lose" | "defer" | "ask";
  nextTryAt: Date | null;
  /** With `retry`: the store makes it a failure that says so when its run or DAG has no more left. */
  retryBudget?: RetryBudget;
  output: unknown;
  outputKey: string | null;
  outputLength: number | null;
  chosen: string[] | null;
  effects: Effects | null;
  /** With `defer` and `ask`. */
  parked?: Parked;
  /** What the instance is shown by; left out: as it was. */
  renderedMapIndex?: string;
  rssBytesMax: number | null;
  cpuMs: number | null;
  /** Does the task have callbacks? False saves looking; left out: look. */
  isHeard?: boolean;
}

/** Answer to one ending: `ok`, `repeat` (already recorded so), or why it was refused. */
export type EndingResult =
  | {
    result: "ok" | "repeat";
    dagRunId: string;
    taskInstanceId: string;
    state: TaskState;
    /** Somebody has said that it ends so, whatever its attempt says. */
    byHand?: true;
    /** DAGs for which it left dataset events, if any. */
    waitingDags?: string[];
    /** Datasets that it published, if any. */
    datasets?: string[];
  }
  | { result: "gone" | "not_running" }
  | { result: "invalid"; reason: string };

/** An attempt's end as it was committed: all that the scheduler needs of its instance's new row. */
export interface EndedAttempt {
  taskInstanceId: string;
  attemptId: string;
  state: TaskState;
  nextTryAt: Date | null;
  outputLength: number | null;
  chosen: string[] | null;
}

/** Hints that something changed. Losing one costs at most a sweep. */
export type Hint =
  /**
   * Runs created, moved, cleared, cancelled; task instances that left a state from outside.
   * `ended`: what is known of some of those instances, within the process; it saves reading them.
   */
  | { topic: "runs"; ids: string[]; taskInstanceIds?: string[]; ended?: EndedAttempt[] }
  /** A DAG's version, pause or schedule changed. */
  | { topic: "dags"; ids: string[] }
  /** Task instances became queued, by queue name. */
  | { topic: "queued"; ids: string[] }
  /** Attempts that their workers must stop. */
  | { topic: "cancel"; ids: string[] }
  /** A drain has begun or is over; events may wait for delivery. The ids say nothing. */
  | { topic: "drain" | "outbox"; ids: string[] }
  /** Instances have come to wait for triggers; by the triggers' kinds. */
  | { topic: "triggers"; ids: string[] }
  /** Datasets got a version or an event, by name. */
  | { topic: "datasets"; ids: string[] }
  /** Runs have ended. */
  | { topic: "ended"; ids: string[] };

/** The engine's store. */
export interface EngineStore extends ByHandStore, DrainStore, TriggerStore {
  /**
   * Answer the question of an instance and resume it: `answered` when somebody did before, `gone`
   * when it does not wait (any more).
   */
  answerQuestion(answer: Answer, now: Date): Promise<"ok" | "answered" | "gone">;

  /** Take the free or expired lease (`expected`: the epoch seen as dead), or renew one's own. */
  takeLease(holder: string, expected: number | null, now: Date): Promise<Lease | null>;
  renewLease(lease: Lease): Promise<Lease | null>;
  readLease(): Promise<Lease | null>;
  releaseLease(lease: Lease): Promise<void>;

  /** DAGs that can be scheduled: all, or those named. */
  loadDags(ids?: string[]): Promise<SchedulableDag[]>;
  loadDagVersions(ids: string[]): Promise<DagVersion[]>;
  /** Unfinished runs with their task instances: all, or those named (finished ones too then). */
  loadRuns(ids?: string[]): Promise<RunSnapshot[]>;
  /** The runs before these, by logical date; those without a logical date have none. */
  loadPast(dagRunIds: string[]): Promise<PastRun[]>;
  /** Task instances by id, as they are now. */
  loadTasks(ids: string[]): Promise<TaskInstance[]>;
  loadPools(): Promise<Pool[]>;
  loadOutline(): Promise<Outline>;
  /** Deadlines that are not settled, of all runs or of those named; those of failed runs too. */
  loadDeadlines(dagRunIds?: string[]): Promise<PendingDeadline[]>;
  /** Backfills that have unfinished runs. */
  loadBackfills(): Promise<BackfillLimits[]>;
  /** Throws LEASE_LOST when `epoch` is not the lease's. */
  applyTick(epoch: number, writes: TickWrites, now: Date): Promise<TickResult>;
  /** Running attempts whose heartbeat counter stood still: id → counter. */
  readHeartbeats(): Promise<Map<string, { beats: number; workerId: string | null }>>;

  /** Oldest of the highest priority first; queued → running, with the worker on record. */
  claim(
    claim: {
      workerId: string;
      hostname: string;
      pid: number;
      /** `*`: all. */
      queues: string[];
      slots: number;
    },
    now: Date,
  ): Promise<Claimed[]>;
  /** Count a heartbeat; `running`, `cancelling`, or `gone` (a newer attempt speaks). */
  /** In the order of the ids. */
  heartbeat(attemptIds: string[]): Promise<("running" | "cancelling" | "gone" | "ended")[]>;
  /** Write endings with all of their effects in one transaction each group; fenced one by one. */
  endAttempts(endings: AttemptEnding[], now: Date): Promise<EndingResult[]>;
  /** Outputs of these tasks of a run, by map index; only of that map index where one is given. */
  loadOutputs(
    dagRunId: string,
    taskIds: string[],
    mapIndex?: number,
  ): Promise<{ taskId: string; mapIndex: number; output: unknown; outputKey: string | null }[]>;
  /**
   * Items that instances of a run are mapped over: of a mapped task the output at that index, of one
   * that put out a list the item of it. What is not there is left out.
   */
  loadItems(dagRunId: string, wanted: WantedItem[]): Promise<FoundItem[]>;
  /** Lengths of what these tasks of a run can be mapped over; those without one are left out. */
  loadLengths(dagRunId: string, taskIds: string[]): Promise<{ taskId: string; length: number }[]>;
  /** Durable state of a task, shared by all of its runs; each map index has its own. */
  loadTaskState(dagId: string, taskId: string, mapIndex: number): Promise<Record<string, unknown>>;
  /** What the current attempt of an instance goes on with after a wait. */
  loadResumption(taskInstanceId: string): Promise<Resumption | null>;
  previousSuccess(dagId: string, before: Date | null): Promise<DagRun | null>;
  /** Dataset events that a run has taken, oldest first. */
  loadDatasetEvents(dagRunId: string): Promise<DatasetEvent[]>;
  /** Record events from outside, in one transaction; in their order. */
  recordEvents(events: NewDatasetEvent[], now: Date): Promise<RecordedEvent[]>;
  /** Which of these partitions have a version or an event. */
  findPartitions(asked: PendingPartition[]): Promise<PendingPartition[]>;

  /** Create a run by hand; CONFLICT where (dag, run id) or (dag, logical date) exists. */
  createRun(run: NewRun): Promise<DagRun>;
  /**
   * Ask every unfinished task of a run to end: waiting → cancelled, running → cancelling. The tasks
   * in `spared` (its teardowns) are left alone where the run is under way and nobody has asked before.
   */
  cancelRun(
    dagRunId: string,
    asked: { now: Date; by: string; spared?: readonly string[] },
  ): Promise<void>;
  /** The same of many at once; of those under way the teardowns of their versions are spared. */
  cancelRuns(dagRunIds: string[], asked: { now: Date; by: string }): Promise<void>;
  cancelTasks(taskInstanceIds: string[], now: Date, by: string): Promise<void>;

  /** Subscribe to hints; `onHint` also gets those of other processes. */
  listen(onHint: (hint: Hint) => void): Promise<{ stop(): Promise<void> }>;
}
