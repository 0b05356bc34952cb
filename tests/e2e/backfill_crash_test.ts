/** @module A backfill whose process is killed while dates still wait for their runs. */
import { assertEquals } from "@std/assert";
import { startProduct } from "../support/product.ts";
import { until } from "../support/until.ts";

const often = `import { dag, task } from "tidewheel";
export default dag({
  id: "often", schedule: "*/5 * * * *", start: "2020-01-01", maxActiveTasks: 100,
}, () => { task({ id: "a" }, () => 1); });
`;
const DATES = 1_100;

interface Backfill {
  id: number;
  state: string;
  runs: { planned: number; pending: number; queued: number; success: number };
}

Deno.test("a backfill goes on after a SIGKILL, and each of its dates has one run that succeeded", async () => {
  await using product = await startProduct({ dags: { "often.ts": often } });
  const { api } = product;
  await api.listed("often");
  const to = new Date(Date.parse("2020-01-01T00:00:00Z") + (DATES - 1) * 300_000);
  const made = await api.send<Backfill>("POST", "/api/v2/backfills", {
    dag_id: "often",
    from_date: "2020-01-01T00:00:00Z",
    to_date: to.toISOString(),
    max_active_runs: 100,
  });
  const at = () => api.get<Backfill>(`/api/v2/backfills/${made.id}`);
  assertEquals([made.runs.planned, made.runs.pending > 0], [DATES, true]);
  await until("some runs to end", async () => (await at()).runs.success > 20);

  await product.end("SIGKILL");
  await product.start();

  await until("the backfill to end", async () => (await at()).state === "completed", {
    withinMs: 120_000,
  });
  assertEquals((await at()).runs.success, DATES);
  const page = await api.get<{ total_entries: number }>(
    "/api/v2/dags/often/dagRuns?run_type=backfill&limit=1",
  );
  assertEquals(page.total_entries, DATES);
});
