/** @module Names of fields as the engine takes them: it tells no case, and knows no empty name. */

/** The names, with numbers behind those that are taken. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name, i) => {
    const plain = name === "" ? `field_${i}` : name;
    let unique = plain;
    for (let n = 1; taken.has(unique.toLowerCase()); n++) unique = `${plain}_${n}`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}
