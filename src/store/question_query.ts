/** @module What tasks ask people, as pages and lists see it: table hitl_detail. */
import type { Question, Reply } from "../model/trigger.ts";
import type { Sql } from "./database.ts";
import {
  type Bounds,
  type Listed,
  matches,
  oneOf,
  orderBy,
  type Page,
  where,
  within,
} from "./page.ts";
import {
  taskInstanceColumns,
  type TaskInstanceRow,
  taskInstanceTables,
} from "./task_instance_query.ts";

/** A question with the instance that asks it. */
export interface QuestionRow extends TaskInstanceRow {
  question: Question;
  askedAt: Date;
  reply: Reply | null;
  repliedAt: Date | null;
  /** It can still be answered. */
  isOpen: boolean;
}

/** Filters of {@link listQuestions}; null: all. */
export interface QuestionFilter {
  dagIds?: readonly string[] | null;
  runIds?: readonly string[] | null;
  taskId?: string;
  dagPattern?: string;
  taskPattern?: string;
  mapIndex?: number;
  isAnswered?: boolean;
  isOpen?: boolean;
  answeredBy?: readonly string[];
  /** Part of the subject, of the body. */
  subject?: string;
  body?: string;
  askedAt?: Bounds;
}

/** Fields that a list may be ordered by. */
export const questionOrders = [
  "created_at",
  "ti_id",
  "subject",
  "responded_at",
  "dag_id",
  "run_id",
  "task_id",
] as const;

const isOpen = (sql: Sql) =>
  sql`(h.reply is null and t.state = 'awaiting_input' and t.attempt_id = h.attempt_id)`;

const columns = (sql: Sql) =>
  sql`${taskInstanceColumns(sql)}, h.question, h.created_at as asked_at, h.reply, h.replied_at,
    ${isOpen(sql)} as is_open`;

/** A page of questions. */
export async function listQuestions(
  sql: Sql,
  filter: QuestionFilter,
  page: Page,
): Promise<Listed<QuestionRow>> {
  const { isAnswered, isOpen: mustBeOpen } = filter;
  const contains = (text: string) => `%${text.replaceAll(/[\\%_]/g, "\\$&")}%`;
  const condition = where(sql, [
    oneOf(sql, sql`t.dag_id`, filter.dagIds),
    oneOf(sql, sql`r.run_id`, filter.runIds),
    filter.taskId === undefined ? null : sql`t.task_id = ${filter.taskId}`,
    matches(sql, sql`t.dag_id`, filter.dagPattern),
    matches(sql, sql`t.task_id`, filter.taskPattern),
    filter.mapIndex === undefined ? null : sql`t.map_index = ${filter.mapIndex}`,
    isAnswered === undefined ? null : sql`(h.reply is not null) = ${isAnswered}`,
    mustBeOpen === undefined ? null : sql`${isOpen(sql)} = ${mustBeOpen}`,
    oneOf(sql, sql`h.reply ->> 'by'`, filter.answeredBy),
    filter.subject ? sql`h.question ->> 'subject' ilike ${contains(filter.subject)}` : null,
    filter.body ? sql`h.question ->> 'body' ilike ${contains(filter.body)}` : null,
    ...within(sql, sql`h.created_at`, filter.askedAt),
  ]);
  const order = orderBy(sql, page.orderBy, {
    created_at: sql`h.created_at`,
    ti_id: sql`t.id`,
    subject: sql`h.question ->> 'subject'`,
    responded_at: { nullable: sql`h.replied_at` },
    dag_id: sql`t.dag_id`,
    run_id: sql`r.run_id`,
    task_id: sql`t.task_id`,
  }, sql`h.created_at, t.id`);
  const found = await sql<(QuestionRow & { total: number })[]>`
    select ${columns(sql)}, count(*) over ()::int as total
    from ${taskInstanceTables(sql)} join hitl_detail h on h.task_instance_id = t.id
    ${condition} ${order} limit ${page.limit} offset ${page.offset}`;
  return { items: [...found], total: found[0]?.total ?? 0 };
}

/** The newest question of an instance, or null. */
export async function findQuestion(sql: Sql, taskInstanceId: string): Promise<QuestionRow | null> {
  const [found] = await sql<QuestionRow[]>`
    select ${columns(sql)}
    from ${taskInstanceTables(sql)} join hitl_detail h on h.task_instance_id = t.id
    where t.id = ${taskInstanceId}`;
  return found ?? null;
}
