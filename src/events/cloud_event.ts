/** @module An event as a request: CloudEvents 1.0 in structured mode, or a line for Slack. */
import type { NoticeTarget, OutboxEvent } from "../model/notice_spec.ts";

type Webhook = Extract<NoticeTarget, { kind: "webhook" }>;

/** Body and content type of the request that tells of an event. */
export function bodyOf(event: OutboxEvent, format: Webhook["format"]) {
  return format === "slack"
    ? { type: "application/json", body: JSON.stringify({ text: sentenceOf(event) }) }
    : { type: "application/cloudevents+json", body: JSON.stringify(cloudEvent(event)) };
}

/** The CloudEvent; the same text at each delivery. */
export function cloudEvent(event: OutboxEvent) {
  return {
    specversion: "1.0",
    id: event.eventId,
    source: `/dags/${encodeURIComponent(event.dagId)}`,
    type: event.type,
    subject: event.subject,
    time: event.occurredAt.toISOString(),
    datacontenttype: "application/json",
    data: event.data,
  };
}

/** What happened, in a line. */
export function sentenceOf({ type, dagId, subject, data }: OutboxEvent): string {
  const [, what, name] = type.split(".");
  const noun = what === "dag_run" ? "Run" : "Task";
  const verb = name === "deadline_missed" ? "missed a deadline" : name;
  const failed = Array.isArray(data.failed_tasks) && data.failed_tasks.length > 0
    ? ` (${data.failed_tasks.join(", ")})`
    : "";
  const why = data.message ?? data.reason;
  return `${noun} ${subject} of ${dagId} ${verb}${failed}${why ? `: ${why}` : ""}`;
}
