/** @module Answering what tasks ask people. */
import type { Sql } from "postgres";
import { resumed } from "./engine_triggers.ts";
import type { Answer } from "./port.ts";

/** Keep the reply and resume the instance, once. The instance is locked before its question. */
export async function answerQuestion(
  sql: Sql,
  { taskInstanceId, reply }: Answer,
  now: Date,
): Promise<{ result: "ok" | "answered" | "gone"; dagRunId?: string }> {
  const text = JSON.stringify(reply);
  return await sql.begin(async (tx) => {
    const [waiting] = await tx<{ dagRunId: string; state: string; attemptId: string | null }[]>`
      select dag_run_id as "dagRunId", state, attempt_id as "attemptId"
      from task_instance where id = ${taskInstanceId} for update`;
    const [asked] = await tx<{ attemptId: string; isAnswered: boolean }[]>`
      select attempt_id as "attemptId", reply is not null as "isAnswered"
      from hitl_detail where task_instance_id = ${taskInstanceId}`;
    if (asked?.isAnswered) return { result: "answered" };
    const isOpen = waiting?.state === "awaiting_input" && asked?.attemptId === waiting.attemptId;
    if (!isOpen) return { result: "gone" };
    await tx`
      update hitl_detail set reply = ${text}::text::jsonb, replied_at = ${now}
      where task_instance_id = ${taskInstanceId}`;
    await tx`
      update task_instance t set state = 'scheduled', next_try_at = null,
        resumption = ${resumed(tx, tx`t.resumption`, tx`${text}::text::jsonb`)}
          || '{"onTimeout": "resume"}'
      where id = ${taskInstanceId}`;
    return { result: "ok", dagRunId: waiting.dagRunId };
  });
}
