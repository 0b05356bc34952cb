/** @module Who did what: table audit_log, whose entries are chained by hashes. */
import { canonicalJson, sha256 } from "../base/hash.ts";
import type { AnySql, Sql } from "./database.ts";

/** Something that a person, a token or a task did. */
export interface AuditEvent {
  /** What was done, e.g. `connection.read`. */
  event: string;
  /** Who did it: a user, a token's name, `attempt:<id>`. */
  actor: string;
  dagId?: string | null;
  runId?: string | null;
  taskId?: string | null;
  mapIndex?: number | null;
  tryNumber?: number | null;
  /** Anything else; never a secret. */
  extra?: Readonly<Record<string, unknown>>;
}

/** One entry of the log. */
export interface AuditEntry extends Required<AuditEvent> {
  id: number;
  loggedAt: Date;
  previousHash: string;
  hash: string;
}

/** What {@link verifyAudit} found. */
export type AuditCheck =
  | { ok: true; entries: number }
  /** The first entry that does not fit, and why. */
  | { ok: false; id: number; reason: "changed" | "missing" };

/**
 * Append one event. Appending takes turns on the end of the chain until the transaction ends, so do
 * it last in a transaction.
 */
export async function appendAudit(
  sql: AnySql,
  { event, now }: { event: AuditEvent; now: Date },
): Promise<void> {
  const entry = entryOf(event, now);
  await sql`
    with head as (select id, hash from audit_head for update),
    entry as (
      insert into audit_log (id, logged_at, event, actor, dag_id, run_id, task_id, map_index,
        try_number, extra, previous_hash, hash)
      select head.id + 1, ${now}, ${entry.event}, ${entry.actor}, ${entry.dagId}, ${entry.runId},
        ${entry.taskId}, ${entry.mapIndex}, ${entry.tryNumber},
        ${JSON.stringify(entry.extra)}::text::jsonb, head.hash,
        encode(sha256(convert_to(head.hash || ${canonicalJson(entry)}, 'UTF8')), 'hex')
      from head returning id, hash)
    update audit_head set id = entry.id, hash = entry.hash from entry`;
}

/** Entries, newest first. */
export async function listAudit(
  sql: AnySql,
  { limit, offset = 0, dagId = null, runId = null, event = null }: {
    limit: number;
    offset?: number;
    dagId?: string | null;
    runId?: string | null;
    event?: string | null;
  },
): Promise<AuditEntry[]> {
  return [
    ...await sql<AuditEntry[]>`
      select * from audit_log
      where (${dagId}::text is null or dag_id = ${dagId})
        and (${runId}::text is null or run_id = ${runId})
        and (${event}::text is null or event = ${event})
      order by id desc limit ${limit} offset ${offset}`,
  ];
}

/** Walk the chain from its oldest kept entry; says where it was changed, cut or thinned. */
export async function verifyAudit(sql: Sql): Promise<AuditCheck> {
  let last: { id: number; hash: string } | null = null;
  let entries = 0;
  const batches = sql<AuditEntry[]>`select * from audit_log order by id`.cursor(1000);
  for await (const batch of batches) {
    for (const row of batch) {
      if (last && row.id !== last.id + 1) return { ok: false, id: last.id + 1, reason: "missing" };
      const fits = (last === null || row.previousHash === last.hash) && row.hash === hashOf(row);
      if (!fits) return { ok: false, id: row.id, reason: "changed" };
      last = row;
      entries++;
    }
  }
  const [head] = await sql<{ id: number; hash: string }[]>`select id, hash from audit_head`;
  if (last ? head.id !== last.id : head.id !== 0) {
    return { ok: false, id: (last?.id ?? 0) + 1, reason: "missing" };
  }
  return last && head.hash !== last.hash
    ? { ok: false, id: last.id, reason: "changed" }
    : { ok: true, entries };
}

function entryOf(event: AuditEvent, at: Date) {
  return {
    at: at.toISOString(),
    event: event.event,
    actor: event.actor,
    dagId: event.dagId ?? null,
    runId: event.runId ?? null,
    taskId: event.taskId ?? null,
    mapIndex: event.mapIndex ?? null,
    tryNumber: event.tryNumber ?? null,
    extra: event.extra ?? {},
  };
}

function hashOf(row: AuditEntry): string {
  return sha256(row.previousHash + canonicalJson(entryOf(row, row.loggedAt)));
}
