import { assertEquals, assertStringIncludes } from "@std/assert";
import { counters, gauges, histograms } from "./catalog.ts";
import { createMetrics } from "./registry.ts";

Deno.test("render() gives counted, set and observed values with their labels", async () => {
  const metrics = createMetrics();
  metrics.inc("tidewheel_ti_finish_total", { dag_id: "a", state: "success" }, 2);
  metrics.set("tidewheel_scheduler_leader", undefined, 1);
  metrics.observe("tidewheel_scheduler_loop_duration_seconds", undefined, 0.003);
  const text = await metrics.render();
  assertStringIncludes(text, 'tidewheel_ti_finish_total{dag_id="a",state="success"} 2');
  assertStringIncludes(text, "tidewheel_scheduler_leader 1");
  assertStringIncludes(text, 'tidewheel_scheduler_loop_duration_seconds_bucket{le="0.005"} 1');
});

Deno.test("collect() reads before each scrape until it is undone", async () => {
  const metrics = createMetrics();
  let reads = 0;
  const stop = metrics.collect(() => metrics.set("tidewheel_dagbag_size", undefined, ++reads));
  assertStringIncludes(await metrics.render(), "tidewheel_dagbag_size 1");
  stop();
  assertStringIncludes(await metrics.render(), "tidewheel_dagbag_size 1");
});

Deno.test("createMetrics() labels everything with its environment", async () => {
  const metrics = createMetrics({ environment: "staging" });
  metrics.set("tidewheel_scheduler_leader", undefined, 1);
  assertStringIncludes(
    await metrics.render(),
    'tidewheel_scheduler_leader{environment="staging"} 1',
  );
});

Deno.test("createMetrics() switched off takes everything and keeps nothing", async () => {
  const metrics = createMetrics({ enabled: false });
  metrics.inc("tidewheel_scheduler_heartbeat_total", undefined);
  assertEquals([metrics.enabled, await metrics.render()], [false, ""]);
});

Deno.test("every metric of the catalogue is named with its unit and has a meaning", () => {
  for (const [name, { help }] of Object.entries({ ...counters, ...gauges, ...histograms })) {
    assertEquals(/^tidewheel_[a-z_]+$/.test(name) && help.length > 5, true, name);
  }
  for (const name of Object.keys(counters)) assertEquals(name.endsWith("_total"), true, name);
});
