/** @module The settings of observation on one process: traces, environment, log level, no metrics. */
import { assert, assertEquals } from "@std/assert";
import { startOtlpReceiver } from "../support/otlp.ts";
import { startProduct } from "../support/product.ts";
import type { Run } from "../support/product_api.ts";
import { until } from "../support/until.ts";

const dags = {
  "traced.ts": `import { dag, done, task } from "tidewheel";
export default dag({ id: "traced", schedule: null }, () => {
  task({ id: "raw" }, async (ctx) => {
    const path = ctx.workDir + "/raw.json";
    await Deno.writeTextFile(path, "[]");
    return done(0, {
      accounting: { in: 0, generated: 0, out: 0, quarantined: 0, mergedAway: 0, filtered: 0 },
      publish: [{
        dataset: "traced.raw",
        partition: "all",
        kind: "raw",
        schema: null,
        files: [await ctx.files.put(path)],
        lineageFiles: [],
        rows: 0,
        inputs: [],
        columns: [],
        metrics: {},
      }],
    });
  });
});
`,
};

const clientTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const clientSpan = "00f067aa0ba902b7";

Deno.test("a run's spans, from its request to what it published, are in the client's trace", async () => {
  await using traces = startOtlpReceiver();
  await using product = await startProduct({
    dags,
    env: {
      ...traces.env,
      JAEGER_ENABLED: "true",
      ENVIRONMENT: "staging",
      LOG_LEVEL: "error",
      PROMETHEUS_ENABLED: "false",
    },
  });
  await product.api.listed("traced");
  const answer = await fetch(`${product.url}/api/v2/dags/traced/dagRuns`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${product.token}`,
      "content-type": "application/json",
      traceparent: `00-${clientTrace}-${clientSpan}-01`,
    },
    body: "{}",
  });
  const run = await product.api.ended(await answer.json() as Run);
  assertEquals(run.state, "success");

  const wanted = [
    "dag_run.trigger",
    "scheduler.pass",
    "attempt",
    "operator.run",
    "attempt.publish",
  ];
  const spans = await until("all spans of the run", () => {
    const found = traces.spans.filter(({ traceId }) => traceId === clientTrace);
    return wanted.every((name) => found.some((span) => span.name === name)) && found;
  });
  const spanOf = (name: string) => spans.find((span) => span.name === name)!;
  const trigger = spanOf("dag_run.trigger");
  assertEquals(trigger.parentSpanId, clientSpan);
  for (const name of ["scheduler.pass", "attempt", "attempt.publish"]) {
    assertEquals(spanOf(name).parentSpanId, trigger.spanId, name);
  }
  assertEquals(spanOf("operator.run").parentSpanId, spanOf("attempt").spanId);
  assertEquals(trigger.resource["service.name"], "tidewheel");
  assertEquals(trigger.resource["deployment.environment.name"], "staging");

  const metrics = await fetch(`${product.url}/metrics`);
  assertEquals(metrics.status, 404);
  assert((await metrics.text()).includes("PROMETHEUS_ENABLED"));
  assertEquals((await product.output()).includes('"level":"INFO"'), false);
  assertEquals((await product.end("SIGTERM")).code, 0);
});
