/** @module The body of `retry.parts`. */
import type { FailedPart, FileRef, RawFiles } from "../../src/model/data.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import { FinalError, type OperatorRun, type TaskOutcome } from "../../src/sdk/operator.ts";
import { collectPart } from "../collect/http/collect_part.ts";
import { backoffMs, RetryLater } from "../collect/http/failure.ts";
import { redactError } from "../collect/http/redact.ts";
import type { HttpRequest } from "../collect/http/request_params.ts";
import { failedPart, later } from "../collect/http/run.ts";
import { type HttpSession, openSession } from "../collect/http/session.ts";
import { rawOutcome } from "../collect/raw.ts";
import type { RetryPartsParams } from "./parts.ts";

/** Ask again, then ask elsewhere; put out the files of then and of now. */
export const run: OperatorRun<RetryPartsParams, { from: RawFiles }, RawFiles> = async (
  { params, inputs: { from }, ctx },
) => {
  if (from.failed.length === 0) return { kind: "done", output: from };
  const recovered: FileRef[] = [];
  let missing = from.failed;
  let fallenBack = 0;
  const first = await openSession(ctx, from.source, params.request);
  const round = async (session: HttpSession, source?: string) => {
    const attempt = await fetchParts(session, missing);
    recovered.push(...attempt.files.map((file) => source ? { ...file, source } : file));
    if (source) fallenBack = missing.length - attempt.missing.length;
    missing = attempt.missing;
    return attempt.later;
  };
  for (let n = 1; n <= params.rounds && missing.length > 0; n++) {
    if (n > 1) await rest(ctx, first, params, n - 1);
    const wait = await round(first);
    if (wait === null) continue;
    if (params.fallback === undefined) return later(first, wait);
    break;
  }
  if (missing.length > 0 && params.fallback) {
    const { source } = params.fallback;
    ctx.log.info(`Asking "${source}" for what "${from.source}" did not give`, {
      parts: missing.map((one) => one.part),
    });
    const wait = await round(await openSession(ctx, source, params.fallback), source);
    if (wait) return later(first, wait);
  }
  if (missing.length > 0 && params.onMissing === "fail") throw stillMissing(from, missing);
  return await result(ctx, from, { recovered, missing, fallenBack });
};

/** Ask once for each part that is missing. */
async function fetchParts(
  session: HttpSession,
  missing: readonly FailedPart[],
): Promise<{ files: FileRef[]; missing: FailedPart[]; later: RetryLater | null }> {
  const files: FileRef[] = [];
  const still: FailedPart[] = [];
  let wait: RetryLater | null = null;
  for (const one of missing) {
    const part = partNamed(session.params, one.part);
    if (wait !== null) {
      still.push(one);
      continue;
    }
    try {
      files.push(...(await collectPart(session, part, null)).files);
    } catch (error) {
      if (session.ctx.signal.aborted) throw session.ctx.signal.reason;
      if (error instanceof RetryLater) {
        wait = error;
        still.push(one);
        continue;
      }
      try {
        const failed = failedPart(session, part, error);
        still.push({ ...failed, attempts: one.attempts + failed.attempts });
      } catch (unforeseen) {
        throw redactError(unforeseen, session.redact);
      }
    }
  }
  return { files, missing: still, later: wait };
}

function partNamed({ parts }: HttpRequest, name: string) {
  const part = parts?.find((one) => one.name === name);
  if (part) return part;
  throw new FinalError(
    `Cannot fetch part "${name}" again: the request has no part of that name; give retry.parts the ` +
      "parts that the collection had",
  );
}

async function rest(
  ctx: TaskContext,
  session: HttpSession,
  params: RetryPartsParams,
  tries: number,
): Promise<void> {
  await ctx.clock.sleep(backoffMs(params, tries, session.chance()), { signal: ctx.signal });
  ctx.signal.throwIfAborted();
}

function stillMissing(from: RawFiles, missing: readonly FailedPart[]): Error {
  const names = missing.slice(0, 5).map((one) => one.part).join(", ");
  const more = missing.length > 5 ? ` and ${missing.length - 5} more` : "";
  return new Error(
    `Cannot complete "${from.source}": ${missing.length} of its parts are still missing ` +
      `(${names}${more}); the first: ${missing[0].reason}`,
  );
}

/** All files of the partition as its next version. */
async function result(
  ctx: TaskContext,
  from: RawFiles,
  { recovered, missing, fallenBack }: {
    recovered: FileRef[];
    missing: FailedPart[];
    fallenBack: number;
  },
): Promise<TaskOutcome<RawFiles>> {
  return await rawOutcome(ctx, {
    source: from.source,
    partition: from.partition,
    files: [...from.files, ...recovered],
    failed: missing,
    state: {},
    metrics: {
      wanted: from.failed.length,
      recovered: from.failed.length - missing.length,
      byFallback: fallenBack,
    },
  });
}
