/** @module Doing bulk jobs: so many items a transaction, which holds the job, so that each is done once. */
import type { Sql, TransactionSql } from "postgres";
import type { Ids } from "../base/ids.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import { isOtherProduct, type Product, type RanOn, whyOtherProduct } from "../model/product.ts";
import { deadlinesOf } from "../timetable/mod.ts";
import type { BulkAction, BulkRunPlan } from "./bulk.ts";
import { clearRuns, isOnLatest } from "./clear_runs.ts";
import { cancelRunsIn } from "./engine_run.ts";
import { rows } from "./engine_rows.ts";
import { insertRuns } from "./engine_tick.ts";
import type { HintBus } from "./hints.ts";
import type { NewRun } from "./port.ts";
import { retryTransaction } from "./retry.ts";

/** Items of one transaction. */
const BATCH = 1_000;

interface Job {
  id: string;
  action: BulkAction;
  request: { only_failed?: boolean; run_on_latest_version?: boolean; force?: boolean };
  dagVersionId: string | null;
  by: string;
}

interface Item {
  ordinal: number;
  dagId: string;
  runId: string | null;
  dagRunId: string | null;
  plan: Stored | null;
}

/** A {@link BulkRunPlan} as JSON has it. */
type Stored = Omit<BulkRunPlan, "logicalDate" | "interval" | "runAfter"> & {
  logicalDate: string | null;
  interval: { start: string; end: string } | null;
  runAfter: string;
};

interface Worked {
  items: { ordinal: number; dagRunId?: string | null; reason: string | null }[];
  runs: string[];
  dags: string[];
  /** Attempts that workers must stop. */
  stop: string[];
}

/** Do the next items of one job, or of each that is open; how many items there were. */
export async function workBulk(
  { sql, ids, hints, product }: { sql: Sql; ids: Ids; hints: HintBus; product: Product },
  { id }: { id?: number },
  now: Date,
): Promise<number> {
  const open = await sql<{ id: string }[]>`
    select id::text from bulk_job
    where completed_at is null ${id === undefined ? sql`` : sql`and id = ${id}`} order by id`;
  let done = 0;
  for (const job of open) {
    const { items, runs, dags, stop } = await retryTransaction(() =>
      workOne({ sql, ids, product }, job.id, now)
    );
    done += items.length;
    if (stop.length > 0) hints.publish({ topic: "cancel", ids: stop });
    if (runs.length > 0) hints.publish({ topic: "runs", ids: runs });
    if (dags.length > 0) hints.publish({ topic: "dags", ids: dags });
  }
  return done;
}

async function workOne(
  { sql, ids, product }: { sql: Sql; ids: Ids; product: Product },
  id: string,
  now: Date,
): Promise<Worked> {
  return await sql.begin(async (tx) => {
    const nothing: Worked = { items: [], runs: [], dags: [], stop: [] };
    const [job] = await tx<Job[]>`
      select id::text, action, request, dag_version_id as "dagVersionId",
        coalesce(triggering_user_name, '') as by
      from bulk_job where id = ${id} and completed_at is null for update skip locked`;
    if (!job) return nothing;
    const items = await tx<Item[]>`
      select ordinal, dag_id as "dagId", run_id as "runId", dag_run_id as "dagRunId", plan
      from bulk_item where bulk_id = ${id} and state = 'planned'
      order by ordinal limit ${BATCH}`;
    const worked = items.length === 0
      ? nothing
      : await doers[job.action](tx, job, { items, ids, product }, now);
    await tx`
      update bulk_item i set dag_run_id = coalesce(w."dagRunId", i.dag_run_id), reason = w.reason,
        state = case when w.reason is null then 'done' else 'refused' end
      from jsonb_to_recordset(${rows(worked.items)}::text::jsonb)
        as w(ordinal int, "dagRunId" uuid, reason text)
      where i.bulk_id = ${id} and i.ordinal = w.ordinal`;
    await tx`
      update bulk_job b set updated_at = ${now}, completed_at = case when not exists (
        select from bulk_item i where i.bulk_id = b.id and i.state = 'planned')
        then ${now}::timestamptz end
      where id = ${id}`;
    return worked;
  });
}

type Doer = (
  tx: TransactionSql,
  job: Job,
  given: { items: readonly Item[]; ids: Ids; product: Product },
  now: Date,
) => Promise<Worked>;

const doers: Readonly<Record<BulkAction, Doer>> = {
  trigger,
  cancel,
  clear,
  pause: (tx, _job, { items }) => setPaused(tx, items, true),
  unpause: (tx, _job, { items }) => setPaused(tx, items, false),
};

async function trigger(...[tx, job, { items, ids }, now]: Parameters<Doer>): Promise<Worked> {
  const [{ spec }] = await tx<{ spec: DagSpec }[]>`
    select spec from dag_version where id = ${job.dagVersionId}`;
  const planned = items.map((item) => ({
    item,
    run: runOf(item.plan!, { spec, dagVersionId: job.dagVersionId!, ids, now }),
  }));
  const made = new Set(await insertRuns(tx, planned.map(({ run }) => run), now, "rest_api"));
  const notes = planned.filter(({ run }) => made.has(run.id))
    .map(({ item, run }) => ({ id: run.id, note: item.plan!.note }));
  await tx`
    update dag_run r set triggering_user_name = ${job.by}, note = n.note
    from jsonb_to_recordset(${rows(notes)}::text::jsonb) as n(id uuid, note text)
    where r.id = n.id`;
  return {
    items: planned.map(({ item: { ordinal }, run }) =>
      made.has(run.id)
        ? { ordinal, dagRunId: run.id, reason: null }
        : { ordinal, reason: "a run of that id or logical date exists" }
    ),
    runs: [...made],
    ...{ dags: [], stop: [] },
  };
}

