/** @module The writes of one scheduler pass, under the leader's lease. */
import type { Sql, TransactionSql } from "postgres";
import { AppError } from "../model/errors.ts";
import type { Product } from "../model/product.ts";
import { besideTask, split, taskDates, withDates } from "./engine_claim.ts";
import { insertDeadlines, moveDeadlines, settleDeadlines } from "./engine_deadlines.ts";
import { recordRunEnds, takeEvents } from "./engine_events.ts";
import { tellOfRuns, tellOfTasks } from "./engine_outbox.ts";
import { rows, taskColumns } from "./engine_rows.ts";
import { cancelAttempts, fences, inFenced, pauseFailing, type Stopped } from "./engine_stop.ts";
import type { Claimed, NewRun, TaskExpansion, TickResult, TickWrites } from "./port.ts";

/**
 * All or nothing; throws LEASE_LOST when `epoch` is no longer the lease's. `stopped`: runs with
 * instances that were cancelled, and attempts that workers must stop.
 */
export async function applyTick(
  sql: Sql,
  epoch: number,
  writes: TickWrites,
  now: Date,
  product: Product | null = null,
): Promise<TickResult & { stopped?: Stopped }> {
  const failing = writes.runMoves.filter((move) => move.pauseAfter !== undefined);
  const awaited = writes.runMoves.filter((move) => move.awaited !== undefined);
  const plain = writes.newRuns.length === 0 && writes.expansions.length === 0 &&
    !writes.cancels && failing.length === 0 && awaited.length === 0;
  if (plain) {
    return { ...await applyMoves(sql, epoch, writes, now, product), newRuns: [], expansions: [] };
  }
  return await sql.begin(async (tx) => {
    await requireLease(tx, epoch);
    const newRuns = await insertRuns(tx, writes.newRuns, now, "scheduler");
    const expansions = await expand(tx, writes.expansions);
    const moves = await applyMoves(tx, epoch, writes, now, product);
    const stopped = writes.cancels ? await cancelAttempts(tx, writes, now) : undefined;
    const ended = failing.filter(({ id }) => moves.runMoves.includes(id));
    const pausedDags = await pauseFailing(tx, ended, now);
    const waitingDags = await recordRunEnds(
      tx,
      awaited.filter(({ id }) => moves.runMoves.includes(id)).map((move) => move.awaited!),
      now,
    );
    return {
      ...moves,
      newRuns,
      expansions,
      ...(stopped ? { cancels: stopped.cancels, stopped } : {}),
      ...(pausedDags.length > 0 ? { pausedDags } : {}),
      ...(waitingDags.length > 0 ? { waitingDags } : {}),
    };
  });
}

async function requireLease(sql: TransactionSql, epoch: number) {
  const held = await sql`
    select 1 from leader_lease where name = 'scheduler' and epoch = ${epoch} for update`;
  if (held.length === 0) throw leaseLost(epoch);
}

function leaseLost(epoch: number) {
  return new AppError(
    "LEASE_LOST",
    `Cannot write as the scheduler with epoch ${epoch}: another holds the lease`,
  );
}

/**
 * Every move in one statement, so that a pass is one round trip and one commit. What a pass has no
 * rows for is left out: most have task moves only.
 */
