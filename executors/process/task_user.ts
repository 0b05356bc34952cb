/** @module May task processes run as another user here? */
import { messageOf } from "../../src/model/errors.ts";

/** A user of the operating system, by number. */
export interface TaskUser {
  uid: number;
  gid: number;
}

/**
 * Null when that user can run Deno, work in folders below `dir` and read all of `read`; otherwise the
 * sentence that says what it cannot.
 */
export async function canRunAs(
  { uid, gid }: TaskUser,
  { dir, read }: { dir: string; read: readonly string[] },
): Promise<string | null> {
  const probe = `
    for (const path of Deno.args) for await (const _ of Deno.readDir(path)) break;
    await Deno.stat(Deno.cwd());`;
  try {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-config", "--no-lock", probe, ...read, denoDir()],
      cwd: dir,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      uid,
      gid,
    }).output();
    if (success) return null;
    return new TextDecoder().decode(stderr).trim().split("\n")[0];
  } catch (error) {
    return `Deno cannot be started as user ${uid}: ${messageOf(error)}`;
  }
}

/** Where Deno keeps packages: a child that cannot read them cannot start. */
function denoDir(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? ""}/.cache`;
  return Deno.env.get("DENO_DIR") ?? `${cache}/deno`;
}
