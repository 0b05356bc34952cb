/** @module The folders of a child and of the attempts in it. */
import type { JobFolders } from "../../src/worker/executor.ts";

/** Folders of one child: `work` is writable for it, `input` readable. */
export interface ChildFolders {
  dir: string;
  workDir: string;
  inputDir: string;
}

/** Make a child's folders, for the user that it runs as. */
export function makeChildFolders(
  dir: string,
  user: { uid: number; gid: number } | null,
): ChildFolders {
  const folders = { dir, workDir: `${dir}/work`, inputDir: `${dir}/input` };
  Deno.mkdirSync(dir, { recursive: true, mode: 0o755 });
  for (const path of [folders.workDir, folders.inputDir]) Deno.mkdirSync(path);
  if (user) Deno.chownSync(folders.workDir, user.uid, user.gid);
  return folders;
}

/** The child that folders belong to. */
type Owner = { dir: string; user: { uid: number; gid: number } | null };

/** A folder that an attempt left empty: the child's next one takes it, which spares the disk. */
const spares = new WeakMap<Owner, JobFolders>();

/** The empty folder of the child's attempt number `sequence`. */
export function takeFolders(owner: Owner, sequence: number): JobFolders {
  const spare = spares.get(owner);
  if (spare) {
    spares.delete(owner);
    return spare;
  }
  const { dir, user } = owner;
  const folders = { workDir: `${dir}/work/${sequence}`, inputDir: `${dir}/input/${sequence}` };
  Deno.mkdirSync(folders.workDir);
  if (user) Deno.chownSync(folders.workDir, user.uid, user.gid);
  return folders;
}

/** Keep an attempt's folders for the next one when nothing is in them; else remove them behind. */
export function returnFolders(owner: Owner, folders: JobFolders): void {
  if (isEmpty(folders.workDir) && isEmpty(`${owner.dir}/input`)) {
    spares.set(owner, folders);
    return;
  }
  for (const path of [folders.workDir, folders.inputDir]) {
    Deno.remove(path, { recursive: true }).catch(() => {});
  }
}

function isEmpty(dir: string): boolean {
  try {
    for (const _entry of Deno.readDirSync(dir)) return false;
    return true;
  } catch {
    return false;
  }
}