async function applyMoves(
  sql: Sql | TransactionSql,
  epoch: number,
  writes: TickWrites,
  now: Date,
  product: Product | null,
) {
  const parts = [taskMoves(sql, writes.taskMoves, now, writes.fences !== undefined)];
  if (writes.fences) parts.unshift(fences(sql, writes.fences));
  if (writes.runMoves.length > 0) parts.push(runMoves(sql, writes.runMoves, now, product));
  if (writes.nextRuns.length > 0) parts.push(nextRuns(sql, writes.nextRuns));
  const heard = writes.runMoves.filter((move) => move.event);
  if (heard.length > 0) parts.push(tellOfRuns(sql, heard, now));
  if (writes.taskMoves.some((move) => move.eventId)) {
    parts.push(tellOfTasks(sql, heardMoves(sql, now), now));
  }
  if (writes.runMoves.some((move) => move.hasDeadlines)) parts.push(...moveDeadlines(sql, now));
  const { deadlines: due } = writes;
  if (due) parts.push(...settleDeadlines(sql, due, { now, isMoving: writes.runMoves.length > 0 }));
  const isStarting = writes.taskMoves.some((move) => move.start);
  const changed = await sql<Changed[]>`
    with lease as (
      select drain_at is not null as is_draining from leader_lease
      where name = 'scheduler' and epoch = ${epoch} for update
    ) ${parts.flatMap((part) => [sql`, `, part])}
    select 'lease' as kind, null::uuid as id,
      case when is_draining then '{}'::json end as started from lease
    union all ${isStarting ? movedAndStarted(sql) : sql`select 'task', id, null from moved`}
    ${writes.runMoves.length > 0 ? sql`union all select 'run', id, null from run_moved` : sql``}
    ${due ? sql`union all select 'miss', id, null from settled where missed` : sql``}`;
  const lease = changed.find((row) => row.kind === "lease");
  if (!lease) throw leaseLost(epoch);
  const missed = changed.filter((row) => row.kind === "miss").map((row) => row.id!);
  return {
    ...(missed.length > 0 ? { missed } : {}),
    ...(lease.started ? { isDraining: true } : {}),
    taskMoves: changed.filter((row) => row.kind === "task").map((row) => row.id!),
    runMoves: changed.filter((row) => row.kind === "run").map((row) => row.id!),
    started: isStarting ? startedOf(changed, writes, now) : [],
  };
}

interface Changed {
  kind: "lease" | "task" | "run" | "miss";
  id: string | null;
  started: Record<string, unknown> | null;
}

/** Moved instances, with all that a claim would have brought where an attempt has started. */
function movedAndStarted(sql: Sql | TransactionSql) {
  return sql`
    select 'task', t.id, case when a.state = 'running' then (
      select row_to_json(x) from (select ${taskColumns(sql)}, ${besideTask(sql)}) x) end
    from moved t
    left join attempts a on a.id = t.attempt
    left join dag_run r on r.id = t.dag_run_id`;
}

/** In the order of the moves. The statement sees runs as they were before it. */
function startedOf(changed: readonly Changed[], writes: TickWrites, now: Date): Claimed[] {
  const isRunMoved = new Set(changed.filter((row) => row.kind === "run").map((row) => row.id));
  const states = new Map(writes.runMoves.map((move) => [move.id, move.to]));
  const found = new Map(changed.map((row) => [row.id, row.started]));
  return writes.taskMoves.flatMap(({ id }) => {
    const row = found.get(id);
    if (!row) return [];
    const claimed = split(withDates(row, taskDates));
    const { run } = claimed;
    if (isRunMoved.has(run.id)) {
      run.state = states.get(run.id)!;
      run.startDate ??= now;
    }
    return [claimed];
  });
}

function taskMoves(
  sql: Sql | TransactionSql,
  moves: TickWrites["taskMoves"],
  now: Date,
  isFenced: boolean,
) {
  const given = moves.map(({ id, from, to, note, queue, start, eventId }) => ({
    id,
    from,
    to,
    note,
    attempt: queue?.attemptId,
    try_number: queue?.tryNumber,
    queue: queue?.queue,
    pool: queue?.pool,
    pool_slots: queue?.poolSlots,
    priority_weight: queue?.priorityWeight,
    worker: start?.workerId,
    hostname: start?.hostname,
    pid: start?.pid,
    event_id: eventId,
  }));
  return sql`
    moved as (
      update task_instance t set
        state = m."to",
        attempt_id = coalesce(m.attempt, t.attempt_id),
        try_number = coalesce(m.try_number, t.try_number),
        queue = coalesce(m.queue, t.queue),
        pool = coalesce(m.pool, t.pool),
        pool_slots = coalesce(m.pool_slots, t.pool_slots),
        priority_weight = coalesce(m.priority_weight, t.priority_weight),
        note = coalesce(m.note, t.note),
        queued_at = case when m.attempt is not null then ${now} else t.queued_at end,
        start_date = case
          when m.worker is not null then ${now}
          when m.attempt is not null then null
          else t.start_date end,
        next_try_at = case when m.attempt is not null then null else t.next_try_at end,
        end_date = case
          when m."to" in ('success', 'failed', 'cancelled', 'skipped', 'upstream_failed', 'removed')
          then ${now} end
      from jsonb_to_recordset(${rows(given)}::text::jsonb) as m(
        id uuid, "from" text, "to" text, note text, attempt uuid, try_number int, queue text,
        pool text, pool_slots int, priority_weight int, worker text, hostname text, pid int,
        event_id uuid), lease
      where t.id = m.id and t.state = m."from" and (m.attempt is null or not lease.is_draining)
        ${isFenced ? inFenced(sql) : sql``}
      returning t.*, m.attempt, m.worker, m.hostname, m.pid, m.event_id
    ), attempts as (
      insert into attempt (id, task_instance_id, dag_run_id, try_number, state, queued_at,
        start_date, worker_id, hostname, pid)
      select attempt, id, dag_run_id, try_number,
        case when worker is null then 'queued' else 'running' end, ${now},
        case when worker is not null then ${now}::timestamptz end, worker, hostname, pid
      from moved where attempt is not null
      returning *
    )`;
}

