/** @module Names and values as SQL text. */

/** A column's or table's name. */
export function ident(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A list of strings. */
export function literals(texts: readonly string[]): string {
  return `[${texts.map(literal).join(", ")}]`;
}
