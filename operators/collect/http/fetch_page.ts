/** @module One page, asked for until it is whole and right, or until it is clear that it will not be. */
import { FinalError } from "../../../src/sdk/operator.ts";
import { type Body, inspectBody } from "./body.ts";
import { BodyDownload, type Download, type Validators } from "./download.ts";
import { backoffMs, HttpFailure, RetryLater } from "./failure.ts";
import type { Prepared } from "./prepare.ts";
import { type HttpSession, showUrl } from "./session.ts";

/** A try that brought this much is progress and does not use up the tries. */
const progressBytes = 1024 * 1024;
const progressTriesMax = 1000;

/** What a request ended in. */
export type Page =
  | { kind: "page"; download: Download; body: Body }
  /** The source says that there is no data: status 204, or a body that `emptyWhen` knows. */
  | { kind: "empty"; headers: Headers }
  | { kind: "not_modified" };

/** A page that could not be had. The message is safe to show. */
export class PageFailure extends Error {
  override readonly name = "PageFailure";

  constructor(
    message: string,
    readonly failure: HttpFailure,
    readonly tries: number,
  ) {
    super(message);
  }

  /** As the error of a task. */
  toError(): Error {
    return this.failure.kind === "final" ? new FinalError(this.message) : new Error(this.message);
  }
}

/** What a page is asked with. */
export interface PageTask {
  prepared: Prepared;
  /** Where the body goes. */
  path: string;
  known?: Validators;
  /** A last look: throw {@link HttpFailure} to have the page asked for again. */
  refuse?: (page: { download: Download; body: Body }, tries: number) => void;
}

/** Fetch one page. Throws {@link PageFailure}, {@link RetryLater}, or what aborted the task. */
export async function fetchPage(session: HttpSession, task: PageTask): Promise<Page> {
  const { ctx, params, counters } = session;
  using download = new BodyDownload(task.path);
  for (let tries = 1, progressTries = 0;; tries++) {
    await session.pacer.turn(ctx.signal);
    ctx.signal.throwIfAborted();
    counters.requests++;
    const bytesBefore = download.bytes;
    try {
      return await tryPage(session, task, { download, tries });
    } catch (error) {
      if (ctx.signal.aborted || !(error instanceof HttpFailure)) throw error;
      const moved = download.bytes - bytesBefore >= progressBytes;
      if (moved && progressTries++ < progressTriesMax) tries--;
      if (error.kind === "final" || tries >= params.requestRetry.tries) {
        throw pageFailure(session, task.prepared, error, tries);
      }
      await rest(session, task.prepared, error, tries);
    }
  }
}

async function tryPage(
  session: HttpSession,
  { prepared, known, refuse }: PageTask,
  { download, tries }: { download: BodyDownload; tries: number },
): Promise<Page> {
  const { ctx: { clock, signal }, params, counters } = session;
  const received = await download.receive(prepared, { clock, signal, limits: params, known });
  if (received === "not_modified") return { kind: "not_modified" };
  counters.bytes += received.bytes;
  if (received.status === 204) return { kind: "empty", headers: received.headers };
  try {
    const body = await inspectBody(received, params);
    if (body.empty) return { kind: "empty", headers: received.headers };
    refuse?.({ download: received, body }, tries);
    return { kind: "page", download: received, body };
  } catch (error) {
    download.reset();
    throw error;
  }
}

/** Wait before the next try. Throws {@link RetryLater} when the source asks for too long. */
async function rest(
  session: HttpSession,
  { method, url }: Prepared,
  failure: HttpFailure,
  tries: number,
): Promise<void> {
  const { ctx, params: { requestRetry: retry }, counters, log } = session;
  const throttled = failure.kind === "throttled";
  const chance = throttled && failure.retryAfterMs === null ? 1 : session.chance();
  const waitMs = Math.max(failure.retryAfterMs ?? 0, backoffMs(retry, tries, chance));
  const fields = {
    request: `${method} ${showUrl(session, url)}`,
    status: failure.status,
    triesUsed: tries,
    waitMs,
  };
  log.warn(`Asking again: ${failure.message}`, fields);
  counters.retries++;
  if (throttled) counters.throttled++;
  if (waitMs > retry.holdMsMax) {
    throw new RetryLater(waitMs, session.redact(`source "${session.source}": ${failure.message}`));
  }
  counters.waitedMs += waitMs;
  await ctx.clock.sleep(waitMs, { signal: ctx.signal });
  ctx.signal.throwIfAborted();
}

function pageFailure(
  session: HttpSession,
  { method, url }: Prepared,
  failure: HttpFailure,
  tries: number,
): PageFailure {
  const message = `Cannot collect "${session.source}" by ${method} ${showUrl(session, url)}` +
    `${tries > 1 ? ` in ${tries} tries` : ""}: ${failure.message}`;
  return new PageFailure(session.redact(message), failure, tries);
}
