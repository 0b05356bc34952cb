/** @module A receiver of traces over OTLP/HTTP, as JSON, for tests. */

/** A span as it was received. */
export interface ReceivedSpan {
  name: string;
  /** Name of the library that made it. */
  scope: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  attributes: Record<string, unknown>;
  /** Attributes of the process that made it. */
  resource: Record<string, unknown>;
}

/** A receiver; `env` tells a process to send its traces here, often. */
export interface OtlpReceiver extends AsyncDisposable {
  readonly env: Record<string, string>;
  readonly spans: readonly ReceivedSpan[];
}

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}

interface TraceRequest {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: {
      scope: { name: string };
      spans: (ReceivedSpan & { attributes: Attribute[] })[];
    }[];
  }[];
}

/** Start to receive. */
export function startOtlpReceiver(): OtlpReceiver {
  const spans: ReceivedSpan[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const body = await request.json();
    if (new URL(request.url).pathname === "/v1/traces") spans.push(...spansIn(body));
    return Response.json({});
  });
  return {
    spans,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "200",
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

function spansIn({ resourceSpans }: TraceRequest): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        ...span,
        scope: scope.name,
        attributes: valuesOf(span.attributes),
        resource: valuesOf(resource.attributes),
      }))
    )
  );
}

/** `{ key, value: { stringValue } }` as `key: value`. */
function valuesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, Object.values(value)[0]]),
  );
}
