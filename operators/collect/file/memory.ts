/** @module Which files were taken: a durable state of the task, written with the version itself. */
import type { TaskContext } from "../../../src/sdk/context.ts";
import { FinalError } from "../../../src/sdk/operator.ts";
import { isSame, lookAt, type SeenFile } from "./scan.ts";
import type { CollectFileParams } from "./mod.ts";

/** The key in the task's state. */
export const takenKey = "file.taken";
/** Files that are remembered; those that are gone from the folder are forgotten first. */
export const rememberMax = 1_000;

/** A file that was taken. */
export type TakenFile = SeenFile & {
  sha256: string;
  partition: string;
  takenAt: string;
  /** The same content was there again, then. */
  seenAgainAt?: string;
  /** Moved or deleted, as the task was told to. */
  put?: "away";
};

/** Files that earlier successful runs took. */
export function takenBefore(ctx: TaskContext): TakenFile[] {
  return ctx.state.get<TakenFile[]>(takenKey) ?? [];
}

/**
 * Put away the files of earlier successes: being in the state proves that their version is durable.
 * A file that is no longer the one that was taken stays where it is.
 */
export async function putAway(
  folder: string,
  taken: readonly TakenFile[],
  { afterwards, moveTo, ready }: Pick<CollectFileParams, "afterwards" | "moveTo" | "ready">,
): Promise<{ taken: TakenFile[]; paths: string[] }> {
  if (afterwards === "keep") return { taken: [...taken], paths: [] };
  const paths: string[] = [];
  const after: TakenFile[] = [];
  for (const file of taken) {
    if (file.put !== "away" && isSame(file, await lookAt(folder, file.path))) {
      const companions = [".sha256", ".md5", ...(ready.kind === "marker" ? [ready.suffix] : [])];
      for (const path of [file.path, ...companions.map((suffix) => file.path + suffix)]) {
        if (afterwards === "delete") await removeFile(`${folder}/${path}`);
        else await moveFile(folder, path, moveTo ?? `${folder}/taken`);
      }
      paths.push(file.path);
    }
    after.push({ ...file, put: "away" });
  }
  return { taken: after, paths };
}

/** The state to store: at most {@link rememberMax} files. Throws when more are still in the folder. */
export function remember(
  taken: readonly TakenFile[],
  there: readonly SeenFile[],
  folder: string,
): TakenFile[] {
  const present = new Map(there.map((file) => [file.path, file]));
  const isPresent = (file: TakenFile) => isSame(file, present.get(file.path) ?? null);
  const kept = taken.filter(isPresent);
  if (kept.length > rememberMax) {
    throw new FinalError(
      `Cannot remember more than ${rememberMax} files of ${folder}, and ${kept.length} that were ` +
        'taken are still there: set afterwards to "move" or "delete", or clear the folder',
    );
  }
  const gone = taken.filter((file) => !isPresent(file));
  const room = rememberMax - kept.length;
  const newestGone = room === 0 ? [] : gone.slice(-room);
  const keep = new Set([...kept, ...newestGone]);
  return taken.filter((file) => keep.has(file));
}

async function removeFile(path: string): Promise<void> {
  await Deno.remove(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** Never over a file that is there already: that one gets a number behind it. */
async function moveFile(folder: string, path: string, to: string): Promise<void> {
  const slash = path.lastIndexOf("/") + 1;
  await Deno.mkdir(`${to}/${path.slice(0, slash)}`, { recursive: true });
  for (let n = 0; n < 10_000; n++) {
    const target = `${to}/${path}${n === 0 ? "" : `.${n}`}`;
    if (await Deno.lstat(target).then(() => true, () => false)) continue;
    return await renameOrCopy(`${folder}/${path}`, target);
  }
  throw new Error(`Cannot move ${folder}/${path} to ${to}: 10000 files of that name are there`);
}

async function renameOrCopy(from: string, to: string): Promise<void> {
  try {
    await Deno.rename(from, to);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if ((error as { code?: string }).code !== "EXDEV") throw error;
    await Deno.copyFile(from, to);
    await Deno.remove(from);
  }
}