function runOf(
  plan: Stored,
  { spec, dagVersionId, ids, now }: { spec: DagSpec; dagVersionId: string; ids: Ids; now: Date },
): NewRun {
  const trace = ids.uuid().replaceAll("-", "");
  const span = ids.uuid().replaceAll("-", "").slice(16);
  const { interval } = plan;
  const logicalDate = plan.logicalDate === null ? null : new Date(plan.logicalDate);
  const runAfter = new Date(plan.runAfter);
  return {
    ...deadlinesOf(spec, { logicalDate, runAfter }, { now, newId: () => ids.uuid() }),
    id: ids.uuid(),
    dagId: spec.dagId,
    runId: plan.runId,
    runType: "manual",
    logicalDate,
    dataIntervalStart: interval && new Date(interval.start),
    dataIntervalEnd: interval && new Date(interval.end),
    runAfter,
    conf: plan.conf,
    dagVersionId,
    backfillId: null,
    traceParent: `00-${trace}-${span}-01`,
    tasks: spec.tasks.map(({ taskId, retry }) => ({
      id: ids.uuid(),
      taskId,
      maxTries: retry.retries,
    })),
  };
}

async function cancel(...[tx, job, { items }, now]: Parameters<Doer>): Promise<Worked> {
  // A scheduler's pass locks runs in an order of its own: it must not be under way.
  await tx`select 1 from leader_lease where name = 'scheduler' for update`;
  const states = await statesOf(tx, items);
  const isOpen = (item: Item) => ["queued", "running"].includes(states.get(item.dagRunId!) ?? "");
  const open = items.filter(isOpen).map((item) => item.dagRunId!);
  const { stop } = await cancelRunsIn(tx, open, { now, by: job.by });
  return {
    items: items.map((item) => outcome(item, states, isOpen(item))),
    runs: open,
    stop,
    dags: [],
  };
}

async function clear(...[tx, { request }, { items, product }, now]: Parameters<Doer>) {
  const wanted = items.map((item) => item.dagRunId!);
  const onLatest = request.run_on_latest_version ?? null;
  const locked = await tx<({ id: string; isOnLatest: boolean } & RanOn)[]>`
    select r.id, r.product_version as "productVersion", r.image,
      ${isOnLatest(tx, onLatest)} as "isOnLatest"
    from dag_run r join dag d on d.dag_id = r.dag_id
    where r.id = any(${wanted}::uuid[]) and state in ('success', 'failed')
    order by r.id for no key update of r skip locked`;
  const isPinned = (run: { isOnLatest: boolean }) => !run.isOnLatest && !request.force;
  const others = new Map(
    locked.filter((run) => isPinned(run) && isOtherProduct(run, product))
      .map((run) => [run.id, run]),
  );
  const ids = locked.map((run) => run.id).filter((id) => !others.has(id));
  const isFree = new Set(ids);
  const states = await statesOf(tx, items);
  const how = {
    onLatest,
    onlyFailed: request.only_failed ?? false,
  };
  await clearRuns(tx, ids, how, now);
  return {
    items: items.map((item) => {
      const other = others.get(item.dagRunId!);
      if (!other) return outcome(item, states, isFree.has(item.dagRunId!));
      return { ordinal: item.ordinal, reason: whyOtherProduct(other, product) };
    }),
    runs: ids,
    ...{ dags: [], stop: [] },
  };
}

async function statesOf(tx: TransactionSql, items: readonly Item[]): Promise<Map<string, string>> {
  const found = await tx<{ id: string; state: string }[]>`
    select id, state from dag_run where id = any(${items.map((item) => item.dagRunId!)}::uuid[])`;
  return new Map(found.map((run) => [run.id, run.state]));
}

function outcome({ ordinal, dagRunId }: Item, states: Map<string, string>, took: boolean) {
  const state = states.get(dagRunId!);
  return { ordinal, reason: took ? null : state ? `it is ${state}` : "it is gone" };
}

async function setPaused(
  tx: TransactionSql,
  items: readonly Item[],
  isPaused: boolean,
): Promise<Worked> {
  const wanted = items.map((item) => item.dagId);
  const changed = await tx<{ id: string }[]>`
    update dag set is_paused = ${isPaused}, pause_reason = null
    where dag_id = any(${wanted}) returning dag_id as id`;
  const done = new Set(changed.map((dag) => dag.id));
  return {
    items: items.map(({ ordinal, dagId }) => ({
      ordinal,
      reason: done.has(dagId) ? null : "it is gone",
    })),
    dags: [...done],
    ...{ runs: [], stop: [] },
  };
}

/** Is a job open? */
export async function isBulkOpen(sql: Sql): Promise<boolean> {
  const [{ open }] = await sql<{ open: boolean }[]>`
    select exists (select from bulk_job where completed_at is null) as open`;
  return open;
}