/** Instances that ended without an attempt, as `f`. */
function heardMoves(sql: Sql | TransactionSql, now: Date) {
  return sql`(
    select id as ti, state as to_state, event_id, ${now}::timestamptz as at,
      null::timestamptz as next_try_at, null::text as end_reason, note as message
    from moved where event_id is not null) f`;
}

/** Runs' moves; the last run of a backfill completes it. A start notes what the run runs on. */
function runMoves(
  sql: Sql | TransactionSql,
  moves: TickWrites["runMoves"],
  now: Date,
  product: Product | null,
) {
  const runsOn = product === null ? sql`` : sql`
        product_version = case
          when m."to" = 'running' then ${product.version} else r.product_version end,
        image = case when m."to" = 'running' then ${product.image} else r.image end,`;
  return sql`
    run_moved as (
      update dag_run r set
        state = m."to",${runsOn}
        queued_at = case when m."to" = 'queued' then ${now} else r.queued_at end,
        start_date = case
          when m."to" = 'queued' then null
          else coalesce(r.start_date, ${now}) end,
        end_date = case when m."to" in ('success', 'failed') then ${now}::timestamptz end
      from jsonb_to_recordset(${rows(moves)}::text::jsonb)
        as m(id uuid, "from" text, "to" text, "taskMoves" int, "queuedAt" timestamptz), lease
      where r.id = m.id and r.state = m."from"
        and (m."queuedAt" is null or r.queued_at = m."queuedAt")
        and (m."taskMoves" is null
          or m."taskMoves" = (select count(*) from moved t where t.dag_run_id = r.id))
      returning r.*
    ), backfills as (
      update backfill b set completed_at = ${now}, updated_at = ${now}, end_reason = case
          when b.cascade_id is not null and exists (select from backfill_dag_run e
            where e.backfill_id = b.id and e.exception_reason = 'upstream failed')
          then 'upstream_failed' else 'completed' end
      from run_moved f
      where b.id = f.backfill_id and b.completed_at is null and f.state in ('success', 'failed')
        and not exists (
          select from dag_run o where o.backfill_id = b.id and o.state in ('queued', 'running')
            and o.id not in (select id from run_moved where state in ('success', 'failed')))
        and not exists (
          select from backfill_dag_run e where e.backfill_id = b.id
            and e.dag_run_id is null and e.exception_reason is null)
    )`;
}

function nextRuns(sql: Sql | TransactionSql, changes: TickWrites["nextRuns"]) {
  const given = changes.map(({ dagId, nextRunAt, lastInterval }) => ({
    dag_id: dagId,
    at: nextRunAt,
    last_start: lastInterval?.start,
    last_end: lastInterval?.end,
  }));
  return sql`
    due as (
      update dag d set
        next_run_at = n.at,
        last_interval_start = coalesce(n.last_start, d.last_interval_start),
        last_interval_end = coalesce(n.last_end, d.last_interval_end)
      from jsonb_to_recordset(${rows(given)}::text::jsonb)
        as n(dag_id text, at timestamptz, last_start timestamptz, last_end timestamptz), lease
      where d.dag_id = n.dag_id
    )`;
}

