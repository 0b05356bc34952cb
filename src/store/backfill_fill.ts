/** @module The runs of a backfill's planned dates on PostgreSQL: as many as there is room for. */
import type { Sql, TransactionSql } from "postgres";
import { limits } from "../base/limits.ts";
import type { Ids } from "../base/ids.ts";
import { type BackfillException, fateOf, type ReprocessBehavior } from "../model/backfill.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import { isOtherProduct, type Product } from "../model/product.ts";
import type { RunState } from "../model/run_state.ts";
import { intervalOf } from "../timetable/mod.ts";
import type { Filled } from "./backfill_port.ts";
import { hasBadNeed, hasOpenNeed } from "./backfill_needs.ts";
import { clearRuns } from "./clear_runs.ts";
import { newBackfillRun } from "./backfill_run.ts";
import { insertRuns } from "./engine_tick.ts";
import { rows } from "./engine_rows.ts";
import type { NewRun } from "./port.ts";

interface Due {
  id: string;
  dagId: string;
  dagRunConf: Record<string, unknown>;
  reprocess: ReprocessBehavior;
  onLatest: boolean;
  force: boolean;
  versionId: string;
  spec: DagSpec;
}

interface Pending {
  entryId: string;
  logicalDate: Date;
  intervalStart: Date | null;
  intervalEnd: Date | null;
  runAfter: Date | null;
  ordinal: number;
  isRerun: boolean;
}

interface Existing {
  id: string;
  state: RunState;
  logicalDate: Date;
  productVersion: string | null;
  image: string | null;
  isLocked: boolean;
}

interface Settled {
  entryId: string;
  dagRunId: string | null;
  reason: BackfillException | null;
}

/** Backfills with dates to settle, oldest first. */
export async function dueBackfills(sql: Sql, id: string | undefined): Promise<string[]> {
  const found = await sql<{ id: string }[]>`
    select b.id::text from backfill b
    where b.completed_at is null and not b.is_paused and b.kind = 'dates'
      ${id === undefined ? sql`` : sql`and b.id = ${id}`}
      and exists (select from backfill_dag_run e
        where e.backfill_id = b.id and e.dag_run_id is null and e.exception_reason is null)
    order by b.id`;
  return found.map((one) => one.id);
}

/**
 * Settle the next dates of one backfill, in one transaction that holds its row: a cancel comes before
 * or after, and of two at once one does it.
 */
export async function fillBackfill(
  { sql, ids, product }: { sql: Sql; ids: Ids; product?: Product },
  id: string,
  now: Date,
): Promise<Filled & { dagRunIds: string[] }> {
  return await sql.begin(async (tx) => {
    const nothing = { settled: 0, runs: 0, dagRunIds: [] };
    const [due] = await tx<Due[]>`
      select b.id::text, b.dag_id as "dagId", b.dag_run_conf as "dagRunConf",
        b.reprocess_behavior as reprocess, b.run_on_latest_version as "onLatest", b.force,
        v.id as "versionId", v.spec
      from backfill b join dag d on d.dag_id = b.dag_id
      join dag_version v on v.id = d.dag_version_id
      where b.id = ${id} and b.completed_at is null and not b.is_paused
      for no key update of b skip locked`;
    if (!due) return nothing;
    const [{ queued }] = await tx<{ queued: number }[]>`
      select count(*)::int as queued from dag_run where backfill_id = ${id} and state = 'queued'`;
    const room = limits.backfillQueued - queued;
    if (room <= 0) return nothing;
    const pending = await tx<Pending[]>`
      select id::text as "entryId", logical_date as "logicalDate",
        interval_start as "intervalStart", interval_end as "intervalEnd",
        run_after as "runAfter", sort_ordinal as ordinal, is_rerun as "isRerun"
      from backfill_dag_run e
      where backfill_id = ${id} and dag_run_id is null and exception_reason is null
        and not ${hasOpenNeed(tx)} and not ${hasBadNeed(tx)}
      order by sort_ordinal limit ${room}`;
    const settled = await settleAll(tx, { ids, product }, { due, pending }, now);
    await tx`
      update backfill_dag_run e set dag_run_id = s."dagRunId", exception_reason = s.reason
      from jsonb_to_recordset(${rows(settled)}::text::jsonb)
        as s("entryId" bigint, "dagRunId" uuid, reason text)
      where e.id = s."entryId"`;
    const dagRunIds = settled.filter((each) => each.reason === null).map((each) => each.dagRunId!);
    return { settled: settled.length, runs: dagRunIds.length, dagRunIds };
  });
}

