/** @module Errors of PostgreSQL and its driver as the product's own. */
import { AppError, messageOf } from "../model/errors.ts";

/** Codes of the driver and of PostgreSQL that mean: not now, perhaps later. */
const unavailableCodes = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "EPIPE",
  "CONNECT_TIMEOUT",
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "53300",
  "57P01",
  "57P02",
  "57P03",
  "57P05",
  "25P03",
]);

/** SQLSTATE, or the driver's own code, of anything thrown by a query; "" where it has none. */
export function sqlCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

/** Is the server away, starting, stopping or full, so that the same call may succeed later? */
export function isUnavailable(error: unknown): boolean {
  const code = sqlCode(error);
  return unavailableCodes.has(code) || code.startsWith("08") || isMissingSocket(error);
}

/** A server that is away has no socket; a missing file of another kind says nothing of the server. */
function isMissingSocket(error: unknown): boolean {
  return sqlCode(error) === "ENOENT" && (error as { syscall?: unknown }).syscall === "connect";
}

/** Did a unique key refuse the row (of the constraint `name`, where given)? */
export function isDuplicate(error: unknown, name?: string): boolean {
  return sqlCode(error) === "23505" &&
    (name === undefined || (error as { constraint_name?: string }).constraint_name === name);
}

/**
 * What to throw for an error of a query: UNAVAILABLE, DISK_FULL, or the error itself when it says
 * nothing about the server's state. `doing` completes "Cannot …".
 */
export function databaseError(error: unknown, doing: string): unknown {
  if (error instanceof AppError) return error;
  const code = sqlCode(error);
  if (isUnavailable(error)) {
    return new AppError(
      "UNAVAILABLE",
      `Cannot ${doing}: the database is not reachable now (${code}: ${messageOf(error)})`,
      { cause: error, detail: { code } },
    );
  }
  if (code === "53100") {
    return new AppError("DISK_FULL", `Cannot ${doing}: the database's disk is full`, {
      cause: error,
    });
  }
  return error;
}
