/** @module Task instances asked to end: by a person, a clear, or the scheduler itself. */
import type { TransactionSql } from "postgres";
import { dropTriggersOf } from "./engine_triggers.ts";

/** Waiting and queued → cancelled at once; running → cancelling, until its process is gone. */
export async function cancel(
  tx: TransactionSql,
  ids: string[],
  now: Date,
  by: string,
  clear: boolean,
) {
  const moved = await tx<
    { id: string; dagRunId: string; attemptId: string | null; state: string }[]
  >`
    with locked as (
      select id, state from task_instance
      where id = any(${ids}::uuid[]) and state in
        ('none', 'scheduled', 'queued', 'running', 'up_for_retry', 'up_for_reschedule',
          'deferred', 'awaiting_input')
      order by id for update
    )
    update task_instance t set
      state = case when locked.state = 'running' then 'cancelling' else 'cancelled' end,
      clear_requested = ${clear} and locked.state = 'running', cancel_to = null,
      end_date = case when locked.state = 'running' then null else ${now}::timestamptz end
    from locked where t.id = locked.id
    returning t.id, t.dag_run_id as "dagRunId", t.attempt_id as "attemptId", t.state`;
  await dropTriggersOf(tx, moved.map((row) => row.id));
  const evidence = JSON.stringify({ by });
  await tx`
    update attempt set state = 'cancelling', evidence = ${evidence}::text::jsonb
    where id = any(${attempts(moved, "cancelling")}::uuid[]) and state = 'running'`;
  await tx`
    update attempt set state = 'ended', end_reason = 'cancelled', end_date = ${now},
      evidence = ${evidence}::text::jsonb
    where id = any(${attempts(moved, "cancelled")}::uuid[]) and state = 'queued'`;
  return {
    dagRunIds: [...new Set(moved.map((row) => row.dagRunId))],
    taskInstanceIds: moved.map((row) => row.id),
    stop: attempts(moved, "cancelling"),
  };
}

function attempts(moved: readonly { attemptId: string | null; state: string }[], state: string) {
  return moved.filter((row) => row.state === state && row.attemptId).map((row) => row.attemptId!);
}
