/** @module Counting dataset events from outside, by where they come from and what became of them. */
import type { Metrics } from "./registry.ts";

/** Where an event came from. */
export type EventSource = "rest" | "webhook" | "files" | "kafka";

/** Count recorded events: new ones, and those whose key was there before. */
export function countEvents(
  metrics: Metrics,
  source: EventSource,
  recorded: readonly { isNew: boolean }[],
): void {
  for (const { isNew } of recorded) {
    const result = isNew ? "new" : "repeated";
    metrics.inc("tidewheel_dataset_events_total", { source, result });
  }
}

/** Count what was no event: unsigned calls, messages that cannot be read. */
export function countRefused(metrics: Metrics, source: EventSource, count: number): void {
  if (count === 0) return;
  metrics.inc("tidewheel_dataset_events_total", { source, result: "refused" }, count);
}
