/** @module Making, changing and ending backfills on PostgreSQL. */
import type { Sql, TransactionSql } from "postgres";
import type { BackfillChange, NewBackfill, PlannedDate } from "./backfill_port.ts";
import { cancelRunsIn } from "./engine_run.ts";

/** Dates written by one statement. */
const DATES_A_STATEMENT = 10_000;

/**
 * Record a backfill with its dates. The DAG's row is locked: of two at once that share a date, the
 * second finds the first one's.
 */
export async function insertBackfill(
  tx: TransactionSql,
  backfill: NewBackfill,
  dates: readonly PlannedDate[],
  now: Date,
): Promise<string> {
  await lockDag(tx, backfill.dagId);
  const [{ id }] = await tx<{ id: string }[]>`
    insert into backfill (dag_id, from_date, to_date, dag_run_conf, is_paused,
      reprocess_behavior, max_active_runs, run_backwards, run_on_latest_version, force, share,
      triggering_user_name, created_at, updated_at)
    values (${backfill.dagId}, ${backfill.fromDate}, ${backfill.toDate},
      ${JSON.stringify(backfill.dagRunConf)}::text::jsonb, ${backfill.isPaused ?? false},
      ${backfill.reprocessBehavior}, ${backfill.maxActiveRuns}, ${backfill.runBackwards},
      ${backfill.runOnLatestVersion}, ${
    backfill.force ?? false
  }, ${backfill.share}, ${backfill.triggeringUserName},
      ${now}, ${now})
    returning id::text`;
  await insertDates(tx, { id, dagId: backfill.dagId, after: 0 }, dates);
  return id;
}

async function lockDag(tx: TransactionSql, dagId: string) {
  await tx`select 1 from dag where dag_id = ${dagId} for no key update`;
}

async function insertDates(
  tx: TransactionSql,
  { id, dagId, after }: { id: string; dagId: string; after: number },
  dates: readonly PlannedDate[],
): Promise<number> {
  let inserted = 0;
  for (let at = 0; at < dates.length; at += DATES_A_STATEMENT) {
    const chunk = dates.slice(at, at + DATES_A_STATEMENT);
    const texts = (of: (date: PlannedDate) => Date) => chunk.map((date) => of(date).toISOString());
    const result = await tx`
      with taken as (
        select e.logical_date from backfill b join backfill_dag_run e on e.backfill_id = b.id
        where b.dag_id = ${dagId} and b.completed_at is null and b.id <> ${id}
          and e.dag_run_id is null and e.exception_reason is null
      )
      insert into backfill_dag_run (backfill_id, logical_date, interval_start, interval_end,
        run_after, sort_ordinal, exception_reason)
      select ${id}, d.date, d.interval_start, d.interval_end, d.run_after,
        ${after + at}::int + d.ordinal,
        case when t.logical_date is not null then 'in flight' end
      from unnest(
        ${texts((date) => date.logicalDate)}::text[]::timestamptz[],
        ${texts((date) => date.interval.start)}::text[]::timestamptz[],
        ${texts((date) => date.interval.end)}::text[]::timestamptz[],
        ${texts((date) => date.runAfter)}::text[]::timestamptz[]
      ) with ordinality d(date, interval_start, interval_end, run_after, ordinal)
      left join (select distinct logical_date from taken) t on t.logical_date = d.date
      on conflict (backfill_id, logical_date) do nothing`;
    inserted += result.count;
  }
  return inserted;
}

/** Add dates; a completed backfill goes on. How many; null where it is cancelled or missing. */
export async function extendBackfill(
  sql: Sql,
  id: string,
  { fromDate, toDate, dates }: { fromDate: Date; toDate: Date; dates: readonly PlannedDate[] },
  now: Date,
): Promise<number | null> {
  return await sql.begin(async (tx) => {
    const [known] = await tx<{ dagId: string }[]>`
      select dag_id as "dagId" from backfill where id = ${id}`;
    if (!known) return null;
    await lockDag(tx, known.dagId);
    const [open] = await tx`
      update backfill set completed_at = null, end_reason = null, updated_at = ${now},
        from_date = least(from_date, ${fromDate}), to_date = greatest(to_date, ${toDate})
      where id = ${id} and coalesce(end_reason, 'completed') = 'completed' returning 1`;
    if (!open) return null;
    const [{ after }] = await tx<{ after: number }[]>`
      select coalesce(max(sort_ordinal), 0)::int as after from backfill_dag_run
      where backfill_id = ${id}`;
    return await insertDates(tx, { id, dagId: known.dagId, after }, dates);
  });
}

