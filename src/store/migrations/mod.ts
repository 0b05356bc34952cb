/** @module Every step of the schema, in order. A new file needs a line here and a new schema.sql. */
import type { Migration } from "../migrate.ts";
import engine from "./0001_engine.sql" with { type: "text" };
import metadata from "./0002_metadata.sql" with { type: "text" };
import lineageViews from "./0003_lineage_views.sql" with { type: "text" };
import retention from "./0004_retention.sql" with { type: "text" };
import api from "./0005_api.sql" with { type: "text" };
import workerTokens from "./0006_worker_tokens.sql" with { type: "text" };
import leftovers from "./0007_leftovers.sql" with { type: "text" };
import failedTasks from "./0008_failed_tasks.sql" with { type: "text" };
import datasetSchedules from "./0009_dataset_schedules.sql" with { type: "text" };
import partitions from "./0010_partitions.sql" with { type: "text" };
import backfills from "./0011_backfills.sql" with { type: "text" };
import pauseReason from "./0012_pause_reason.sql" with { type: "text" };
import watches from "./0013_watches.sql" with { type: "text" };
import eventOutbox from "./0014_event_outbox.sql" with { type: "text" };
import cascades from "./0015_cascades.sql" with { type: "text" };
import retryBudgets from "./0016_retry_budgets.sql" with { type: "text" };
import deadlines from "./0017_deadlines.sql" with { type: "text" };
import bulk from "./0018_bulk.sql" with { type: "text" };
import poolClosings from "./0019_pool_closings.sql" with { type: "text" };
import triggers from "./0020_triggers.sql" with { type: "text" };
import byHand from "./0021_by_hand.sql" with { type: "text" };
import claimsInOrder from "./0022_claims_in_order.sql" with { type: "text" };
import renderedMapIndex from "./0023_rendered_map_index.sql" with { type: "text" };
import deadEvents from "./0024_dead_events.sql" with { type: "text" };
import cascadeNeeds from "./0026_cascade_needs.sql" with { type: "text" };
import backfillProduct from "./0025_backfill_product.sql" with { type: "text" };

/** The steps; a step never changes once it is released. */
export const migrations: readonly Migration[] = [
  { version: 1, name: "0001_engine.sql", text: engine },
  { version: 2, name: "0002_metadata.sql", text: metadata },
  { version: 3, name: "0003_lineage_views.sql", text: lineageViews },
  { version: 4, name: "0004_retention.sql", text: retention },
  { version: 5, name: "0005_api.sql", text: api },
  { version: 6, name: "0006_worker_tokens.sql", text: workerTokens },
  { version: 7, name: "0007_leftovers.sql", text: leftovers },
  { version: 8, name: "0008_failed_tasks.sql", text: failedTasks },
  { version: 9, name: "0009_dataset_schedules.sql", text: datasetSchedules },
  { version: 10, name: "0010_partitions.sql", text: partitions },
  { version: 11, name: "0011_backfills.sql", text: backfills },
  { version: 12, name: "0012_pause_reason.sql", text: pauseReason },
  { version: 13, name: "0013_watches.sql", text: watches },
  { version: 14, name: "0014_event_outbox.sql", text: eventOutbox },
  { version: 15, name: "0015_cascades.sql", text: cascades },
  { version: 16, name: "0016_retry_budgets.sql", text: retryBudgets },
  { version: 17, name: "0017_deadlines.sql", text: deadlines },
  { version: 18, name: "0018_bulk.sql", text: bulk },
  { version: 19, name: "0019_pool_closings.sql", text: poolClosings },
  { version: 20, name: "0020_triggers.sql", text: triggers },
  { version: 21, name: "0021_by_hand.sql", text: byHand },
  { version: 22, name: "0022_claims_in_order.sql", text: claimsInOrder },
  { version: 23, name: "0023_rendered_map_index.sql", text: renderedMapIndex },
  { version: 24, name: "0024_dead_events.sql", text: deadEvents },
  { version: 25, name: "0025_backfill_product.sql", text: backfillProduct },
  { version: 26, name: "0026_cascade_needs.sql", text: cascadeNeeds },
];
