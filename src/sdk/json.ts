/** @module What survives JSON: as types for task outputs, and as a check of values. */

import type { OutcomeValue } from "./outcome.ts";

/** A JSON value. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Stands in a compile error at the place of a part that JSON would change or lose. */
export interface NotJson<Problem extends string> {
  readonly "this value does not survive JSON": Problem;
}

/**
 * `T` where each of its parts comes out of JSON as it went in; a bad part becomes a
 * {@link NotJson}, to which nothing fits, so that the compiler names it.
 */
export type Jsonable<T> = 0 extends 1 & T ? T
  : T extends OutcomeValue ? T
  : T extends string | number | boolean | null | undefined | void ? T
  : T extends bigint ? NotJson<"bigint: return it as a string">
  : T extends symbol ? NotJson<"symbol">
  : T extends Date ? NotJson<"Date: return date.toISOString()">
  : T extends (...args: never[]) => unknown ? NotJson<"function">
  : T extends ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
    ? NotJson<"Map or Set: return an object or an array">
  : T extends ArrayBufferView | ArrayBuffer | ReadableStream
    ? NotJson<"bytes: put them into a file and return ctx.files.put(path)">
  : T extends Promise<unknown> ? NotJson<"Promise: await it">
  : T extends object ? { [K in keyof T]: K extends symbol ? T[K] : Jsonable<T[K]> }
  : T;

/**
 * A copy of `value` as plain JSON with object keys sorted at every depth and undefined members left
 * out. `describe` makes the error for the first part that JSON would change or lose.
 */
export function canonical(
  value: unknown,
  describe: (path: string, problem: string) => Error,
): Json {
  return copy(value, "", describe, 0);
}

const depthMax = 200;

function copy(
  value: unknown,
  path: string,
  describe: (path: string, problem: string) => Error,
  depth: number,
): Json {
  if (depth > depthMax) throw describe(path, `is nested deeper than ${depthMax} levels`);
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (Number.isFinite(value)) return value;
      throw describe(path, `is ${value}, which JSON cannot hold; use null or a string`);
    case "object":
      break;
    default:
      throw describe(path, `is a ${typeof value}, which JSON cannot hold`);
  }
  if (value === null) return null;
  if (Array.isArray(value)) {
    return value.map((item, i) => copy(item ?? null, `${path}[${i}]`, describe, depth + 1));
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    const name = value.constructor?.name ?? "object";
    throw describe(path, `is a ${name}, which JSON would change; use a plain value`);
  }
  const entries: [string, Json][] = [];
  for (const key of Object.keys(value).sort()) {
    const part = (value as Record<string, unknown>)[key];
    if (part === undefined) continue;
    entries.push([key, copy(part, path === "" ? key : `${path}.${key}`, describe, depth + 1)]);
  }
  return Object.fromEntries(entries);
}
