/** @module JSON pointers (RFC 6901). */

/** The value at `pointer` in `document`, or undefined. "" is the whole document. */
export function valueAt(document: unknown, pointer: string): unknown {
  if (pointer === "") return document;
  if (!pointer.startsWith("/")) {
    throw new TypeError(`Cannot read the JSON pointer "${pointer}": it must start with "/"`);
  }
  let value = document;
  for (const token of pointer.slice(1).split("/")) {
    if (value === null || typeof value !== "object") return undefined;
    const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
    value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  return value;
}
