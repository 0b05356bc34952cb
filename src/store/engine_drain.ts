/** @module Draining: kept with the leader's lease, so that each of its writes sees it. */
import type { Sql } from "postgres";
import type { Drain } from "./port_drain.ts";

/** See {@link ./port_drain.ts#DrainStore}. */
export async function readDrain(sql: Sql): Promise<Drain | null> {
  const [drain] = await sql<Drain[]>`
    select drain_at as at, drain_by as by, drain_note as note from leader_lease
    where name = 'scheduler' and drain_at is not null`;
  return drain ?? null;
}

/** See {@link ./port_drain.ts#DrainStore}. A drain that is under way keeps its beginning. */
export async function setDrain(sql: Sql, drain: Drain | null): Promise<void> {
  await sql.begin(async (tx) => {
    // The lease's row waits for a pass that is being written; later ones find the drain in it.
    await tx`
      insert into leader_lease (name, holder, epoch, renewals, drain_at, drain_by, drain_note)
      values ('scheduler', '', 0, 0, ${drain?.at ?? null}, ${drain?.by ?? null},
        ${drain?.note ?? null})
      on conflict (name) do update set
        drain_at = case when excluded.drain_at is not null
          then coalesce(leader_lease.drain_at, excluded.drain_at) end,
        drain_by = excluded.drain_by, drain_note = excluded.drain_note`;
    // And these for claims under way; later ones find the drain when they look.
    if (drain) await tx`select 1 from task_instance where state = 'queued' order by id for update`;
  });
}

/** Queues that have something queued. */
export async function queuesOfQueued(sql: Sql): Promise<string[]> {
  const found = await sql<{ queue: string }[]>`
    select distinct queue from task_instance where state = 'queued'`;
  return found.map((row) => row.queue);
}
