/**
 * @module Keeps the tables bounded: what is old and that nothing kept refers to is removed, in batches.
 *
 * Dataset versions are never removed here, and so no run that published one: a version's lineage is
 * made of versions, and each still names its run, task and attempt.
 */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import type { Health, Service } from "../base/service.ts";
import { messageOf } from "../model/errors.ts";
import type { Sql, TransactionSql } from "./database.ts";

/** How long things are kept, in days. */
export interface RetentionPolicy {
  /** Runs with their task instances, attempts, outputs and quarantine, after their end. Default 90. */
  runDays?: number;
  /** Events of datasets. Default as `runDays`. */
  eventDays?: number;
  /** The audit log. Default 400. */
  auditDays?: number;
}

/** Rows that one pass removed. */
export interface Removed {
  runs: number;
  events: number;
  auditEntries: number;
  dagVersions: number;
  /** Those that were revoked or expired as long ago as runs are kept. */
  tokens: number;
  /** Events of the outbox: delivered ones, and dead ones as old as runs. */
  notices: number;
}

const dayMs = 86_400_000;
/** Held in each transaction, so that of several processes one removes. */
const lockKey = 7_823_465_013;

/** Remove all that is due at `now`; what another process is removing now is left to it. */
export async function removeOld(
  sql: Sql,
  { now, policy = {} }: { now: Date; policy?: RetentionPolicy },
): Promise<Removed> {
  const { runDays = 90, eventDays = runDays, auditDays = 400 } = policy;
  const before = (days: number) => new Date(now.getTime() - days * dayMs);
  return {
    runs: await inBatches(sql, (tx) => removeRuns(tx, before(runDays))),
    events: await inBatches(sql, (tx) => removeEvents(tx, before(eventDays))),
    auditEntries: await inBatches(sql, (tx) => removeAudit(tx, before(auditDays))),
    dagVersions: await inBatches(sql, (tx) => removeDagVersions(tx, before(runDays))),
    tokens: await inBatches(sql, (tx) => removeTokens(tx, before(runDays))),
    notices: await inBatches(sql, (tx) => removeNotices(tx, before, runDays)),
  };
}

/**
 * Removes what belongs to runs that ended before an instant and are gone, ends early when told, and
 * resolves with how much it was, for the health page.
 */
export type Also = (
  before: Date,
  signal: AbortSignal,
) => Promise<Readonly<Record<string, number>> | void>;

