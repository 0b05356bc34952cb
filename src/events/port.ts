/** @module What delivery needs of the store and of its surroundings. */
import type { ConnectionSecret } from "../contract/execution.ts";
import type { NoticeTarget, OutboxEvent, TryResult } from "../model/notice_spec.ts";

/** An event taken for delivery. */
export interface TakenEvent extends OutboxEvent {
  seq: number;
  /** This try's number; the first is 1. */
  tries: number;
}

/** Where events wait. */
export interface OutboxStore {
  /**
   * Take up to `max` events that are due, in turns by target, and leave those of the targets in
   * `busy` alone. Nobody else gets them until `leaseUntil`.
   */
  take(
    asked: { now: Date; leaseUntil: Date; max: number; perTarget: number; busy: readonly string[] },
  ): Promise<TakenEvent[]>;
  /** Put a try's end on record; false when another has had it meanwhile. */
  settle(result: TryResult): Promise<boolean>;
  /** When the next pending event is due; null: none waits. */
  nextDueAt(): Promise<Date | null>;
}

/** Starts the run that an event asks for; again for the same event: nothing. */
export type StartRun = (
  target: Extract<NoticeTarget, { kind: "run_dag" }>,
  event: TakenEvent,
) => Promise<void>;

/** Reads a connection with its secrets. */
export type ReadConnection = (connectionId: string, event: TakenEvent) => Promise<ConnectionSecret>;

/** What one target is known by, so that a slow one holds up no other. */
export function targetKey(target: NoticeTarget): string {
  return target.kind === "webhook"
    ? `webhook ${target.url ?? ""} ${target.connection ?? ""}`
    : `run_dag ${target.dagId}`;
}
