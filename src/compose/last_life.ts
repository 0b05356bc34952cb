/**
 * @module What a service that was killed left behind. Its next life knows by itself that nobody leads
 * and that its attempts are over, so nobody has to wait until heartbeats and renewals are missed.
 */
import { join } from "node:path";
import { endLost } from "../scheduler/heartbeat_watch.ts";
import type { DatabaseParts } from "./parts.ts";

/** Put this life's id on record in the worker's own folder; returns the id of the life before it. */
export async function recordLife(workDir: string, workerId: string): Promise<string | null> {
  await Deno.mkdir(workDir, { recursive: true });
  const file = join(workDir, "worker.id");
  const last = await Deno.readTextFile(file).catch(() => null);
  await Deno.writeTextFile(file, `${workerId}\n`);
  return last?.trim() || null;
}

/**
 * Free the lease of a scheduler that was killed, so that nobody waits until it expires. Only where the
 * database is this process's own: then no other scheduler lives that could hold it.
 */
export async function freeLastLease(
  { store, database }: Pick<DatabaseParts, "store" | "database">,
): Promise<void> {
  const lease = database && await store.readLease();
  if (lease && lease.holder !== "") await store.releaseLease(lease);
}

/**
 * End the attempts of a life that is over: their tasks are queued again without using up a try. Call
 * it once nothing of that life runs any more, its children included.
 */
export async function endLastLife(
  { store, clock, log }: Pick<DatabaseParts, "store" | "clock" | "log">,
  workerId: string | null,
): Promise<void> {
  if (workerId === null) return;
  const left = [...await store.readHeartbeats()].filter(([, beat]) => beat.workerId === workerId);
  if (left.length === 0) return;
  const now = clock.now();
  const message = `Worker "${workerId}" was killed: its next life found the attempt unfinished`;
  const endings = left.map(([attemptId]) => ({
    ...endLost({ attemptId, workerId, stillMs: 0 }, now),
    evidence: { message },
  }));
  await store.endAttempts(endings, now);
  log.warn("Gave back what a killed life of this worker left running", { attempts: left.length });
}
