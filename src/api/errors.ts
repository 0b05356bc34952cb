/** @module What an error looks like over HTTP; the status of each code is chosen here alone. */
import { HTTPException } from "hono/http-exception";
import type { ZodError } from "zod";
import { type AppError, type ErrorCode, errorCodes, messageOf } from "../model/errors.ts";
import { databaseError } from "../store/errors.ts";

/** HTTP status of each error code. */
export const statusOfCode: Readonly<Record<ErrorCode, number>> = {
  ILLEGAL_TRANSITION: 409,
  NOT_FOUND: 404,
  CONFLICT: 409,
  INVALID: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  STALE_ATTEMPT: 409,
  GONE: 410,
  TOO_LARGE: 413,
  LEASE_LOST: 503,
  UNAVAILABLE: 503,
  CORRUPT: 500,
  DAG_BROKEN: 409,
  LIMIT_EXCEEDED: 429,
  DISK_FULL: 507,
};

/** The body of every error: `detail` for people, `code` for programs. */
export interface ErrorBody {
  detail: string;
  code: string;
  /** Facts that belong to it: `AppError.detail`. */
  info?: Readonly<Record<string, unknown>>;
  /** With 422: what does not fit, and where. */
  errors?: { loc: (string | number)[]; msg: string; type: string }[];
}

/** An error as its response; what we did not foresee is a 500 that says nothing of its inside. */
export function errorResponse(thrown: unknown): { response: Response; unforeseen: unknown } {
  const error = databaseError(thrown, "answer the request");
  if (isAppError(error)) {
    const { code, message, detail } = error;
    const info = detail && Object.keys(detail).length > 0 ? { info: detail } : {};
    const headers: Record<string, string> = code === "UNAUTHENTICATED"
      ? { "www-authenticate": "Bearer" }
      : {};
    return {
      response: json({ detail: message, code, ...info }, statusOfCode[code], headers),
      unforeseen: statusOfCode[code] === 500 ? thrown : undefined,
    };
  }
  if (error instanceof HTTPException) {
    const detail = messageOf(error) || "Cannot read the request";
    return { response: json({ detail, code: "INVALID" }, error.status), unforeseen: undefined };
  }
  const detail = "Cannot answer the request: the service met an error that it did not expect; " +
    "its log has the details";
  return { response: json({ detail, code: "INTERNAL" }, 500), unforeseen: thrown };
}

/** The HTTP status that an error would be answered with. */
export function statusOf(thrown: unknown): number {
  return errorResponse(thrown).response.status;
}

/** A body that a schema refused; `where` is `query`, `path` or `body`, as in Airflow. */
export function invalidResponse(error: ZodError, where: string): Response {
  const errors = error.issues.map((issue) => ({
    loc: [where, ...issue.path.map((part) => typeof part === "number" ? part : String(part))],
    msg: issue.message,
    type: issue.code,
  }));
  const first = errors[0];
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const detail = `Cannot take the request: ${first.loc.join(".")}: ${first.msg}${more}`;
  return json({ detail, code: "INVALID", errors }, 422);
}

/** A JSON answer. */
export function json(body: ErrorBody, status: number, headers: Record<string, string> = {}) {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json; charset=utf-8", ...headers },
  });
}

const known = new Set<string>(errorCodes);

/** Codes survive process boundaries, classes do not. */
function isAppError(error: unknown): error is AppError {
  return error instanceof Error && known.has((error as { code?: string }).code ?? "");
}
