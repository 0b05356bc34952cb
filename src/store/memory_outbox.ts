/** @module Events for those who asked to be told, of the store in memory; see engine_outbox.ts. */
import { type OutboxEvent, runEvents, taskEvents } from "../model/notice_spec.ts";
import type { NoticeTarget } from "../model/notice_spec.ts";
import type { DagRun, TaskInstance } from "../model/rows.ts";
import type { TaskState } from "../model/task_state.ts";
import type { KeptDeadline } from "./memory_deadlines.ts";
import type { DagVersion } from "./port.ts";

/** Events in the order in which they were written. */
export interface MemoryOutbox {
  tellOfRun(run: DagRun, event: { id: string; data: Record<string, unknown> }, now: Date): void;
  tellOfTask(
    run: DagRun,
    task: TaskInstance,
    ended: {
      eventId: string;
      to: TaskState;
      at: Date;
      endReason: string | null;
      message: string | null;
      nextTryAt: Date | null;
    },
  ): void;
  tellOfMiss(run: DagRun, missed: KeptDeadline, eventId: string, now: Date): void;
  all(): OutboxEvent[];
}

/** An empty outbox; versions say whom to tell. */
export function memoryOutbox(versions: ReadonlyMap<string, DagVersion>): MemoryOutbox {
  const kept: OutboxEvent[] = [];

  function add(
    targets: readonly NoticeTarget[] | undefined,
    event: Omit<OutboxEvent, "ordinal" | "target">,
  ) {
    (targets ?? []).forEach((target, ordinal) => kept.push({ ...event, ordinal, target }));
  }

  return {
    tellOfRun(run, { id, data }, now) {
      const named = lookUp(runEvents, run.state);
      if (!named) return;
      const isCancelled = run.state === "failed" && run.cancelRequestedAt !== null;
      add(versions.get(run.dagVersionId)?.spec.callbacks?.[named.listener], {
        eventId: id,
        type: `tidewheel.dag_run.${isCancelled ? "cancelled" : named.name}`,
        ...placeOf(run),
        taskInstanceId: null,
        subject: run.runId,
        occurredAt: now,
        data: {
          ...runData(run),
          state: run.state,
          start_date: iso(run.startDate),
          end_date: iso(run.endDate),
          ...data,
        },
      });
    },
    tellOfTask(run, task, { eventId, to, at, endReason, message, nextTryAt }) {
      const named = lookUp(taskEvents, to);
      const spec = versions.get(run.dagVersionId)?.spec.tasks
        .find(({ taskId }) => taskId === task.taskId);
      if (!named) return;
      const index = task.mapIndex < 0 ? "" : `[${task.mapIndex}]`;
      add(spec?.callbacks?.[named.listener], {
        eventId,
        type: `tidewheel.task_instance.${named.name}`,
        ...placeOf(run),
        taskInstanceId: task.id,
        subject: `${run.runId}/${task.taskId}${index}`,
        occurredAt: at,
        data: {
          ...runData(run),
          task_id: task.taskId,
          map_index: task.mapIndex,
          state: to,
          try_number: task.tryNumber,
          max_tries: task.maxTries,
          end_reason: endReason,
          message,
          next_try_at: to === "up_for_retry" ? iso(nextTryAt) : null,
        },
      });
    },
    tellOfMiss(run, { name, taskId, at, notify }, eventId, now) {
      add(notify, {
        eventId,
        type: `tidewheel.${taskId === null ? "dag_run" : "task_instance"}.deadline_missed`,
        ...placeOf(run),
        taskInstanceId: null,
        subject: taskId === null ? run.runId : `${run.runId}/${taskId}`,
        occurredAt: now,
        data: {
          ...runData(run),
          state: run.state,
          task_id: taskId,
          deadline: name,
          deadline_time: iso(at),
        },
      });
    },
    all: () => [...kept],
  };
}

function lookUp<E extends object>(events: E, state: string): E[keyof E] | undefined {
  return (events as Record<string, E[keyof E]>)[state];
}

function placeOf({ dagId, id }: DagRun) {
  return { dagId, dagRunId: id };
}

function runData(run: DagRun) {
  return {
    dag_id: run.dagId,
    dag_run_id: run.runId,
    run_type: run.runType,
    logical_date: iso(run.logicalDate),
    data_interval_start: iso(run.dataIntervalStart),
    data_interval_end: iso(run.dataIntervalEnd),
    partition_key: run.partitionKey,
  };
}

function iso(at: Date | null): string | null {
  return at ? at.toISOString() : null;
}
