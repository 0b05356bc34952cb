/** @module Which keys an object store takes. */
import { AppError } from "../model/errors.ts";

const SEGMENT = /^[A-Za-z0-9._=+@-]+$/;
const KEY_CHARS_MAX = 900;

/** Throws INVALID unless `key` is a relative path of safe segments, at most 900 characters long. */
export function checkKey(key: string): void {
  const bad = (why: string): never => {
    throw new AppError(
      "INVALID",
      `Cannot use "${key.slice(0, 200)}" as an object key: ${why}; ` +
        `a key is segments of [A-Za-z0-9._=+@-] joined by "/"`,
    );
  };
  if (key.length === 0) bad("it is empty");
  if (key.length > KEY_CHARS_MAX) {
    bad(`it has ${key.length} characters, at most ${KEY_CHARS_MAX} can be`);
  }
  for (const segment of key.split("/")) {
    if (segment === "." || segment === "..") bad(`"${segment}" leads out of the store`);
    if (!SEGMENT.test(segment)) bad(`segment "${segment.slice(0, 80)}" is not allowed`);
  }
}

/** Throws INVALID unless `prefix` is empty or the beginning of a key (`logs/`, `logs/2030-`). */
export function checkPrefix(prefix: string): void {
  if (prefix !== "") checkKey(prefix.replace(/\/$/, ""));
}

/** The errors of a store, worded alike for every kind of store. */
export const objectErrors = {
  notFound: (key: string, where: string, cause?: unknown): AppError =>
    new AppError("NOT_FOUND", `Cannot read object "${key}": ${where} has none with this key`, {
      detail: { key },
      cause,
    }),
  conflict: (key: string): AppError =>
    new AppError(
      "CONFLICT",
      `Cannot put object "${key}": it exists with other content, and objects never change`,
      { detail: { key } },
    ),
  range: (key: string, start: number, bytes: number): AppError =>
    new AppError(
      "INVALID",
      `Cannot read object "${key}" from byte ${start}: it has ${bytes} bytes`,
      { detail: { key, start, bytes } },
    ),
};
