/** @module Files below a folder. */

/** Paths of all files below, in order. */
export function walk(dir: string): string[] {
  return [...Deno.readDirSync(dir)].toSorted((a, b) => a.name < b.name ? -1 : 1).flatMap(
    ({ name, isDirectory }) => isDirectory ? walk(`${dir}/${name}`) : [`${dir}/${name}`],
  );
}
