/** @module A worker's own folder, where its children live: no two living workers share one. */
import { join } from "node:path";

/** A folder that is ours until it is given back, or this process ends in whatever way. */
export interface WorkDir {
  dir: string;
  release(): void;
}

/**
 * Take the first folder below `parent` that no other worker of these queues has. A worker ends what
 * it finds running there: it can only be what an earlier one left.
 */
export async function takeWorkDir(parent: string, queues: readonly string[]): Promise<WorkDir> {
  const name = `worker-${queues.join("-").replaceAll("*", "all").replace(/[^\w.-]/g, "_")}`;
  for (let n = 1;; n++) {
    const dir = join(parent, n === 1 ? name : `${name}-${n}`);
    await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
    const lock = await Deno.open(join(dir, "owner.lock"), { create: true, write: true });
    if (await lock.tryLock(true)) return { dir, release: () => lock.close() };
    lock.close();
  }
}