/** False where it is over or missing. A pause of the first of a cascade is one of all of it. */
export async function changeBackfill(
  sql: Sql,
  id: string,
  { isPaused, maxActiveRuns, share }: BackfillChange,
  now: Date,
): Promise<boolean> {
  const changed = await sql`
    update backfill set updated_at = ${now},
      is_paused = coalesce(${isPaused ?? null}, is_paused),
      max_active_runs = case when id = ${id}
        then coalesce(${maxActiveRuns ?? null}, max_active_runs) else max_active_runs end,
      share = case when id = ${id} then coalesce(${share ?? null}, share) else share end
    where (id = ${id} or ${isPaused !== undefined} and cascade_id = ${id})
      and completed_at is null returning 1`;
  return changed.length > 0;
}

/** What a cancel stopped. */
export interface CancelledBackfill {
  dagRunIds: string[];
  /** Attempts that workers must stop. */
  stop: string[];
}

/**
 * End a backfill and what of it is queued, in one step: nobody makes a run of it in between. The
 * first of a cascade ends all of it.
 */
export async function cancelBackfill(
  sql: Sql,
  id: string,
  { isNow, by }: { isNow: boolean; by: string },
  now: Date,
): Promise<CancelledBackfill | null> {
  return await sql.begin(async (tx) => {
    // A scheduler's pass changes runs and then their backfill; here it is the other way about.
    await tx`select 1 from leader_lease where name = 'scheduler' for update`;
    const ended = await tx<{ id: string }[]>`
      update backfill set completed_at = ${now}, updated_at = ${now}, is_paused = false,
        end_reason = 'cancelled'
      where (id = ${id} or cascade_id = ${id}) and completed_at is null returning id::text`;
    if (ended.length === 0) return null;
    const ids = ended.map((one) => one.id);
    await tx`
      update backfill_dag_run set exception_reason = 'cancelled'
      where backfill_id = any(${ids}::text[]::bigint[])
        and dag_run_id is null and exception_reason is null`;
    const states = isNow ? ["queued", "running"] : ["queued"];
    const runs = await tx<{ id: string }[]>`
      select id from dag_run
      where backfill_id = any(${ids}::text[]::bigint[]) and state = any(${states})`;
    const dagRunIds = runs.map((run) => run.id);
    const { stop } = await cancelRunsIn(tx, dagRunIds, { now, by });
    return { dagRunIds, stop };
  });
}

/** Mark backfills all of whose dates are settled and whose runs ended; how many there were. */
export async function completeBackfills(sql: Sql, now: Date): Promise<number> {
  const ended = await sql`
    update backfill b set completed_at = ${now}, updated_at = ${now}, end_reason = case
      when exists (select from backfill_dag_run e
        where e.backfill_id = b.id and e.exception_reason = 'upstream failed')
      then 'upstream_failed' else 'completed' end
    where b.completed_at is null and b.kind = 'dates'
      and not exists (select from backfill_dag_run e
        where e.backfill_id = b.id and e.dag_run_id is null and e.exception_reason is null)
      and not exists (select from dag_run r
        where r.backfill_id = b.id and r.state in ('queued', 'running'))
    returning 1`;
  return ended.length;
}

/** Is a backfill under way that is not paused? */
export async function isBusy(sql: Sql): Promise<boolean> {
  const [{ busy }] = await sql<{ busy: boolean }[]>`
    select exists (select from backfill where completed_at is null and not is_paused) as busy`;
  return busy;
}
