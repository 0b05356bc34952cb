/**
 * @module The Task Execution API as single routes, in the shape of AIP-72. They run the same calls
 * as a batch; `{id}` is the attempt's id and must be the token's.
 */
import { z } from "zod";
import {
  AttemptEnd,
  BatchRequest,
  BatchResponse,
  type CallResult,
} from "../../contract/execution.ts";
import {
  ClaimRequest,
  ClaimResponse,
  ConnectionSecret,
  LogLine,
  Workload,
} from "../../contract/execution.ts";
import { bundleKey } from "../../contract/bundle.ts";
import { DatasetVersionInfo } from "../../contract/dataset.ts";
import { AppError } from "../../model/errors.ts";
import type { ObjectStore } from "../../objects/port.ts";
import type { AttemptClaims } from "../attempt_token.ts";
import type { Call, RouteBook } from "../route.ts";
import { Instant, Name, Text } from "../shapes/basic.ts";
import type { Execution, ExecutionLookups } from "./execution.ts";

const tag = "Task execution";
const Path = z.object({ id: z.uuid() });
const HashPath = z.object({ hash: z.string().regex(/^[0-9a-f]{64}$/) });
const base = "/execution/task-instances/{id}";
const Running = z.object({ hostname: Text.optional(), pid: z.int().optional() }).loose();

/** Airflow's words for how a task ended. */
const State = z.discriminatedUnion("state", [
  z.object({ state: z.literal("success"), end_date: Instant, output: z.json().optional() }).loose(),
  z.object({ state: z.literal("failed"), end_date: Instant }).loose(),
  z.object({ state: z.literal("skipped"), end_date: Instant }).loose(),
  z.object({
    state: z.literal("up_for_retry"),
    end_date: Instant,
    retry_reason: Text.max(500).optional(),
  }).loose(),
  z.object({
    state: z.literal("up_for_reschedule"),
    end_date: Instant,
    reschedule_date: Instant,
  }).loose(),
]);

/** Add them. */
export function addExecutionRoutes(
  book: RouteBook,
  { execution, objects, lookups }: {
    execution: Execution;
    objects: ObjectStore;
    lookups: ExecutionLookups;
  },
): void {
  const add = book.add;
  const { calls } = execution;

  add({
    method: "post",
    path: "/execution/claim",
    permission: "execution.claim",
    tag,
    summary: "Take up to `slots` queued attempts; wait for some up to `waitMs`",
    body: ClaimRequest,
    returns: ClaimResponse,
  }, ({ principal, body, request }) => execution.claim(principal.queues!, body, request.signal));

  add({
    method: "post",
    path: "/execution/batch",
    permission: "execution.batch",
    tag,
    summary: "Calls of several attempts, each with its token; answered one by one after the commit",
    body: BatchRequest,
    returns: BatchResponse,
  }, ({ body }) => execution.batch(body));

  add({
    method: "patch",
    path: `${base}/run`,
    permission: "execution.attempt",
    tag,
    summary: "What a running attempt needs to run, again: for one whose worker started over",
    params: Path,
    body: Running,
    bodyOptional: true,
    returns: Workload,
  }, (call) => execution.workload(own(call)));

  add({
    method: "patch",
    path: `${base}/state`,
    permission: "execution.attempt",
    tag,
    summary: "End an attempt, in Airflow's words",
    params: Path,
    body: State,
    returns: null,
  }, async (call) => answer(await calls.end(own(call), endOf(call.body))));

  add({
    method: "put",
    path: `${base}/end`,
    permission: "execution.attempt",
    tag,
    summary: "End an attempt with its outcome, effects and evidence",
    params: Path,
    body: AttemptEnd,
    returns: null,
  }, async (call) => answer(await calls.end(own(call), call.body)));

  add({
    method: "put",
    path: `${base}/heartbeat`,
    permission: "execution.attempt",
    tag,
    summary: "Say that the attempt runs; 409 and 410: stop it",
    params: Path,
    body: Running,
    bodyOptional: true,
    returns: null,
  }, async (call) => answer(await calls.heartbeat(own(call))));

  add({
    method: "post",
    path: `${base}/log`,
    permission: "execution.attempt",
    tag,
    summary: "Append lines to the attempt's log",
    params: Path,
    body: z.object({ from: z.int().nonnegative(), lines: z.array(LogLine).max(1000) }),
    returns: null,
  }, async (call) => answer(await calls.log(own(call), call.body.from, call.body.lines)));

  add({
    method: "get",
    path: "/execution/bundles/{hash}",
    permission: "execution.bundle",
    tag,
    summary: "Fetch a bundle; it is addressed by its content, so check it",
    params: HashPath,
    returns: z.unknown(),
    alsoReturns: ["application/octet-stream"],
  }, async ({ params }) =>
    new Response(await objects.stream(bundleKey(params.hash)), {
      headers: {
        "content-type": "application/octet-stream",
        "cache-control": "public, max-age=31536000, immutable",
      },
    }));

  add({
    method: "get",
    path: "/execution/connections/{connection_id}",
    permission: "execution.attempt",
    tag,
    summary: "Read a connection that the task declares, with its secrets; the read is audited",
    params: z.object({ connection_id: Name }),
    returns: ConnectionSecret,
  }, async ({ params, principal }) => {
    const attempt = await execution.running(principal.attempt!);
    const task = await execution.taskOf(attempt);
    if (task.connections.includes(params.connection_id)) {
      return await lookups.connection(params.connection_id, attempt);
    }
    const declared = task.connections.map((id) => `"${id}"`).join(", ") || "none";
    throw new AppError(
      "FORBIDDEN",
      `Cannot give the connection "${params.connection_id}" to task "${attempt.taskId}": it ` +
        `declares ${declared}; add it to the task's connections`,
    );
  });

  add({
    method: "get",
    path: "/execution/variables/{key}",
    permission: "execution.attempt",
    tag,
    summary: "Read a variable",
    params: z.object({ key: Name }),
    returns: z.object({ key: z.string(), value: z.json() }),
  }, async ({ params: { key }, principal }) => {
    const attempt = await execution.running(principal.attempt!);
    return {
      key,
      value: await lookups.variable(key, attempt) as z.input<ReturnType<typeof z.json>>,
    };
  });

  add({
    method: "get",
    path: "/execution/datasets/latest",
    permission: "execution.attempt",
    tag,
    summary: "The newest version of a dataset's partition, or of any; null: there is none",
    query: z.object({ dataset: Name, partition: Text.optional() }),
    returns: DatasetVersionInfo.nullable(),
  }, async ({ query, principal }) => {
    await execution.running(principal.attempt!);
    return await lookups.latestDataset(query.dataset, query.partition ?? null);
  });

  for (const method of ["get", "head"] as const) {
    add({
      method,
      path: "/execution/xcoms/{dag_id}/{run_id}/{task_id}/{key}",
      permission: "execution.attempt",
      tag,
      summary: method === "get"
        ? "Read the output of a task of the same run; its key is return_value"
        : "Its number of items, in the header Content-Range",
      params: z.object({ dag_id: Name, run_id: Name, task_id: Name, key: Name }),
      query: z.object({ map_index: z.coerce.number().int().min(-1).default(-1) }),
      returns: z.object({ key: z.string(), value: z.unknown() }),
    }, async ({ params, query, principal }) => {
      const attempt = principal.attempt!;
      if (params.dag_id !== attempt.dagId || params.run_id !== attempt.runId) {
        throw new AppError(
          "FORBIDDEN",
          `Cannot read outputs of another run than the attempt's own, "${attempt.runId}"`,
        );
      }
      const value = params.key === "return_value"
        ? await execution.output(attempt, params.task_id, query.map_index)
        : undefined;
      if (value === undefined) {
        throw new AppError(
          "NOT_FOUND",
          `Cannot find "${params.key}" of task "${params.task_id}" in this run`,
        );
      }
      if (method === "get") return { key: params.key, value };
      const items = Array.isArray(value) ? value.length : 1;
      return new Response(null, { headers: { "content-range": `map_indexes ${items}` } });
    });
  }
}

