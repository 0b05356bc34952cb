/** @module Why a request failed, and what that says about asking again. */

/** What to do about it: never again, again, or again once the source has had its rest. */
export type FailureKind = "final" | "retry" | "throttled";

/** A request that did not bring what it was for. Its message may still hold secrets. */
export class HttpFailure extends Error {
  override readonly name = "HttpFailure";
  readonly kind: FailureKind;
  /** HTTP status of the answer, if there was one. */
  readonly status: number | null;
  /** The source's own word on when to come back. */
  readonly retryAfterMs: number | null;

  constructor(
    kind: FailureKind,
    message: string,
    { status = null, retryAfterMs = null }: {
      status?: number | null;
      retryAfterMs?: number | null;
    } = {},
  ) {
    super(message);
    this.kind = kind;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The source wants to be left alone for longer than an attempt should wait. */
export class RetryLater extends Error {
  override readonly name = "RetryLater";
  constructor(readonly waitMs: number, reason: string) {
    super(reason);
  }
}

/** Below 500. */
const retryable = new Set([408, 409, 416, 423, 425, 429]);

/** The failure that an answer other than 2xx and 304 stands for; `excerpt` is of its body. */
export function failureOf(response: Response, excerpt: string, now: Date): HttpFailure {
  const { status } = response;
  const retryAfterMs = parseRetryAfter(response.headers, now);
  const again = retryable.has(status) || status >= 500;
  const kind: FailureKind = status === 429 || (status === 503 && retryAfterMs !== null)
    ? "throttled"
    : again
    ? "retry"
    : "final";
  const hint = status === 401 || status === 403
    ? "; check the connection's secret and how its extra.auth shows it"
    : "";
  const said = excerpt === "" ? "" : `: ${excerpt}`;
  return new HttpFailure(kind, `the source answered ${status}${said}${hint}`, {
    status,
    retryAfterMs,
  });
}

/**
 * Milliseconds that a `Retry-After` asks for, in seconds or as a date; null without one. A date is
 * compared with the answer's own `Date`, so that a clock that is wrong here does not matter.
 */
export function parseRetryAfter(headers: Headers, now: Date): number | null {
  const text = headers.get("retry-after")?.trim();
  if (!text) return null;
  if (/^\d+(\.\d+)?$/.test(text)) return Math.ceil(Number(text) * 1000);
  const at = Date.parse(text);
  if (Number.isNaN(at)) return null;
  const served = Date.parse(headers.get("date") ?? "");
  return Math.max(0, at - (Number.isNaN(served) ? now.getTime() : served));
}

/** Wait before try number `tries + 1`: full jitter over a doubling, capped delay. */
export function backoffMs(
  { delayMs, delayMsMax }: { delayMs: number; delayMsMax: number },
  tries: number,
  chance: number,
): number {
  return Math.floor(Math.min(delayMs * 2 ** Math.min(tries - 1, 30), delayMsMax) * chance);
}

/** A text on one line, cut to a length that an error can carry. */
export function excerpt(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, " ");
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
