/**
 * @module Errors that callers tell apart, by `code`.
 *
 * A message says what was tried, on what, what is so and what would be right. `detail` is safe to
 * show; `cause` is not. The HTTP status of each code is chosen in `api/` alone.
 */

/** Every error code of the product. */
export const errorCodes = [
  "ILLEGAL_TRANSITION",
  "NOT_FOUND",
  "CONFLICT",
  "INVALID",
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "STALE_ATTEMPT",
  "GONE",
  "TOO_LARGE",
  "LEASE_LOST",
  "UNAVAILABLE",
  "CORRUPT",
  "DAG_BROKEN",
  "LIMIT_EXCEEDED",
  "DISK_FULL",
] as const;
/** One of {@link errorCodes}. */
export type ErrorCode = (typeof errorCodes)[number];

/** Options of every {@link AppError}. */
export interface AppErrorOptions {
  /** Safe to show to whoever asked. */
  detail?: Readonly<Record<string, unknown>>;
  /** For our logs only. */
  cause?: unknown;
}

/** An error with a code that survives a process boundary. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, { detail = {}, cause }: AppErrorOptions = {}) {
    super(message, { cause });
    this.name = "AppError";
    this.code = code;
    this.detail = detail;
  }
}

/** A move that the state table does not have. */
export class IllegalTransitionError extends AppError {
  constructor(what: string, from: string, event: string) {
    super(
      "ILLEGAL_TRANSITION",
      `Cannot apply "${event}" to a ${what}: current state is "${from}"`,
      {
        detail: { from, event },
      },
    );
  }
}

/** Does `error` carry this code (whichever process it came from)? */
export function hasCode(error: unknown, code: ErrorCode): error is AppError {
  return error instanceof Error && (error as { code?: unknown }).code === code;
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