/** The token's attempt, which must be the path's. */
function own({ params, principal }: Call<{ id: string }, unknown, unknown>): AttemptClaims {
  const attempt = principal.attempt!;
  if (attempt.attemptId === params.id) return attempt;
  throw new AppError(
    "FORBIDDEN",
    `Cannot act for attempt ${params.id} with the token of attempt ${attempt.attemptId}`,
  );
}

/** A call's result as a response; AIP-72 puts reason and message into `detail`. */
function answer({ status, reason, token }: CallResult): Response {
  const headers: Record<string, string> = token ? { "refreshed-api-token": token } : {};
  if (status < 300) return new Response(null, { status: status === 200 ? 204 : status, headers });
  const messages: Record<string, string> = {
    gone: "The attempt is over: a newer one speaks for its task, or the task was cleared",
    not_running: "The attempt does not run",
    cancelling: "The attempt is to be stopped",
  };
  const detail = { reason: reason ?? "invalid", message: messages[reason ?? ""] ?? reason ?? "" };
  return new Response(JSON.stringify({ detail, code: status === 410 ? "GONE" : "STALE_ATTEMPT" }), {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
  });
}

/** Airflow's word as an attempt's end. */
function endOf(body: z.output<typeof State>): z.input<typeof AttemptEnd> {
  const endDate = body.end_date.toISOString();
  switch (body.state) {
    case "success":
      return { endDate, endReason: "success", outcome: { kind: "done", output: body.output } };
    case "skipped":
      return { endDate, endReason: "skipped", outcome: { kind: "skip" } };
    case "up_for_reschedule": {
      const outcome = {
        kind: "retryAt" as const,
        at: body.reschedule_date.toISOString(),
        reason: "rescheduled",
      };
      return { endDate, endReason: "rescheduled", outcome };
    }
    case "up_for_retry": {
      const evidence = body.retry_reason ? { message: body.retry_reason } : {};
      return { endDate, endReason: "task_error", outcome: null, evidence };
    }
    case "failed":
      return { endDate, endReason: "task_error", outcome: null, final: true };
  }
}
