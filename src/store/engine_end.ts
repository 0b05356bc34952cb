/**
 * @module Endings of attempts, fenced one by one, with all that a success publishes.
 *
 * Plain endings of a batch go in one statement and one commit. One with effects gets a transaction
 * of its own, in which the dataset versions are written only if the fence held.
 */
import type { Sql, TransactionSql } from "postgres";
import type { Ids } from "../base/ids.ts";
import { limits } from "../base/limits.ts";
import { parkedTaskStates, type TaskState } from "../model/task_state.ts";
import { park } from "./engine_triggers.ts";
import { judgeByBudget, useBudget } from "./engine_budget.ts";
import { writeEffects } from "./engine_effects.ts";
import { tellOfTasks } from "./engine_outbox.ts";
import { rows } from "./engine_rows.ts";
import type { AttemptEnding, EndingResult } from "./port.ts";

/** What the fenced statement says of one attempt. */
interface Fenced {
  attempt: string;
  dagRunId: string;
  taskInstanceId: string;
  attemptState: string;
  endReason: string | null;
  isCurrent: boolean;
  from: TaskState;
  to: TaskState | null;
}

/** In the order of `endings`. */
export async function endAttempts(
  sql: Sql,
  ids: Ids,
  endings: AttemptEnding[],
  now: Date,
): Promise<EndingResult[]> {
  const plain = new Map<string, { ending: AttemptEnding; index: number }>();
  endings.forEach((ending, index) => {
    if (!isAlone(ending) && !plain.has(ending.attemptId)) {
      plain.set(ending.attemptId, { ending, index });
    }
  });
  const results: EndingResult[] = [];
  const batch = [...plain.values()];
  if (batch.length > 0) {
    const fenced = byAttempt(await endPlain(sql, ids, batch.map(({ ending }) => ending), now));
    for (const { ending, index } of batch) results[index] = resultOf(ending, fenced);
  }
  for (const [index, ending] of endings.entries()) {
    // Also a second word on an attempt of the batch: it must meet what the first has left.
    results[index] ??= await endAlone(sql, ids, ending, now);
  }
  return results;
}

/** Does it need a transaction of its own? A failure with a budget does, a success without effects not. */
function isAlone(ending: AttemptEnding): boolean {
  return hasEffects(ending) || ending.parked !== undefined ||
    ending.result === "retry" && ending.retryBudget !== undefined;
}

function hasEffects({ effects, result }: AttemptEnding): boolean {
  return effects !== null && result === "succeed" && Object.keys(effects).length > 0;
}

async function endAlone(sql: Sql, ids: Ids, given: AttemptEnding, now: Date) {
  return await sql.begin(async (tx) => {
    const budgeted = await judgeByBudget(tx, given, now);
    const { ending } = budgeted;
    const result = resultOf(ending, byAttempt(await endPlain(tx, ids, [ending], now)));
    await useBudget(tx, budgeted, result, now);
    if (
      hasEffects(ending) && result.result === "ok" && result.state === "success" && !result.byHand
    ) {
      const waitingDags = await writeEffects(tx, ids, ending, now);
      const datasets = (ending.effects?.publish ?? []).map(({ dataset }) => dataset);
      return {
        ...result,
        ...(waitingDags.length > 0 ? { waitingDags } : {}),
        ...(datasets.length > 0 ? { datasets } : {}),
      };
    }
    if (result.result === "ok" && parkedTaskStates.has(result.state)) await park(tx, ending, now);
    return result;
  });
}

const byAttempt = (fenced: Fenced[]) => new Map(fenced.map((row) => [row.attempt, row]));

function resultOf(ending: AttemptEnding, fenced: Map<string, Fenced>): EndingResult {
  const row = fenced.get(ending.attemptId);
  if (!row || !row.isCurrent) return { result: "gone" };
  const place = { dagRunId: row.dagRunId, taskInstanceId: row.taskInstanceId };
  if (row.to !== null) {
    const byHand = row.from === "cancelling" ? { byHand: true } as const : {};
    return { result: "ok", ...place, state: row.to, ...byHand };
  }
  if (row.attemptState !== "ended") return { result: "not_running" };
  if (row.endReason !== ending.endReason) return { result: "gone" };
  return { result: "repeat", ...place, state: row.from };
}

