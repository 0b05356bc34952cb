/** @module Metrics and traces. */
export { countEvents, countRefused, type EventSource } from "./events.ts";
export { createMetrics, type Metrics, noMetrics } from "./registry.ts";
export {
  createTracer,
  newTraceParent,
  noTracer,
  parseTraceParent,
  type Span,
  type SpanAttributes,
  type Tracer,
} from "./trace.ts";
