/** @module What PostgreSQL's jsonb can hold: no NUL, no half of a surrogate pair. */

/** JSON.stringify() writes both as escapes; an escaped backslash before `u` is neither. */
const escapes = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/i;

/** Can this JSON text be kept? */
export function isStorable(json: string): boolean {
  return !escapes.test(json);
}

/** The value with what cannot be kept replaced by U+FFFD; the value itself where all can. */
export function storable<T>(value: T): T {
  const text = JSON.stringify(value);
  if (text === undefined || isStorable(text)) return value;
  return JSON.parse(
    text,
    (_key, part) =>
      typeof part === "string" ? part.toWellFormed().replaceAll("\0", "\uFFFD") : part,
  );
}