/** Insert runs that do not exist yet, with one instance a task; returns the ids that are new. */
export async function insertRuns(
  sql: Sql | TransactionSql,
  runs: NewRun[],
  now: Date,
  triggeredBy: string,
): Promise<string[]> {
  if (runs.length === 0) return [];
  const given = runs.map(({ tasks: _t, takes: _s, deadlines: _d, ...run }) => run);
  const inserted = await sql<{ id: string }[]>`
    insert into dag_run (id, dag_id, run_id, run_type, state, logical_date, data_interval_start,
      data_interval_end, run_after, queued_at, conf, dag_version_id, backfill_id,
      backfill_ordinal, trace_parent, partition_key, triggered_by)
    select id, "dagId", "runId", "runType", 'queued', "logicalDate", "dataIntervalStart",
      "dataIntervalEnd", "runAfter", ${now}, conf, "dagVersionId", "backfillId"::bigint,
      "backfillOrdinal", "traceParent", "partitionKey",
      case when "runType" = 'asset_triggered' then 'asset' else ${triggeredBy} end
    from jsonb_to_recordset(${rows(given)}::text::jsonb) as x(id uuid, "dagId" text, "runId" text,
      "runType" text, "logicalDate" timestamptz, "dataIntervalStart" timestamptz,
      "dataIntervalEnd" timestamptz, "runAfter" timestamptz, conf jsonb, "dagVersionId" uuid,
      "backfillId" text, "backfillOrdinal" int, "traceParent" text, "partitionKey" text)
    on conflict do nothing
    returning id`;
  const isNew = new Set(inserted.map((row) => row.id));
  const tasks = runs.filter((run) => isNew.has(run.id)).flatMap((run) =>
    run.tasks.map((task) => ({
      id: task.id,
      run: run.id,
      dag: run.dagId,
      task: task.taskId,
      max_tries: task.maxTries,
    }))
  );
  await sql`
    insert into task_instance (id, dag_run_id, dag_id, task_id, state, max_tries)
    select id, run, dag, task, 'none', max_tries
    from jsonb_to_recordset(${rows(tasks)}::text::jsonb)
      as x(id uuid, run uuid, dag text, task text, max_tries int)`;
  await insertDeadlines(sql, runs.filter((run) => isNew.has(run.id)), now);
  const empty = await takeEvents(sql, runs.filter((run) => run.takes && isNew.has(run.id)));
  for (const id of empty) isNew.delete(id);
  return [...isNew];
}

/** A task's first instance is its fence: two leaders cannot both add to what it stands for. */
async function expand(sql: TransactionSql, expansions: TaskExpansion[]): Promise<string[]> {
  if (expansions.length === 0) return [];
  const ready = await sql<{ id: string }[]>`
    with given as (
      select * from jsonb_to_recordset(${rows(expansions)}::text::jsonb)
        as e(id uuid, "mapIndex" jsonb)
    )
    update task_instance t set map_index = (given."mapIndex" ->> 'to')::int
    from given where t.id = given.id and t.map_index = (given."mapIndex" ->> 'from')::int
    returning t.id`;
  const done = new Set(ready.map((row) => row.id));
  const added = expansions.filter((e) => done.has(e.id)).flatMap((e) =>
    e.ids.map((id, i) => ({
      id,
      like: e.id,
      index: e.firstIndex + i,
      max_tries: e.maxTries,
    }))
  );
  await sql`
    insert into task_instance (id, dag_run_id, dag_id, task_id, map_index, state, max_tries)
    select x.id, t.dag_run_id, t.dag_id, t.task_id, x.index, 'none', x.max_tries
    from jsonb_to_recordset(${rows(added)}::text::jsonb)
      as x(id uuid, "like" uuid, index int, max_tries int)
    join task_instance t on t.id = x."like"
    on conflict (dag_run_id, task_id, map_index) do nothing`;
  return [...done];
}
