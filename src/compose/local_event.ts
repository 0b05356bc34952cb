/** @module What a run in this process is for, of a DAG that waits for datasets or events. */
import type { DagSpec } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";
import { type Interval, partitionInterval } from "../timetable/mod.ts";

/** The partition to run, and what came along. */
export interface LocalEvent {
  partition: string | null;
  /** Null: nothing came. */
  extra: Record<string, unknown> | null;
  /** The days that the partition means, if it means days. */
  interval: Interval | null;
}

/**
 * `payload` becomes `ctx.event.payload`, and the fields of an object are in `ctx.event.extra` too.
 * Throws INVALID for a DAG that waits for nothing.
 */
export function localEvent(
  { dagId, schedule, timezone }: DagSpec,
  { partition, payload }: { partition?: string; payload?: unknown },
): LocalEvent | undefined {
  if (partition === undefined && payload === undefined) return undefined;
  if (schedule.kind !== "datasets") {
    throw new AppError(
      "INVALID",
      `Cannot run DAG "${dagId}" for a partition or an event: its schedule waits for neither ` +
        "datasets nor events",
    );
  }
  const isObject = payload !== null && typeof payload === "object" && !Array.isArray(payload);
  return {
    partition: partition ?? null,
    extra: payload === undefined ? null : { ...(isObject ? payload : {}), payload },
    interval: partition === undefined || !schedule.partition
      ? null
      : partitionInterval(schedule.partition, partition, timezone),
  };
}
