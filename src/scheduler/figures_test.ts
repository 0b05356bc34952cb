import { assertStringIncludes } from "@std/assert";
import { seededRandom } from "../base/random.ts";
import { createMetrics } from "../metrics/registry.ts";
import { SchedulerWorld, specOf } from "../../tests/support/scheduler_world.ts";
import { schedulerService } from "./loop.ts";

Deno.test("the scheduler counts passes, runs that it makes and how they end", async () => {
  const world = new SchedulerWorld();
  const schedule = { kind: "cron", cron: "0 * * * *", timezone: "UTC" } as const;
  world.addDag(specOf("hourly", { a: {} }, { schedule, start: "2029-12-31T23:00:00Z" }));
  const { store, clock, ids, log } = world;
  const metrics = createMetrics();
  const scheduler = schedulerService({
    ...{ store, clock, ids, log, metrics },
    random: seededRandom(3),
    holder: "s",
  });

  clock.advance(60_000);
  while (await scheduler.runOnce());
  clock.advance(2_000);
  await world.end((await world.claim())[0], "succeed");
  while (await scheduler.runOnce());

  const text = await metrics.render();
  for (
    const line of [
      'dagrun_created_total{run_type="scheduled"} 1',
      "dagrun_schedule_delay_seconds_sum 60",
      'dagrun_finish_total{dag_id="hourly",state="success"} 1',
      'dagrun_duration_seconds_sum{state="success"} 2',
      "scheduler_lease_changes_total 1",
    ]
  ) assertStringIncludes(text, `tidewheel_${line}\n`);
});
