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

/** Make the empty folder of the child's attempt number `sequence`. */
export function makeFolders(
  { dir, user }: { dir: string; user: { uid: number; gid: number } | null },
  sequence: number,
): JobFolders {
  const folders = { workDir: `${dir}/work/${sequence}`, inputDir: `${dir}/input/${sequence}` };
  Deno.mkdirSync(folders.workDir);
  if (user) Deno.chownSync(folders.workDir, user.uid, user.gid);
  return folders;
}

/** Remove an attempt's folders; what takes long goes on behind. */
export function removeFolders({ workDir, inputDir }: JobFolders): void {
  for (const path of [workDir, inputDir]) {
    try {
      Deno.removeSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      Deno.remove(path, { recursive: true }).catch(() => {});
    }
  }
}
