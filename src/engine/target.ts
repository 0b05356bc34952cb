/** @module Where the engine may write: new files of the work folder, never a file that is there. */
import { basename, dirname, join } from "node:path";
import type { EngineTarget } from "../contract/child.ts";
import { AppError } from "../model/errors.ts";

/**
 * The target with its real path. Throws FORBIDDEN outside `writeDir`, inside one of `readDirs` below
 * it, or where a file is already: inputs may be hard links to stored objects.
 */
export async function checkTarget(
  target: EngineTarget,
  { writeDir, readDirs }: { writeDir: string; readDirs: string[] },
): Promise<EngineTarget> {
  const refuse = (why: string) =>
    new AppError("FORBIDDEN", `Cannot write rows to ${target.path}: ${why}`);
  const name = basename(target.path);
  if (!/^[\w.=+@-]{1,200}$/.test(name) || /^\.+$/.test(name)) {
    throw refuse("the file's name may have letters, digits and any of . = + @ - _");
  }
  const folder = await Deno.realPath(dirname(target.path)).catch(() => {
    throw refuse("its folder does not exist");
  });
  if (!isWithin(folder, writeDir)) throw refuse(`only ${writeDir} can be written`);
  const readOnly = readDirs.find((dir) => dir !== writeDir && isWithin(folder, dir));
  if (readOnly !== undefined && !isWithin(writeDir, readOnly)) {
    throw refuse(`${readOnly} is for inputs`);
  }
  const path = join(folder, name);
  if (await Deno.lstat(path).catch(() => null)) throw refuse("a file is there already");
  return { ...target, path };
}

function isWithin(path: string, dir: string): boolean {
  return path === dir || path.startsWith(dir.endsWith("/") ? dir : `${dir}/`);
}
