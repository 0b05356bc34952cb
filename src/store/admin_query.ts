/** @module Import errors and the audit log as pages see them. */
import type { AuditEntry } from "./audit_log.ts";
import type { Sql } from "./database.ts";
import {
  type Bounds,
  type Listed,
  matches,
  oneOf,
  orderBy,
  type Page,
  startsWith,
  where,
  within,
} from "./page.ts";

/** A DAG file with an error. */
export interface ImportErrorRow {
  id: number;
  file: string;
  message: string;
  path: string;
  line: number | null;
  columnNumber: number | null;
  frame: string | null;
  createdAt: Date;
}

/** Fields that a list may be ordered by. */
export const importErrorOrders = ["id", "import_error_id", "timestamp", "filename"] as const;

/** A page of import errors. */
export async function listImportErrors(
  sql: Sql,
  { filename, pattern, prefix }: { filename?: string; pattern?: string; prefix?: string },
  page: Page,
): Promise<Listed<ImportErrorRow>> {
  const condition = where(sql, [
    filename === undefined ? null : sql`file = ${filename}`,
    matches(sql, sql`file`, pattern),
    startsWith(sql, sql`file`, prefix),
  ]);
  const order = orderBy(sql, page.orderBy, {
    id: sql`id`,
    import_error_id: sql`id`,
    timestamp: sql`created_at`,
    filename: sql`file`,
  }, sql`id`);
  const found = await sql<(ImportErrorRow & { total: number })[]>`
    select *, count(*) over () as total from import_error
    ${condition} ${order} limit ${page.limit} offset ${page.offset}`;
  return { items: [...found], total: found[0]?.total ?? 0 };
}

/** One import error, or null. */
export async function findImportError(sql: Sql, id: number): Promise<ImportErrorRow | null> {
  const [found] = await sql<ImportErrorRow[]>`select * from import_error where id = ${id}`;
  return found ?? null;
}

/** Fields that the audit log may be ordered by. */
export const auditOrders = ["id", "event_log_id", "when", "event", "owner", "dag_id"] as const;

/** A page of the audit log. */
export async function listAuditEntries(
  sql: Sql,
  filter: {
    dagId?: string;
    taskId?: string;
    runId?: string;
    event?: string;
    events?: readonly string[];
    excluded?: readonly string[];
    owner?: string;
    at?: Bounds;
  },
  page: Page,
): Promise<Listed<AuditEntry>> {
  const is = (column: ReturnType<Sql>, value: string | undefined) =>
    value === undefined ? null : sql`${column} = ${value}`;
  const condition = where(sql, [
    is(sql`dag_id`, filter.dagId),
    is(sql`task_id`, filter.taskId),
    is(sql`run_id`, filter.runId),
    is(sql`event`, filter.event),
    is(sql`actor`, filter.owner),
    oneOf(sql, sql`event`, filter.events),
    filter.excluded ? sql`event <> all(${[...filter.excluded]})` : null,
    ...within(sql, sql`logged_at`, filter.at),
  ]);
  const order = orderBy(sql, page.orderBy, {
    id: sql`id`,
    event_log_id: sql`id`,
    when: sql`logged_at`,
    event: sql`event`,
    owner: sql`actor`,
    dag_id: { nullable: sql`dag_id` },
  }, sql`id desc`);
  const [items, [{ total }]] = await Promise.all([
    sql<AuditEntry[]>`
      select * from audit_log ${condition} ${order} limit ${page.limit} offset ${page.offset}`,
    sql<{ total: number }[]>`select count(*) as total from audit_log ${condition}`,
  ]);
  return { items, total };
}

/** One entry of the audit log, or null. */
export async function findAuditEntry(sql: Sql, id: number): Promise<AuditEntry | null> {
  const [found] = await sql<AuditEntry[]>`select * from audit_log where id = ${id}`;
  return found ?? null;
}
