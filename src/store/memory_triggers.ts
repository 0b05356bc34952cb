/** @module Triggers, their claimants and questions of the store in memory. */
import type { Question, Reply, Resumption, TriggerSpec } from "../model/trigger.ts";
import type { DagRun } from "../model/rows.ts";
import { isFinished, type TaskState } from "../model/task_state.ts";
import type { Row } from "./memory_rows.ts";
import type {
  Answer,
  AttemptEnding,
  EngineStore,
  FiredTrigger,
  Seen,
  StoredTrigger,
  TriggerStore,
} from "./port.ts";

/** What triggers look at. */
export interface MemoryWorld {
  row(taskInstanceId: string): Row | undefined;
  runs(): Iterable<DagRun>;
  tasksOf(dagRunId: string): readonly Row[];
  /** The newest version of a partition, or word of it from outside. */
  dataset(
    dataset: string,
    partition: string | null,
  ): { partition: string | null; version: number | null } | null;
  /** Move an instance that waited to `scheduled`. */
  resume(row: Row): void;
}

interface Kept {
  attemptId: string;
  spec: TriggerSpec;
  claimedBy: string | null;
}

interface Asked {
  attemptId: string;
  question: Question;
  reply: Reply | null;
}

/** The part of the store; `park` and `drop` belong to its endings and cancels. */
export interface MemoryTriggers extends TriggerStore, Pick<EngineStore, "answerQuestion"> {
  park(row: Row, ending: AttemptEnding): void;
  drop(taskInstanceId: string): void;
  /** The question of an instance, and the reply to it. */
  asked(taskInstanceId: string): Readonly<Asked> | undefined;
}

/** An empty one. */
export function memoryTriggers(world: MemoryWorld): MemoryTriggers {
  const claimants = new Map<string, number>();
  const triggers = new Map<string, Kept>();
  const questions = new Map<string, Asked>();

  function held(claimant: string) {
    return [...triggers].filter(([, kept]) => kept.claimedBy === claimant);
  }

  function isWaiting(id: string, attemptId: string): boolean {
    const row = world.row(id);
    return row?.state === "deferred" && row.attemptId === attemptId;
  }

  function fire(claimant: string, { taskInstanceId, attemptId, event }: FiredTrigger): boolean {
    const kept = triggers.get(taskInstanceId);
    if (kept?.claimedBy !== claimant || kept.attemptId !== attemptId) return false;
    if (!isWaiting(taskInstanceId, attemptId)) return false;
    triggers.delete(taskInstanceId);
    const row = world.row(taskInstanceId)!;
    row.resumption = resumedWith(row.resumption!, event);
    world.resume(row);
    return true;
  }

  return {
    park(row, { attemptId, parked }) {
      const { trigger, question } = parked!;
      if (question) questions.set(row.id, { attemptId, question, reply: null });
      else triggers.set(row.id, { attemptId, spec: trigger!, claimedBy: null });
    },
    drop: (id) => void triggers.delete(id),
    asked: (id) => questions.get(id),

    joinTriggers(claimant) {
      if (!claimants.has(claimant)) claimants.set(claimant, 1);
      return Promise.resolve();
    },
    beatTriggers(claimant) {
      const beats = claimants.get(claimant);
      if (beats === undefined) return Promise.resolve(null);
      claimants.set(claimant, beats + 1);
      const others = new Map(claimants);
      others.delete(claimant);
      return Promise.resolve({ claims: held(claimant).length, others });
    },
    leaveTriggers(claimant, beats) {
      const known = claimants.get(claimant);
      if (known === undefined || beats !== null && beats !== known) return Promise.resolve(false);
      claimants.delete(claimant);
      for (const [, kept] of held(claimant)) kept.claimedBy = null;
      return Promise.resolve(true);
    },
    claimTriggers(claimant, limit) {
      if (!claimants.has(claimant)) return Promise.resolve([]);
      const free = [...triggers].filter(([, kept]) => kept.claimedBy === null).slice(0, limit);
      return Promise.resolve(free.map(([taskInstanceId, kept]) => {
        kept.claimedBy = claimant;
        return { taskInstanceId, attemptId: kept.attemptId, spec: kept.spec };
      }));
    },
    heldTriggers: (claimant) =>
      Promise.resolve(
        held(claimant).map(([taskInstanceId, { attemptId }]) => ({ taskInstanceId, attemptId })),
      ),
    fireTriggers: (claimant, fired) =>
      Promise.resolve(
        fired.filter((one) => fire(claimant, one)).map(({ taskInstanceId }) => taskInstanceId),
      ),
    dropTriggers() {
      const stale = [...triggers].filter(([id, { attemptId }]) => !isWaiting(id, attemptId));
      for (const [id] of stale) triggers.delete(id);
      return Promise.resolve(stale.length);
    },
    lookAt: (specs) => Promise.resolve(specs.map((spec) => look(world, spec))),
    answerQuestion({ taskInstanceId, reply }: Answer) {
      const asked = questions.get(taskInstanceId);
      const row = world.row(taskInstanceId);
      if (asked?.reply) return Promise.resolve("answered");
      if (row?.state !== "awaiting_input" || asked?.attemptId !== row.attemptId) {
        return Promise.resolve("gone");
      }
      asked.reply = reply;
      row.resumption = { ...resumedWith(row.resumption!, reply), onTimeout: "resume" };
      world.resume(row);
      return Promise.resolve("ok");
    },
  };
}

/** The same as `resumed` of `engine_triggers.ts`. */
function resumedWith(timeout: Resumption, event: Resumption["event"]): Resumption {
  return { ...timeout, event, timedOut: false };
}

function look(world: MemoryWorld, spec: StoredTrigger): Seen {
  if (spec.kind === "dataset") {
    const newest = world.dataset(spec.dataset, spec.partition);
    return { found: newest && { event: { dataset: spec.dataset, ...newest } } };
  }
  const run = [...world.runs()].find((each) =>
    each.dagId === spec.dagId &&
    (spec.runId === undefined
      ? each.logicalDate?.getTime() === Date.parse(spec.logicalDate!)
      : each.runId === spec.runId)
  );
  if (!run) return { found: null };
  const state = spec.kind === "run" ? run.state : taskState(
    world.tasksOf(run.id).filter((row) =>
      row.taskId === spec.taskId &&
      (spec.mapIndex === undefined || row.mapIndex === spec.mapIndex)
    ).map((row) => row.state),
  );
  return { found: { dagRunId: run.id, event: { run_id: run.runId, state } } };
}

/** As in SQL: of several instances the worst, once all have ended. */
function taskState(states: readonly TaskState[]): string | null {
  if (states.some((state) => !isFinished(state))) return "running";
  if (states.includes("cancelled")) return "failed";
  const order: TaskState[] = ["failed", "upstream_failed", "success", "skipped", "removed"];
  return order.find((state) => states.includes(state)) ?? null;
}
