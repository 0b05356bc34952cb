/** @module Routes of logs: a try's log in pieces, whole, or followed. */
import { z } from "zod";
import { findTaskInstance } from "../../store/task_instance_query.ts";
import { followTryLog, lineText, readTryLog, type ShownLine } from "../log_reader.ts";
import type { Rest } from "../rest.ts";
import type { RouteBook } from "../route.ts";
import { QueryFlag, queryInt, Text } from "../shapes/basic.ts";
import { LogResponse } from "../shapes/task_instance.ts";
import { requireTaskInstance, TaskPath } from "./task_instances.ts";

/** Add them. */
export function addLogRoutes(book: RouteBook, rest: Rest): void {
  book.add({
    method: "get",
    path: "/api/v2/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances/{task_id}/logs/{try_number}",
    permission: "logs.read",
    tag: "Logs",
    summary: "Read the log of a try; as NDJSON or text it may be followed until its end",
    params: TaskPath.extend({ try_number: queryInt() }),
    query: z.object({
      map_index: queryInt({ min: -1 }).default(-1),
      full_content: QueryFlag.default(false).meta({ doc: "All that is there, not a piece of it" }),
      follow: QueryFlag.default(false).meta({ doc: "With NDJSON and text: go on until its end" }),
      token: Text.optional().meta({ doc: "continuation_token of the piece before" }),
    }),
    returns: LogResponse,
    alsoReturns: ["application/x-ndjson", "text/plain"],
  }, async ({ params, query, request }) => {
    const instance = await requireTaskInstance(rest, params, query.map_index);
    const type = typeOf(request.headers.get("accept") ?? "");
    if (type === "application/json") {
      const piece = await readTryLog(rest, instance, {
        tryNumber: params.try_number,
        token: query.token ?? null,
      });
      const content = piece.lines;
      let token = piece.token;
      let isDry = piece.isDry;
      while (query.full_content && token !== null && !isDry) {
        const more = await readTryLog(rest, instance, { tryNumber: params.try_number, token });
        content.push(...more.lines);
        ({ token, isDry } = more);
      }
      return { content, continuation_token: token };
    }
    const find = () =>
      findTaskInstance(rest.sql, {
        dagId: params.dag_id,
        runId: params.dag_run_id,
        taskId: params.task_id,
        mapIndex: query.map_index,
      });
    const source = query.follow
      ? (signal: AbortSignal) => followTryLog(rest, find, params.try_number, signal)
      : (signal: AbortSignal) => wholeTryLog(rest, instance, params.try_number, signal);
    return streamOf(source, AbortSignal.any([request.signal, rest.closing]), type);
  });
}

type Instance = Awaited<ReturnType<typeof requireTaskInstance>>;

async function* wholeTryLog(
  rest: Rest,
  instance: Instance,
  tryNumber: number,
  signal: AbortSignal,
): AsyncGenerator<ShownLine[]> {
  let token: string | null = null;
  do {
    const piece = await readTryLog(rest, instance, { tryNumber, token });
    if (piece.lines.length > 0) yield piece.lines;
    token = piece.isDry ? null : piece.token;
  } while (token !== null && !signal.aborted);
}

function typeOf(accept: string): "application/json" | "application/x-ndjson" | "text/plain" {
  if (accept.startsWith("application/x-ndjson")) return "application/x-ndjson";
  return accept.startsWith("text/plain") ? "text/plain" : "application/json";
}

function streamOf(
  source: (signal: AbortSignal) => AsyncGenerator<ShownLine[]>,
  signal: AbortSignal,
  type: string,
): Response {
  const gone = new AbortController();
  const lines = source(AbortSignal.any([gone.signal, signal]));
  const encoder = new TextEncoder();
  const render = type === "text/plain"
    ? lineText
    : (line: ShownLine) => JSON.stringify(line) + "\n";
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await lines.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value.map(render).join("")));
    },
    cancel() {
      gone.abort();
    },
  });
  const headers = { "content-type": `${type}; charset=utf-8`, "cache-control": "no-store" };
  return new Response(body, { headers });
}
