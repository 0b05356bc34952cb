/** @module The leader's lease: who may write as the scheduler. */
import type { Sql } from "postgres";
import type { Lease } from "./port.ts";

const NAME = "scheduler";
const columns = (sql: Sql) => sql`holder, epoch::float8 as epoch, renewals::float8 as renewals`;

/** Take the lease when nobody holds it, or when it still has the epoch that was seen as dead. */
export async function takeLease(sql: Sql, holder: string, expected: number | null) {
  const [lease] = await sql<Lease[]>`
    insert into leader_lease (name, holder, epoch, renewals) values (${NAME}, ${holder}, 1, 1)
    on conflict (name) do update
      set holder = excluded.holder, epoch = leader_lease.epoch + 1,
        renewals = leader_lease.renewals + 1
      where leader_lease.holder = '' or leader_lease.epoch = ${expected ?? -1}
    returning ${columns(sql)}`;
  return lease ?? null;
}

/** Count one more renewal; null when somebody else has it. */
export async function renewLease(sql: Sql, lease: Lease) {
  const [renewed] = await sql<Lease[]>`
    update leader_lease set renewals = renewals + 1
    where name = ${NAME} and holder = ${lease.holder} and epoch = ${lease.epoch}
    returning ${columns(sql)}`;
  return renewed ?? null;
}

/** The lease as it stands; null before the first leader. */
export async function readLease(sql: Sql) {
  const [lease] = await sql<Lease[]>`
    select ${columns(sql)} from leader_lease where name = ${NAME}`;
  return lease ?? null;
}

/** Give the lease up, so that a standby need not wait. */
export async function releaseLease(sql: Sql, lease: Lease) {
  await sql`
    update leader_lease set holder = ''
    where name = ${NAME} and holder = ${lease.holder} and epoch = ${lease.epoch}`;
}
