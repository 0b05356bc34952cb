/** @module Maintenance as people see it: what drains, what still runs, what a pause of all paused. */
import type { Sql } from "./database.ts";

/** How the installation stands. */
export interface MaintenanceRow {
  drainAt: Date | null;
  drainBy: string | null;
  drainNote: string | null;
  /** When all DAGs were paused; new ones are paused too until they are let go. */
  pausedAllAt: Date | null;
  /** DAGs that wait for that. */
  pausedByAll: number;
  running: number;
  queued: number;
}

/** Read it. */
export async function readMaintenance(sql: Sql): Promise<MaintenanceRow> {
  const [row] = await sql<MaintenanceRow[]>`
    select l.drain_at, l.drain_by, l.drain_note, l.paused_all_at,
      (select count(*)::int from dag where paused_by_all) as paused_by_all,
      (select count(*)::int from attempt where state in ('running', 'cancelling')) as running,
      (select count(*)::int from task_instance where state = 'queued') as queued
    from (select 1) one left join leader_lease l on l.name = 'scheduler'`;
  return row;
}

/** Pause every DAG that is not paused, and remember which those are; their ids. */
export async function pauseAll(sql: Sql, now: Date): Promise<string[]> {
  return await sql.begin(async (tx) => {
    await tx`
      insert into leader_lease (name, holder, epoch, renewals, paused_all_at)
      values ('scheduler', '', 0, 0, ${now})
      on conflict (name) do update
        set paused_all_at = coalesce(leader_lease.paused_all_at, excluded.paused_all_at)`;
    const changed = await tx<{ dagId: string }[]>`
      update dag set is_paused = true, paused_by_all = true where not is_paused returning dag_id`;
    return changed.map((row) => row.dagId);
  });
}

/** Let go on what {@link pauseAll} paused, and what is new since; their ids. */
export async function unpauseAll(sql: Sql): Promise<string[]> {
  return await sql.begin(async (tx) => {
    await tx`update leader_lease set paused_all_at = null where name = 'scheduler'`;
    const changed = await tx<{ dagId: string }[]>`
      update dag set is_paused = false, paused_by_all = false where paused_by_all returning dag_id`;
    return changed.map((row) => row.dagId);
  });
}