/** Runs {@link removeOld} an hour apart. `also` may remove what is not in the database, such as logs. */
export class RetentionService implements Service {
  readonly name = "retention";
  readonly #parts: {
    sql: Sql;
    clock: Clock;
    log: Logger;
    policy: RetentionPolicy;
    also?: Also;
  };
  readonly #stopping = new AbortController();
  #loop: Promise<void> | null = null;
  #last: { at: Date; removed: Readonly<Record<string, number>> } | null = null;
  #trouble: string | null = null;

  constructor(
    parts: {
      sql: Sql;
      clock: Clock;
      log: Logger;
      policy?: RetentionPolicy;
      also?: Also;
    },
  ) {
    this.#parts = { ...parts, policy: parts.policy ?? {} };
  }

  start(): Promise<void> {
    this.#loop ??= this.#run();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  health(): Health {
    const { at, removed } = this.#last ?? {};
    const detail = { lastAt: at?.toISOString() ?? null, removed, trouble: this.#trouble };
    return { started: this.#loop !== null, ready: true, detail };
  }

  /** One pass; a failure is logged and tried again an hour later. */
  async runOnce(): Promise<void> {
    const { sql, clock, log, policy, also } = this.#parts;
    const now = clock.now();
    try {
      const removed = await removeOld(sql, { now, policy });
      const before = new Date(now.getTime() - (policy.runDays ?? 90) * dayMs);
      const more = await also?.(before, this.#stopping.signal);
      this.#last = { at: now, removed: { ...removed, ...more } };
      this.#trouble = null;
      if (Object.values(removed).some((rows) => rows > 0)) {
        log.info("Removed what was old", { ...removed });
      }
    } catch (error) {
      this.#trouble = messageOf(error);
      log.warn("Could not remove what is old", { error: this.#trouble });
    }
  }

  /** The first pass is one period after the start: a start has better things to do. */
  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#parts.clock.sleep(limits.retentionEveryMs, { signal });
      if (!signal.aborted) await this.runOnce();
    }
  }
}

async function inBatches(
  sql: Sql,
  remove: (tx: TransactionSql) => Promise<number>,
): Promise<number> {
  let removed = 0;
  while (true) {
    const batch = await sql.begin(async (tx) => {
      const [{ mine }] = await tx`select pg_try_advisory_xact_lock(${lockKey}) as mine`;
      return mine ? await remove(tx) : 0;
    });
    removed += batch;
    if (batch < limits.retentionBatch) return removed;
  }
}

/** The rest of a run goes with its row. A DAG's newest runs and its newest success stay. */
async function removeRuns(tx: TransactionSql, before: Date): Promise<number> {
  const gone = await tx`
    delete from dag_run where id in (
      select r.id from dag_run r
      where r.end_date < ${before}
        and not exists (select from dataset_version v where v.dag_run_id = r.id)
        and exists (
          select from dag_run n where n.dag_id = r.dag_id and n.run_after > r.run_after
          order by n.run_after desc offset ${limits.retentionRunsKept - 1} limit 1)
        and (r.state <> 'success' or exists (
          select from dag_run n
          where n.dag_id = r.dag_id and n.run_after > r.run_after and n.state = 'success'))
      order by r.run_after limit ${limits.retentionBatch})`;
  return gone.count;
}

/** What still waits for a run stays, and so do files: one that still lies there would be new again. */
async function removeEvents(tx: TransactionSql, before: Date): Promise<number> {
  const gone = await tx`
    delete from asset_event where id in (
      select id from asset_event e where created_at < ${before}
        and not exists (select from dataset_queue q where q.asset_event_id = e.id)
        and not starts_with(e.dataset, 'files:')
      order by created_at limit ${limits.retentionBatch})`;
  return gone.count;
}

/** From the chain's old end only, so that the rest still verifies. */
async function removeAudit(tx: TransactionSql, before: Date): Promise<number> {
  const gone = await tx`
    delete from audit_log where id in (
      select id from audit_log
      where logged_at < ${before}
        and id < coalesce((select min(id) from audit_log where logged_at >= ${before}),
          (select id from audit_head))
      order by id limit ${limits.retentionBatch})`;
  return gone.count;
}

/** Versions that no run, no published data and no DAG needs. */
async function removeDagVersions(tx: TransactionSql, before: Date): Promise<number> {
  const gone = await tx`
    delete from dag_version where id in (
      select g.id from dag_version g
      where g.created_at < ${before}
        and not exists (select from dag d where d.dag_version_id = g.id)
        and not exists (select from dag_run r where r.dag_version_id = g.id)
        and not exists (select from dataset_version v where v.dag_version_id = g.id)
      limit ${limits.retentionBatch})`;
  return gone.count;
}

async function removeTokens(tx: TransactionSql, before: Date): Promise<number> {
  const gone = await tx`
    delete from api_token where id in (
      select id from api_token where least(revoked_at, expires_at) < ${before}
      limit ${limits.retentionBatch})`;
  return gone.count;
}

async function removeNotices(
  tx: TransactionSql,
  before: (days: number) => Date,
  runDays: number,
): Promise<number> {
  const gone = await tx`
    delete from event_outbox where seq in (
      select seq from event_outbox
      where state <> 'pending' and ended_at < ${before(limits.deliveredEventDays)}
        and (state = 'delivered' or ended_at < ${before(runDays)})
      limit ${limits.retentionBatch})`;
  return gone.count;
}
