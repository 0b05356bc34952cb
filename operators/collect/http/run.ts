/** @module The body of `collect.http`. */
import type { z } from "zod";
import type { FailedPart, FileRef, RawFiles } from "../../../src/model/data.ts";
import { FinalError, type OperatorRun, type TaskOutcome } from "../../../src/sdk/operator.ts";
import { rawOutcome } from "../raw.ts";
import { collectPart } from "./collect_part.ts";
import { RetryLater } from "./failure.ts";
import { PageFailure } from "./fetch_page.ts";
import type { CollectHttpParams } from "./mod.ts";
import { redactError } from "./redact.ts";
import { type KnownContent, memoryKey, RequestMemory } from "./request_memory.ts";
import type { RequestPart } from "./request_params.ts";
import { type HttpSession, openSession } from "./session.ts";

type Params = z.output<typeof CollectHttpParams>;

/** Collect all parts, one after the other, and put out their files. */
export const run: OperatorRun<Params, unknown, RawFiles> = async (
  { params, ctx },
) => {
  const session = await openSession(ctx, params.source, params);
  try {
    return await collect(session, params);
  } catch (error) {
    if (ctx.signal.aborted) throw ctx.signal.reason;
    if (error instanceof RetryLater) return later(session, error);
    throw redactError(error instanceof PageFailure ? error.toError() : error, session.redact);
  }
};

async function collect(session: HttpSession, params: Params): Promise<TaskOutcome<RawFiles>> {
  const { ctx, counters } = session;
  const memory = params.conditional ? new RequestMemory(ctx) : null;
  const parts: (RequestPart | undefined)[] = params.parts ?? [undefined];
  const files: FileRef[] = [];
  const failed: FailedPart[] = [];
  const remember: KnownContent[] = [];
  for (const part of parts) {
    try {
      const collected = await collectPart(session, part, memory);
      files.push(...collected.files);
      remember.push(...collected.remember);
    } catch (error) {
      if (part === undefined || params.onPartFailure === "fail") throw error;
      failed.push(failedPart(session, part, error));
    }
  }
  if (failed.length > 0 && failed.length === parts.length) {
    throw new Error(
      `Cannot collect "${params.source}": each of its ${parts.length} parts failed; the first: ` +
        failed[0].reason,
    );
  }
  if (files.length === 0 && failed.length === 0 && params.onEmpty !== "done") {
    const reason = `"${params.source}" has no data for this request`;
    if (params.onEmpty === "skip") return { kind: "skip", reason };
    throw new FinalError(`Cannot collect "${params.source}": it has no data for this request`);
  }
  return await rawOutcome(ctx, {
    source: params.source,
    partition: params.partition ?? ctx.interval.date,
    files,
    failed,
    state: memory === null ? {} : { [memoryKey]: memory.with(remember) },
    metrics: { ...counters },
  });
}

/** The note on a part that could not be had; any other error goes on. */
export function failedPart(session: HttpSession, part: RequestPart, error: unknown): FailedPart {
  if (!(error instanceof PageFailure)) throw error;
  session.log.warn(`Part "${part.name}" failed: ${error.message}`);
  return {
    part: part.name,
    reason: error.message,
    status: error.failure.status,
    attempts: error.tries,
  };
}

/** The source asked to be left alone: give the slot back and come again then. */
export function later({ ctx }: HttpSession, { waitMs, message }: RetryLater): TaskOutcome<never> {
  const at = new Date(ctx.clock.now().getTime() + waitMs);
  return { kind: "retryAt", at, reason: message.slice(0, 500) };
}
