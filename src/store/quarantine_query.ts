/** @module Refused rows as pages see them: tables quarantine, quarantine_row. */
import type { FileRef } from "../model/data.ts";
import type { Sql } from "./database.ts";
import { type Listed, type Page, where } from "./page.ts";

/** Rows that one attempt refused. */
export interface QuarantineRow {
  id: string;
  dataset: string;
  source: string;
  dagId: string | null;
  runId: string | null;
  taskId: string | null;
  mapIndex: number | null;
  attemptId: string;
  /** The attempt is the last one of its task, and succeeded: no other has taken its place. */
  isOpen: boolean;
  rows: number;
  reasons: Record<string, number>;
  file: FileRef;
  createdAt: Date;
}

const isOpen = (sql: Sql) =>
  sql`coalesce(t.attempt_id = q.attempt_id and t.state = 'success', false)`;
const columns = (sql: Sql) =>
  sql`
  q.id, q.dataset, q.source, r.dag_id, r.run_id, t.task_id, t.map_index, q.attempt_id,
  ${isOpen(sql)} as is_open, q.rows, q.reasons, q.file, q.created_at`;
const tables = (sql: Sql) =>
  sql`quarantine q left join dag_run r on r.id = q.dag_run_id
    left join task_instance t on t.id = q.task_instance_id`;

/** A page of quarantines, newest first. */
export async function listQuarantines(
  sql: Sql,
  { dataset, dagId, runId, attemptId, isOpen: wantsOpen }: {
    dataset?: string;
    dagId?: string;
    runId?: string;
    attemptId?: string;
    isOpen?: boolean;
  },
  page: Omit<Page, "orderBy">,
): Promise<Listed<QuarantineRow>> {
  const condition = where(sql, [
    dataset === undefined ? null : sql`q.dataset = ${dataset}`,
    dagId === undefined ? null : sql`r.dag_id = ${dagId}`,
    runId === undefined ? null : sql`r.run_id = ${runId}`,
    attemptId === undefined ? null : sql`q.attempt_id = ${attemptId}`,
    wantsOpen === undefined ? null : sql`${isOpen(sql)} = ${wantsOpen}`,
  ]);
  const [items, [{ total }]] = await Promise.all([
    sql<QuarantineRow[]>`
      select ${columns(sql)} from ${tables(sql)} ${condition}
      order by q.created_at desc, q.id desc limit ${page.limit} offset ${page.offset}`,
    sql<{ total: number }[]>`select count(*) as total from ${tables(sql)} ${condition}`,
  ]);
  return { items, total };
}

/** Rows in quarantine of the `max` datasets that have most: for metrics. */
export async function countQuarantined(sql: Sql, max: number) {
  return await sql<{ dataset: string; rows: number }[]>`
    select dataset, sum(rows)::bigint as rows from quarantine
    group by dataset order by rows desc limit ${max}`;
}

/** One quarantine, or null. */
export async function findQuarantine(sql: Sql, id: string): Promise<QuarantineRow | null> {
  const [found] = await sql<QuarantineRow[]>`
    select ${columns(sql)} from ${tables(sql)} where q.id = ${id}`;
  return found ?? null;
}

/** One refused row. */
export interface RefusedRow {
  file: string;
  rowNumber: number | null;
  byteOffset: number | null;
  columnName: string | null;
  rule: string;
  reason: string;
  raw: string;
}

/** The refused rows that the database keeps. */
export async function listRefusedRows(
  sql: Sql,
  id: string,
  page: Omit<Page, "orderBy">,
): Promise<Listed<RefusedRow>> {
  const [items, [{ total }]] = await Promise.all([
    sql<RefusedRow[]>`
      select file, row_number, byte_offset, column_name, rule, reason, raw from quarantine_row
      where quarantine_id = ${id} order by ordinal limit ${page.limit} offset ${page.offset}`,
    sql<{ total: number }[]>`
      select count(*) as total from quarantine_row where quarantine_id = ${id}`,
  ]);
  return { items, total };
}
