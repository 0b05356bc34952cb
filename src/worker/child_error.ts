/** @module Errors on their way from a task's code to whoever reports them. */
import type { ChildError } from "../contract/child.ts";
import { AppError, type ErrorCode, errorCodes, messageOf } from "../model/errors.ts";

const CAUSES_MAX = 8;
const CLASSES_MAX = 16;
const STACK_CHARS_MAX = 16_000;
const MESSAGE_CHARS_MAX = 16_000;

/**
 * What of `error` crosses a process boundary. A refusal by the runtime is found also where other
 * errors were wrapped around it.
 */
export function toChildError(error: unknown): ChildError {
  if (!(error instanceof Error)) return { name: "Error", message: cut(shown(error)) };
  const refusal = refusalIn(error);
  const { code, final, detail } = error as {
    code?: unknown;
    final?: unknown;
    detail?: Record<string, unknown>;
  };
  const message = refusal && refusal !== error && !error.message.includes(refusal.message)
    ? `${error.message}: ${refusal.message}`
    : error.message;
  return {
    name: refusal?.name ?? error.name,
    ...(typeof code === "string" ? { code } : {}),
    classes: classesOf(error),
    message: cut(message),
    stack: stackOf(error),
    ...(final === true ? { final: true } : {}),
    ...(isJsonSafe(detail) ? { detail } : {}),
  };
}

/** The error that stands for `given` on this side of the boundary. */
export function fromChildError(given: ChildError): Error {
  if (errorCodes.includes(given.code as ErrorCode)) {
    return new AppError(given.code as ErrorCode, given.message, { detail: given.detail });
  }
  const error = new Error(given.message);
  error.name = given.name;
  return Object.assign(error, given.code === undefined ? {} : { code: given.code });
}

/** Did the runtime refuse something for want of a permission? Of imports only the message says so. */
export function isRefusal({ name, message }: { name: string; message: string }): boolean {
  return name === "NotCapable" || name === "PermissionDenied" ||
    /^Requires import access to "/.test(message);
}

/** From its own class up to Error. */
function classesOf(error: Error): string[] {
  const classes: string[] = [];
  let at = Object.getPrototypeOf(error);
  while (at instanceof Error || at === Error.prototype) {
    if (classes.length === CLASSES_MAX) break;
    const name: unknown = at.constructor?.name;
    if (typeof name === "string" && name !== "") classes.push(name.slice(0, 200));
    at = Object.getPrototypeOf(at);
  }
  return classes;
}

function refusalIn(error: Error): Error | null {
  let at: unknown = error;
  for (let depth = 0; depth < CAUSES_MAX && at instanceof Error; depth++) {
    if (at.name === "NotCapable") return at;
    at = at.cause;
  }
  return null;
}

function stackOf(error: Error): string | undefined {
  const cause = error.cause instanceof Error ? `\nCaused by ${error.cause.stack ?? ""}` : "";
  return error.stack === undefined ? undefined : (error.stack + cause).slice(0, STACK_CHARS_MAX);
}

function isJsonSafe(detail: unknown): detail is Record<string, unknown> {
  if (typeof detail !== "object" || detail === null || Array.isArray(detail)) return false;
  try {
    return JSON.stringify(detail).length <= MESSAGE_CHARS_MAX;
  } catch {
    return false;
  }
}

function shown(thrown: unknown): string {
  try {
    return `The task threw ${typeof thrown === "string" ? thrown : JSON.stringify(thrown)}`;
  } catch {
    return `The task threw ${messageOf(thrown)}`;
  }
}

function cut(message: string): string {
  return message.length > MESSAGE_CHARS_MAX ? message.slice(0, MESSAGE_CHARS_MAX) + "…" : message;
}
