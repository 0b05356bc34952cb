/**
 * @module What must hold of events and deadlines: each move that somebody listens to is told of in the
 * write that makes it, no other is, and a deadline is settled once.
 */
import type { DagSpec } from "../../src/model/dag_spec.ts";
import { type NoticeTarget, runEvents, taskEvents } from "../../src/model/notice_spec.ts";
import type { TaskState } from "../../src/model/task_state.ts";
import type { MemoryEngineStore } from "../../src/store/engine_memory.ts";
import { Violation, type Writer } from "./checkers.ts";

/** States out of which an end is that of an attempt. */
const attempted: readonly TaskState[] = ["running", "cancelling"];
/** How late the leader may settle a deadline, whatever the clocks did. */
const LATE_MS = 120_000;

/** DAGs of histories get callbacks and deadlines by what they are, so that no draw is changed. */
export function withNotices(spec: DagSpec): DagSpec {
  const target: NoticeTarget = {
    kind: "webhook",
    ...{ url: "http://x.org/", connection: null, path: null, format: "cloudevents" },
  };
  const notify = [target];
  const tasks = spec.tasks.map((task) =>
    task.poolSlots === 1
      ? { ...task, callbacks: { failure: [target, target], retry: notify, skipped: notify } }
      : { ...task, deadlines: [{ name: "task", by: after("queued", 8_000), notify }] }
  );
  return {
    ...spec,
    tasks,
    ...(spec.maxActiveRuns > 1
      ? { callbacks: { execute: notify, success: notify, failure: notify } }
      : {}),
    ...(spec.maxActiveTasks > 2
      ? {
        deadlines: [
          { name: "due", by: after("due", 20_000), notify },
          { name: "started", by: after("started", 3_000), notify },
        ],
      }
      : {}),
  };
}

function after(kind: "queued" | "due" | "started", withinMs: number) {
  return { kind, withinMs };
}

/** Follows every write to a store. */
export class NoticeCheckers {
  readonly #runs = new Map<string, string>();
  readonly #tasks = new Map<string, TaskState>();
  readonly #settled = new Map<string, number>();
  #told = 0;
  missed = 0;

  constructor(
    readonly store: MemoryEngineStore,
    readonly specOf: (dagVersionId: string) => DagSpec,
    readonly now: () => Date,
  ) {}

  /** Compare what was told with what has moved since the write before. */
  afterWrite(writer: Writer): void {
    const ofTasks = this.#ofTasks();
    // What a person sets by hand is told to nobody.
    const wanted = [
      ...this.#ofRuns(),
      ...(writer === "user-set" ? [] : ofTasks),
      ...this.#ofDeadlines(),
    ].sort();
    const all = this.store.outbox();
    const told = all.slice(this.#told).map(({ type, subject }) => `${type} ${subject}`).sort();
    this.#told = all.length;
    if (wanted.join("\n") === told.join("\n")) return;
    throw new Violation(
      `It told ${told.join(", ") || "nothing"}, and should have told ${
        wanted.join(", ") || "nothing"
      }`,
    );
  }

  #ofRuns(): string[] {
    return this.store.runs().flatMap((run) => {
      const was = this.#runs.get(run.id) ?? "queued";
      this.#runs.set(run.id, run.state);
      if (was === run.state || run.state === "queued") return [];
      const { listener, name } = runEvents[run.state];
      const isCancelled = run.state === "failed" && run.cancelRequestedAt !== null;
      const type = `tidewheel.dag_run.${isCancelled ? "cancelled" : name}`;
      return (this.specOf(run.dagVersionId).callbacks?.[listener] ?? []).map(() =>
        `${type} ${run.runId}`
      );
    });
  }

  #ofTasks(): string[] {
    const runs = new Map(this.store.runs().map((run) => [run.id, run]));
    const wanted: string[] = [];
    for (const task of this.store.tasks()) {
      const was = this.#tasks.get(task.id) ?? "none";
      this.#tasks.set(task.id, task.state);
      if (was === task.state || !Object.hasOwn(taskEvents, task.state)) continue;
      const { listener, name } = taskEvents[task.state as keyof typeof taskEvents];
      if (!attempted.includes(was) && task.state !== "failed") continue;
      const run = runs.get(task.dagRunId)!;
      const spec = this.specOf(run.dagVersionId).tasks
        .find(({ taskId }) => taskId === task.taskId);
      const index = task.mapIndex < 0 ? "" : `[${task.mapIndex}]`;
      for (const _ of spec?.callbacks?.[listener] ?? []) {
        wanted.push(`tidewheel.task_instance.${name} ${run.runId}/${task.taskId}${index}`);
      }
    }
    return wanted;
  }

  #ofDeadlines(): string[] {
    const runs = new Map(this.store.runs().map((run) => [run.id, run]));
    return this.store.deadlines().flatMap(
      ({ id, dagRunId, taskId, at, settledAt, missed, notify }) => {
        if (!settledAt) return [];
        const known = this.#settled.get(id);
        if (known !== undefined && known !== settledAt.getTime()) {
          throw new Violation(`Deadline ${id} is settled twice`);
        }
        this.#settled.set(id, settledAt.getTime());
        if (known !== undefined || !missed) return [];
        if (settledAt < at!) throw new Violation(`Deadline ${id} is missed before its time`);
        this.missed++;
        const { runId } = runs.get(dagRunId)!;
        const [what, subject] = taskId === null
          ? ["dag_run", runId]
          : ["task_instance", `${runId}/${taskId}`];
        return notify.map(() => `tidewheel.${what}.deadline_missed ${subject}`);
      },
    );
  }

  /** No deadline whose time has come is left. */
  atEnd(): void {
    const runs = new Map(this.store.runs().map((run) => [run.id, run]));
    for (const { id, dagRunId, at, settledAt } of this.store.deadlines()) {
      if (settledAt) continue;
      if (runs.get(dagRunId)!.state === "success") {
        throw new Violation(`Deadline ${id} is left though its run has succeeded`);
      }
      if (at && at.getTime() + LATE_MS < this.now().getTime()) {
        throw new Violation(`Deadline ${id} of ${at.toISOString()} was never settled`);
      }
    }
  }
}
