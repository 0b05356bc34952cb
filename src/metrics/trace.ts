/**
 * @module One trace follows a run: from the API through scheduler, worker and operator to publish.
 *
 * Deno itself exports spans over OTLP (`OTEL_DENO=true`, read when the process starts); this is the
 * only door to it. A run's trace context is a W3C `traceparent` that is kept in its row.
 */
import {
  type Context,
  context,
  type Span as OtelSpan,
  SpanStatusCode,
  trace,
  TraceFlags,
} from "@opentelemetry/api";
import { messageOf } from "../model/errors.ts";

/** Values of a span's attributes. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** A span under way. */
export interface Span {
  /** Its own context, to be passed on. */
  readonly traceParent: string | null;
  set(attributes: SpanAttributes): void;
}

/** Makes spans. */
export interface Tracer {
  readonly enabled: boolean;
  /** Run `fn` inside a span below `parent`; a throw marks it as failed and goes on. */
  span<T>(
    name: string,
    attributes: SpanAttributes,
    parent: string | null,
    fn: (span: Span) => T,
  ): T;
}

/** A tracer; switched off, a span costs one call. */
export function createTracer(
  { enabled, name = "tidewheel" }: { enabled: boolean; name?: string },
): Tracer {
  return enabled ? liveTracer(name) : noTracer;
}

/** Makes no spans and passes the parent's context on. */
export const noTracer: Tracer = {
  enabled: false,
  span: (_name, _attributes, parent, fn) => fn({ traceParent: parent, set() {} }),
};

/** A new sampled trace's `traceparent`: its trace id and span id are the first 48 of the hex digits. */
export function newTraceParent(hex: string): string {
  return `00-${hex.slice(0, 32)}-${hex.slice(32, 48)}-01`;
}

const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The given header when it is a valid `traceparent`, else null. */
export function parseTraceParent(header: string | null | undefined): string | null {
  const parts = header ? pattern.exec(header) : null;
  return parts && !/^0+$/.test(parts[1]) && !/^0+$/.test(parts[2]) ? header! : null;
}

function liveTracer(name: string): Tracer {
  const tracer = trace.getTracer(name);
  return {
    enabled: true,
    span(spanName, attributes, parent, fn) {
      const parentContext = withParent(parent);
      return tracer.startActiveSpan(spanName, { attributes }, parentContext, (span) => {
        try {
          const result = fn({ traceParent: contextOf(span), set: (more) => set(span, more) });
          if (!(result instanceof Promise)) {
            span.end();
            return result;
          }
          return result.then(
            (value) => (span.end(), value),
            (error) => {
              fail(span, error);
              throw error;
            },
          ) as typeof result;
        } catch (error) {
          fail(span, error);
          throw error;
        }
      });
    },
  };
}

function set(span: OtelSpan, attributes: SpanAttributes) {
  span.setAttributes(attributes);
}

function fail(span: OtelSpan, error: unknown) {
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
  span.end();
}

function contextOf(span: OtelSpan): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
}

function withParent(parent: string | null): Context {
  const parts = parent ? pattern.exec(parent) : null;
  if (!parts) return context.active();
  return trace.setSpanContext(context.active(), {
    traceId: parts[1],
    spanId: parts[2],
    traceFlags: Number.parseInt(parts[3], 16) & TraceFlags.SAMPLED,
    isRemote: true,
  });
}
