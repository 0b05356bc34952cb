/** @module Names of columns for fields whose names may be anything. */

/** A name for each: never empty, without NUL, and no two alike. */
export function columnNames(fields: readonly string[]): string[] {
  const taken = new Set<string>();
  return fields.map((field) => {
    let name = field.replaceAll("\0", "\\u0000") || "_";
    while (taken.has(name)) name += "_";
    taken.add(name);
    return name;
  });
}
