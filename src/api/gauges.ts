/** @module Gauges that are counted in the database when somebody scrapes. */
import { messageOf } from "../model/errors.ts";
import { countWaitingEvents } from "../store/asset_query.ts";
import { countDags, countUnfinished } from "../store/dag_query.ts";
import { countOutbox } from "../store/event_outbox.ts";
import { listPools } from "../store/pool_query.ts";
import { countQuarantined } from "../store/quarantine_query.ts";
import { poolClosingAt } from "../timetable/mod.ts";
import type { Rest } from "./rest.ts";

/** Pools, datasets with quarantined rows, and DAGs with events that wait, shown at most. */
const POOLS_MAX = 500;
const DATASETS_MAX = 500;
const DAGS_MAX = 500;

/** Set them before each scrape; where the database is away they keep their last values. */
export function collectGauges(
  { metrics, sql, log, clock }: Pick<Rest, "metrics" | "sql" | "log" | "clock">,
): void {
  metrics.collect(async () => {
    try {
      const [dags, { runs, tasks }, pools, quarantined, events, waiting] = await Promise.all([
        countDags(sql),
        countUnfinished(sql),
        listPools(sql, {}, { limit: POOLS_MAX, offset: 0, orderBy: ["name"] }),
        countQuarantined(sql, DATASETS_MAX),
        countOutbox(sql),
        countWaitingEvents(sql, DAGS_MAX),
      ]);
      metrics.set("tidewheel_dagbag_size", undefined, dags.dags);
      metrics.set("tidewheel_dag_processing_import_errors", undefined, dags.importErrors);
      metrics.reset("tidewheel_scheduler_dagruns");
      for (const { state, count } of runs) {
        metrics.set("tidewheel_scheduler_dagruns", { state }, count);
      }
      metrics.reset("tidewheel_ti");
      for (const { state, count } of tasks) metrics.set("tidewheel_ti", { state }, count);
      metrics.reset("tidewheel_quarantine_rows");
      for (const { dataset, rows } of quarantined) {
        metrics.set("tidewheel_quarantine_rows", { dataset }, rows);
      }
      metrics.reset("tidewheel_dataset_events_waiting");
      for (const { dagId, count } of waiting) {
        metrics.set("tidewheel_dataset_events_waiting", { dag_id: dagId }, count);
      }
      metrics.set("tidewheel_events", { state: "pending" }, events.pending);
      metrics.set("tidewheel_events", { state: "dead" }, events.dead);
      metrics.reset("tidewheel_pool_slots");
      metrics.reset("tidewheel_pool_closed");
      for (const pool of pools.items) {
        const closing = pool.closings && poolClosingAt(pool.closings, clock.now().getTime());
        if (closing) metrics.set("tidewheel_pool_closed", { pool: pool.name }, +closing.isClosed);
        const { name, slots, runningSlots, queuedSlots } = pool;
        const set = (kind: string, value: number) =>
          metrics.set("tidewheel_pool_slots", { pool: name, kind }, value);
        set("running", runningSlots);
        set("queued", queuedSlots);
        if (slots >= 0) set("open", slots - runningSlots - queuedSlots);
      }
    } catch (error) {
      log.warn("Could not count for metrics what the database holds", { error: messageOf(error) });
    }
  });
}
