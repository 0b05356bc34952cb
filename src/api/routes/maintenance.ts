/** @module Routes of maintenance: drain and resume, pause all and let them go again. */
import type { z } from "zod";
import {
  type MaintenanceRow,
  pauseAll,
  readMaintenance,
  unpauseAll,
} from "../../store/maintenance.ts";
import type { Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { DrainBody, MaintenanceShape, PausedShape } from "../shapes/maintenance.ts";
import { iso } from "../views/dag.ts";

const tag = "Maintenance";
const base = "/api/v2/maintenance";

/** Add them. */
export function addMaintenanceRoutes(book: RouteBook, rest: Rest): void {
  const { sql, clock, hints, store } = rest;
  const shown = async () => maintenanceView(await readMaintenance(sql));
  const changed = (dag_ids: string[]) => {
    if (dag_ids.length > 0) hints.publish({ topic: "dags", ids: dag_ids });
    return { dag_ids, total_entries: dag_ids.length };
  };

  book.add({
    method: "get",
    path: base,
    permission: "maintenance.read",
    tag,
    summary: "See whether it drains, what still runs, and what a pause of all paused",
    returns: MaintenanceShape,
  }, shown);

  book.add({
    method: "post",
    path: `${base}/drain`,
    permission: "maintenance.edit",
    tag,
    summary: "Start no new attempts; those that run go on to their end",
    body: DrainBody,
    bodyOptional: true,
    returns: MaintenanceShape,
    event: "maintenance.drain",
    audited: ["note"],
  }, async ({ body, principal }) => {
    await store.setDrain({ at: clock.now(), by: principal.name, note: body.note ?? null });
    return await shown();
  });

  book.add({
    method: "post",
    path: `${base}/resume`,
    permission: "maintenance.edit",
    tag,
    summary: "Start attempts again after a drain",
    returns: MaintenanceShape,
    event: "maintenance.resume",
  }, async () => {
    await store.setDrain(null);
    return await shown();
  });

  book.add({
    method: "post",
    path: `${base}/pauseAll`,
    permission: "maintenance.edit",
    tag,
    summary: "Pause all DAGs, new ones too, and remember which were not paused",
    returns: PausedShape,
    event: "maintenance.pause_all",
  }, async () => changed(await pauseAll(sql, clock.now())));

  book.add({
    method: "post",
    path: `${base}/unpauseAll`,
    permission: "maintenance.edit",
    tag,
    summary: "Let those DAGs go on that a pause of all paused",
    returns: PausedShape,
    event: "maintenance.unpause_all",
  }, async () => changed(await unpauseAll(sql)));
}

function maintenanceView(row: MaintenanceRow): z.input<typeof MaintenanceShape> {
  return {
    draining_since: iso(row.drainAt),
    drained_by: row.drainBy,
    note: row.drainNote,
    running_attempts: row.running,
    queued_attempts: row.queued,
    is_empty: row.drainAt !== null && row.running === 0,
    paused_all_since: iso(row.pausedAllAt),
    paused_by_all: row.pausedByAll,
  };
}