async function settleAll(
  tx: TransactionSql,
  { ids, product }: { ids: Ids; product?: Product },
  { due, pending }: { due: Due; pending: readonly Pending[] },
  now: Date,
): Promise<Settled[]> {
  const isPinned = product !== undefined && !due.onLatest && !due.force;
  const existing = await runsOf(tx, due.dagId, pending);
  const settled: Settled[] = [];
  const created: { entry: Pending; run: NewRun }[] = [];
  const again: { entry: Pending; dagRunId: string }[] = [];
  for (const entry of pending) {
    const run = existing.get(entry.logicalDate.getTime());
    const fate = fateOf(run, {
      reprocess: due.reprocess,
      isRerun: entry.isRerun,
      isOtherProduct: isPinned && run !== undefined && isOtherProduct(run, product),
    });
    if (fate === "create") created.push({ entry, run: runOf(due, entry, { ids, now }) });
    else if (fate === "again" && run!.isLocked) again.push({ entry, dagRunId: run!.id });
    else {
      // One that somebody clears this very moment is on its way already.
      const reason = fate === "again" ? "in flight" : fate;
      settled.push({ entryId: entry.entryId, dagRunId: run!.id, reason });
    }
  }
  settled.push(...await create(tx, created, now));
  await runAgain(tx, due, again, now);
  for (const { entry, dagRunId } of again) {
    settled.push({ entryId: entry.entryId, dagRunId, reason: null });
  }
  return settled;
}

/**
 * The runs of these dates; of finished ones the rows are held. A scheduler's pass ends runs first and
 * their backfill next, so a row of an unfinished run must not be waited for here.
 */
async function runsOf(tx: TransactionSql, dagId: string, pending: readonly Pending[]) {
  const dates = pending.map((entry) => entry.logicalDate.toISOString());
  const found = await tx<Omit<Existing, "isLocked">[]>`
    select id, state, logical_date as "logicalDate", product_version as "productVersion", image
    from dag_run
    where dag_id = ${dagId} and logical_date = any(${dates}::text[]::timestamptz[])`;
  const finished = found.filter(({ state }) => state === "success" || state === "failed");
  const locked = await tx<{ id: string }[]>`
    select id from dag_run
    where id = any(${finished.map((run) => run.id)}::uuid[]) and state in ('success', 'failed')
    order by id for no key update skip locked`;
  const isLocked = new Set(locked.map((run) => run.id));
  return new Map(
    found.map((run) => [run.logicalDate.getTime(), { ...run, isLocked: isLocked.has(run.id) }]),
  );
}

function runOf(due: Due, entry: Pending, { ids, now }: { ids: Ids; now: Date }): NewRun {
  const interval = entry.intervalStart && entry.intervalEnd
    ? { start: entry.intervalStart, end: entry.intervalEnd }
    : intervalOf(due.spec, entry.logicalDate);
  return newBackfillRun({
    backfillId: due.id,
    dagVersionId: due.versionId,
    spec: due.spec,
    conf: due.dagRunConf,
    date: {
      logicalDate: entry.logicalDate,
      interval,
      runAfter: entry.runAfter ?? interval.end,
    },
    ordinal: entry.ordinal,
    now,
  }, ids);
}

/** A date that another run took in between stays planned; one whose run's name is taken cannot be. */
async function create(
  tx: TransactionSql,
  planned: readonly { entry: Pending; run: NewRun }[],
  now: Date,
): Promise<Settled[]> {
  const made = new Set(
    await insertRuns(tx, planned.map(({ run }) => run), now, "backfill"),
  );
  const missing = planned.filter(({ run }) => !made.has(run.id));
  const names = missing.map(({ run }) => run.runId);
  const taken = names.length === 0 ? [] : await tx<{ runId: string }[]>`
    select run_id as "runId" from dag_run
    where dag_id = ${missing[0].run.dagId} and run_id = any(${names})`;
  const isTaken = new Set(taken.map((run) => run.runId));
  return planned.flatMap(({ entry: { entryId }, run }): Settled[] => {
    if (made.has(run.id)) return [{ entryId, dagRunId: run.id, reason: null }];
    return isTaken.has(run.runId) ? [{ entryId, dagRunId: null, reason: "unknown" }] : [];
  });
}

/** The run of the date itself runs again, as the backfill's: a date has one run. */
async function runAgain(
  tx: TransactionSql,
  due: Due,
  again: readonly { entry: Pending; dagRunId: string }[],
  now: Date,
) {
  if (again.length === 0) return;
  const given = again.map(({ entry, dagRunId }) => ({ id: dagRunId, ordinal: entry.ordinal }));
  const conf = Object.keys(due.dagRunConf).length > 0 ? JSON.stringify(due.dagRunConf) : null;
  await tx`
    update dag_run r set run_type = 'backfill', triggered_by = 'backfill', backfill_id = ${due.id},
      backfill_ordinal = g.ordinal, conf = coalesce(${conf}::text::jsonb, r.conf)
    from jsonb_to_recordset(${rows(given)}::text::jsonb) as g(id uuid, ordinal int)
    where r.id = g.id`;
  const ids = again.map(({ dagRunId }) => dagRunId);
  await clearRuns(tx, ids, { onLatest: due.onLatest, onlyFailed: false }, now);
}
