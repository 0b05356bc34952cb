/** @module Routes of what tasks ask people: list, look, answer. */
import { z } from "zod";
import { AppError } from "../../model/errors.ts";
import {
  findQuestion,
  listQuestions,
  questionOrders,
  type QuestionRow,
} from "../../store/question_query.ts";
import { type GivenAnswer, replyTo } from "../hitl.ts";
import { boundsOf, pageOf, type Rest, taskInstanceViews, unlessAll } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import {
  Instant,
  many,
  Name,
  paging,
  QueryFlag,
  queryInt,
  rangeOf,
  Text,
} from "../shapes/basic.ts";
import {
  HitlAnswerBody,
  HitlAnswerShape,
  HitlDetailCollection,
  HitlDetailShape,
} from "../shapes/hitl.ts";
import { requireTaskInstance } from "./task_instances.ts";

const tag = "Human in the loop";
const RunPath = z.object({ dag_id: Name, dag_run_id: Name });
const Path = RunPath.extend({ task_id: Name, map_index: queryInt({ min: -1 }) });
const onePath = "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/{map_index}" +
  "/hitlDetails";

/** Add them. */
export function addHitlRoutes(book: RouteBook, rest: Rest): void {
  const { sql, store, clock } = rest;
  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/hitlDetails",
    permission: "tasks.read",
    tag,
    summary: "List what tasks of a run ask people (~: of all runs, of all DAGs)",
    params: RunPath,
    query: z.object({
      task_id: Text.optional(),
      dag_id_pattern: Text.optional(),
      task_id_pattern: Text.optional(),
      map_index: queryInt({ min: -1 }).optional(),
      response_received: QueryFlag.optional(),
      is_open: QueryFlag.optional().meta({ doc: "Those that can still be answered, or not" }),
      responded_by_user_id: many(Text).optional(),
      subject_search: Text.optional(),
      body_search: Text.optional(),
      ...rangeOf("created_at", Instant),
      ...paging(questionOrders, "created_at"),
    }),
    returns: HitlDetailCollection,
  }, async ({ params, query }) => {
    const { items, total } = await listQuestions(sql, {
      dagIds: unlessAll(params.dag_id),
      runIds: unlessAll(params.dag_run_id),
      taskId: query.task_id,
      dagPattern: query.dag_id_pattern,
      taskPattern: query.task_id_pattern,
      mapIndex: query.map_index,
      isAnswered: query.response_received,
      isOpen: query.is_open,
      answeredBy: query.responded_by_user_id,
      subject: query.subject_search,
      body: query.body_search,
      askedAt: boundsOf(query, "created_at"),
    }, pageOf(query));
    return { hitl_details: await hitlViews(rest, items), total_entries: total };
  });

  book.add({
    method: "get",
    path: onePath,
    permission: "tasks.read",
    tag,
    summary: "See what a task asks, and the answer to it",
    params: Path,
    returns: HitlDetailShape,
  }, async ({ params }) => {
    const [view] = await hitlViews(rest, [await requireQuestion(rest, params)]);
    return view;
  });

  book.add({
    method: "patch",
    path: onePath,
    permission: "tasks.answer",
    tag,
    summary: "Answer what a task asks, once: it goes on",
    params: Path,
    body: HitlAnswerBody,
    returns: HitlAnswerShape,
    event: "hitl.answer",
  }, async ({ params, body, principal }) => {
    const asked = await requireQuestion(rest, params);
    if (!asked.isOpen) throw notOpen(asked);
    const reply = replyTo(asked.question, {
      chosenOptions: body.chosen_options,
      paramsInput: body.params_input as GivenAnswer["paramsInput"],
      by: principal.name,
    });
    const now = clock.now();
    const result = await store.answerQuestion({ taskInstanceId: asked.id, reply }, now);
    if (result !== "ok") throw notOpen((await findQuestion(sql, asked.id)) ?? asked);
    return {
      responded_by: { id: principal.name, name: principal.name },
      responded_at: now.toISOString(),
      chosen_options: reply.chosenOptions,
      params_input: reply.paramsInput,
    };
  });
}

async function requireQuestion(rest: Rest, path: z.output<typeof Path>): Promise<QuestionRow> {
  const { id } = await requireTaskInstance(rest, path, path.map_index);
  const found = await findQuestion(rest.sql, id);
  if (found) return found;
  throw new AppError(
    "NOT_FOUND",
    `Cannot find a question of task "${path.task_id}" in run "${path.dag_run_id}": it has asked ` +
      `nothing (yet)`,
  );
}

function notOpen({ question: { subject }, reply, repliedAt, state }: QuestionRow): AppError {
  const why = reply
    ? `"${reply.by}" answered ${reply.chosenOptions.join(", ")} at ${repliedAt!.toISOString()}`
    : `its task does not wait any more, it is ${state}`;
  return new AppError("CONFLICT", `Cannot answer "${subject}": ${why}`);
}

async function hitlViews(rest: Rest, rows: readonly QuestionRow[]) {
  const instances = await taskInstanceViews(rest, rows);
  return rows.map((row, i): z.input<typeof HitlDetailShape> => {
    const { question, reply, repliedAt, isOpen } = row;
    const { assignees, ...asked } = question;
    return {
      ...asked,
      task_instance: instances[i],
      assigned_users: assignees.map((name) => ({ id: name, name })),
      created_at: row.askedAt.toISOString(),
      responded_by_user: reply?.by ? { id: reply.by, name: reply.by } : null,
      responded_at: repliedAt?.toISOString() ?? null,
      chosen_options: reply?.chosenOptions ?? null,
      params_input: reply?.paramsInput ?? {},
      response_received: reply !== null,
      is_open: isOpen,
      expires_at: isOpen ? row.nextTryAt?.toISOString() ?? null : null,
    };
  });
}
