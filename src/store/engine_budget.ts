/** @module Retry budgets: how many retries a run, and a DAG within an hour, has left. */
import type { TransactionSql } from "postgres";
import { type BudgetUse, overBudget } from "../model/retry.ts";
import type { AttemptEnding, EndingResult } from "./port.ts";

/** An ending as its DAG's budget lets it be; `usedUp` says why, where it is no retry any more. */
export interface Budgeted {
  ending: AttemptEnding;
  usedUp: string | null;
}

/**
 * Judge a retry by its DAG's budget. Endings of one DAG take turns here until the transaction ends,
 * so that two at once cannot both take the last retry. To be called before any row is locked.
 */
export async function judgeByBudget(
  tx: TransactionSql,
  ending: AttemptEnding,
  now: Date,
): Promise<Budgeted> {
  const { retryBudget, attemptId } = ending;
  if (!retryBudget || ending.result !== "retry") return { ending, usedUp: null };
  await tx`
    select pg_advisory_xact_lock(hashtext('retry_budget'), hashtext(t.dag_id))
    from attempt a join task_instance t on t.id = a.task_instance_id where a.id = ${attemptId}`;
  const [use] = await tx<BudgetUse[]>`
    select
      (select count(*)::int from retry_use u
        where u.dag_run_id = r.id and u.run_queued_at = r.queued_at) as "inRun",
      (select count(*)::int from retry_use u
        where u.dag_id = r.dag_id and u.retried_at > ${hourBefore(now)}) as "inHour"
    from attempt a join dag_run r on r.id = a.dag_run_id where a.id = ${attemptId}`;
  return asFailure(ending, use ? overBudget(retryBudget, use) : null);
}

/** The same ending, or the failure that it is without another retry. */
export function asFailure(ending: AttemptEnding, usedUp: string | null): Budgeted {
  if (usedUp === null) return { ending, usedUp };
  const evidence = { ...ending.evidence, retryReason: usedUp };
  return { ending: { ...ending, evidence, result: "fail", nextTryAt: null }, usedUp };
}

/** Write down what the ending took of the budget, or why there was nothing left. */
export async function useBudget(
  tx: TransactionSql,
  { ending, usedUp }: Budgeted,
  result: EndingResult,
  now: Date,
): Promise<void> {
  if (!ending.retryBudget || result.result !== "ok") return;
  if (result.state === "up_for_retry") {
    await tx`
      insert into retry_use (attempt_id, dag_id, dag_run_id, run_queued_at, retried_at)
      select ${ending.attemptId}, dag_id, id, queued_at, ${now}
      from dag_run where id = ${result.dagRunId}`;
  }
  if (usedUp !== null && result.state === "failed") {
    await tx`update task_instance set note = ${usedUp} where id = ${result.taskInstanceId}`;
  }
}

/** Where the hour begins that a DAG's budget counts. */
export function hourBefore(now: Date): Date {
  return new Date(now.getTime() - 3_600_000);
}