/** One statement: lock, decide the new state from the locked row, write instance, attempt, output. */
async function endPlain(
  sql: Sql | TransactionSql,
  ids: Ids,
  endings: AttemptEnding[],
  now: Date,
): Promise<Fenced[]> {
  const isHeard = endings.some((ending) => ending.isHeard !== false);
  const given = endings.map((e) => ({
    attempt: e.attemptId,
    reason: e.endReason,
    evidence: e.evidence,
    at: e.endDate,
    result: e.result,
    next_try_at: e.nextTryAt,
    output: e.output ?? null,
    output_key: e.outputKey,
    output_length: e.outputLength,
    chosen: e.chosen,
    label: e.renderedMapIndex,
    rss: e.rssBytesMax,
    cpu: e.cpuMs,
    event_id: e.isHeard === false ? null : ids.uuid(),
    resumption: e.parked?.timeout,
  }));
  return await sql<Fenced[]>`
    with ending as (
      select * from jsonb_to_recordset(${rows(given)}::text::jsonb) as e(attempt uuid, reason text,
        evidence jsonb, at timestamptz, result text, next_try_at timestamptz, output jsonb,
        output_key text, output_length int, chosen jsonb, rss bigint, cpu float8, event_id uuid, label text,
        resumption jsonb)
    ), found as (
      select e.*, t.id as ti, t.dag_run_id, t.state as from_state, t.attempt_id = a.id as is_current,
        a.state as attempt_state, a.end_reason,
        case
          when t.attempt_id <> a.id or a.state not in ('running', 'cancelling')
            and not (a.state = 'queued' and e.result = 'lose') then null
          when t.state = 'cancelling' and t.clear_requested then 'none'
          when t.state = 'cancelling' then coalesce(t.cancel_to, 'cancelled')
          when t.state not in ('running', 'queued') then null
          when e.result = 'succeed' then 'success'
          when e.result = 'skip' then 'skipped'
          when e.result = 'reschedule' then 'up_for_reschedule'
          when e.result = 'defer' then 'deferred'
          when e.result = 'ask' then 'awaiting_input'
          when e.result = 'retry' and t.try_number <= t.max_tries then 'up_for_retry'
          when e.result = 'lose' and t.infra_losses < ${limits.infraLossesMax} then 'scheduled'
          else 'failed' end as to_state
      from ending e
      join attempt a on a.id = e.attempt
      join task_instance t on t.id = a.task_instance_id
      order by t.id
      for update of t
    ), moved as (
      update task_instance t set
        state = f.to_state,
        end_date = case when f.to_state in ('success', 'failed', 'skipped', 'cancelled') then f.at end,
        next_try_at = case
          when f.to_state in ('up_for_retry', 'up_for_reschedule', 'deferred', 'awaiting_input')
          then f.next_try_at end,
        try_number = t.try_number - case
          when f.to_state in ('scheduled', 'up_for_reschedule', 'deferred', 'awaiting_input')
          then 1 else 0 end,
        -- What was lost goes on from where it did; what is parked, when its time is up.
        resumption = case when f.to_state = 'scheduled' then t.resumption else f.resumption end,
        infra_losses = t.infra_losses + case when f.to_state = 'scheduled' then 1 else 0 end,
        output_length = case
          when f.to_state = 'success' and f.from_state <> 'cancelling' then f.output_length end,
        chosen = case
          when f.to_state = 'success' and f.from_state <> 'cancelling' then f.chosen end,
        rendered_map_index = coalesce(f.label, t.rendered_map_index),
        clear_requested = false, cancel_to = null
      from found f where t.id = f.ti and f.to_state is not null
    ), ended as (
      update attempt a set state = 'ended', end_date = f.at, evidence = a.evidence || f.evidence,
        end_reason = case
          when f.to_state = 'cancelled' then 'cancelled'
          when f.to_state = 'none' then 'cleared'
          when f.from_state = 'cancelling' then 'set_by_hand'
          else f.reason end,
        rss_bytes_max = f.rss, cpu_ms = f.cpu
      from found f where a.id = f.attempt and f.to_state is not null
    ), kept as (
      insert into task_output (task_instance_id, output, output_key)
      select ti, output, output_key from found
      where to_state = 'success' and from_state <> 'cancelling'
        and (output is not null or output_key is not null)
      on conflict (task_instance_id) do update
        set output = excluded.output, output_key = excluded.output_key
    ) ${isHeard ? sql`, ${tellOfTasks(sql, heardEndings(sql), now)}` : sql``}
    select attempt, dag_run_id as "dagRunId", ti as "taskInstanceId",
      attempt_state as "attemptState", end_reason as "endReason", is_current as "isCurrent",
      from_state as "from", to_state as "to"
    from found`;
}

/** Endings that took effect and whose task may have callbacks, as `f`. */
function heardEndings(sql: Sql | TransactionSql) {
  return sql`(
    select ti, to_state, event_id, at, next_try_at,
      case
        when to_state = 'cancelled' then 'cancelled'
        when from_state = 'cancelling' then 'set_by_hand'
        else reason end as end_reason,
      evidence ->> 'message' as message
    from found where to_state is not null and event_id is not null) f`;
}
