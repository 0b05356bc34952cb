/** @module All files below a folder. */

/** Their paths; links are not followed, and what goes away meanwhile is left out. */
export async function walk(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) found.push(...await walk(path).catch(() => []));
    else if (isFile) found.push(path);
  }
  return found;
}
