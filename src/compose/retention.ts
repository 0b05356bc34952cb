/**
 * @module What retention removes outside of the database: logs and files of attempts that nobody refers
 * to, bundles without a DAG version, and what the local cache holds of them.
 */
import type { Clock } from "../base/clock.ts";
import { limits } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import { bundleKey } from "../contract/bundle.ts";
import { logKey } from "../logs/mod.ts";
import { messageOf } from "../model/errors.ts";
import { sweepCache } from "../objects/cache_sweep.ts";
import type { ObjectStore } from "../objects/port.ts";
import type { Sql } from "../store/database.ts";
import {
  attemptsInState,
  forgetRemoved,
  markUnsuccessful,
  neededBundles,
  nextUnsuccessful,
  postponeRemoved,
  publishedKeys,
  type RemovedAttempt,
  removeUnusedBundle,
  takeRemoved,
} from "../store/leftover.ts";

/** What {@link leftoverSweep} needs. */
export interface LeftoverParts {
  sql: Sql;
  clock: Clock;
  log: Logger;
  objects: ObjectStore;
  /** Local folder of growing logs. */
  logsDir: string;
  /** Local cache of bundles. */
  cacheDir: string;
}

/** What one pass removed. */
export type Leftovers = {
  logs: number;
  files: number;
  bytes: number;
  bundles: number;
  cachedBundles: number;
  runtimes: number;
};

/** Attempts looked at together, and how many of them at the same time. */
const BATCH = limits.retentionBatch;
const AT_ONCE = 8;
/** Keys that are asked for in one statement. */
const KEYS = 500;

/**
 * One pass: resolves with what it removed. `before`: runs that ended earlier were removed. It can be
 * cut off at any point, by `signal` or by a crash, and the next one goes on.
 */
export function leftoverSweep(parts: LeftoverParts) {
  return async (before: Date, signal?: AbortSignal): Promise<Leftovers> => {
    const { sql, clock, log, objects, cacheDir } = parts;
    const removed: Leftovers = {
      ...{ logs: 0, files: 0, bytes: 0 },
      ...{ bundles: 0, cachedBundles: 0, runtimes: 0 },
    };
    const old = new Date(clock.now().getTime() - limits.leftoverMs);
    const more = () => signal?.aborted !== true;
    while (more() && await sweepRemoved(parts, removed));
    while (more() && await sweepUnsuccessful(parts, old, removed));
    const remove = (hash: string) => objects.delete(bundleKey(hash));
    while (more() && await removeUnusedBundle(sql, { before: old, remove })) removed.bundles++;
    if (more()) {
      const needed = (hashes: readonly string[]) => neededBundles(sql, hashes);
      const swept = await sweepCache({ cacheDir, before: old, needed, signal });
      removed.cachedBundles = swept.bundles;
      removed.runtimes = swept.runtimes;
      await removeEmptyDays(parts.logsDir, before);
    }
    if (Object.values(removed).some((count) => count > 0)) {
      log.info("Removed files that nothing refers to", { ...removed });
    }
    return removed;
  };
}

/** Attempts whose rows are gone; false: there are no more for now. */
async function sweepRemoved(parts: LeftoverParts, removed: Leftovers): Promise<boolean> {
  const { sql, clock, log } = parts;
  const now = clock.now();
  const taken = await takeRemoved(sql, { now, limit: BATCH });
  if (taken.length === 0) return false;
  const inState = await attemptsInState(sql, taken.map(({ id }) => id));
  const done: string[] = [];
  const failures: unknown[] = [];
  await each(taken, async (attempt) => {
    try {
      await removeAllOf(parts, { attempt, isInState: inState.has(attempt.id), removed });
      done.push(attempt.id);
    } catch (error) {
      failures.push(error);
      log.warn("Could not remove what an attempt left: it is tried again in an hour", {
        attempt: attempt.id,
        error: messageOf(error),
      });
    }
  });
  await forgetRemoved(sql, done.filter((id) => !inState.has(id)));
  await postponeRemoved(sql, done.filter((id) => inState.has(id)), { now });
  if (done.length === 0) throw failures[0];
  return taken.length === BATCH;
}

async function removeAllOf(
  parts: LeftoverParts,
  { attempt: { id, isLineage }, isInState, removed }: {
    attempt: RemovedAttempt;
    isInState: boolean;
    removed: Leftovers;
  },
): Promise<void> {
  const { objects, logsDir } = parts;
  const log = logKey(id);
  await Deno.remove(`${logsDir}/${log}`).catch(ignoreMissing);
  if (await objects.stat(`logs/${log}`)) {
    await objects.delete(`logs/${log}`);
    removed.logs++;
  }
  if (!isLineage && !isInState) await removeFiles(parts, id, removed);
}

/** Attempts that left files and had no success; false: there are no more for now. */
async function sweepUnsuccessful(
  parts: LeftoverParts,
  before: Date,
  removed: Leftovers,
): Promise<boolean> {
  const { sql } = parts;
  const found = await nextUnsuccessful(sql, { before, limit: BATCH });
  if (found.length === 0) return false;
  const inState = await attemptsInState(sql, found.map(({ id }) => id));
  const free = found.filter(({ id, isNamed }) => !isNamed && !inState.has(id));
  await each(free, ({ id }) => removeFiles(parts, id, removed));
  await markUnsuccessful(sql, found.at(-1)!);
  return found.length === BATCH;
}

/** Files of one attempt, but for those that a dataset version refers to. */
async function removeFiles(
  { sql, objects }: LeftoverParts,
  attemptId: string,
  removed: Leftovers,
): Promise<void> {
  let some: { key: string; bytes: number }[] = [];
  const removeSome = async () => {
    const kept = await publishedKeys(sql, some.map(({ key }) => key));
    for (const { key, bytes } of some.filter(({ key }) => !kept.has(key))) {
      await objects.delete(key);
      removed.files++;
      removed.bytes += bytes;
    }
    some = [];
  };
  for await (const { key, bytes } of objects.list(`attempts/${attemptId}/`)) {
    some.push({ key, bytes });
    if (some.length === KEYS) await removeSome();
  }
  if (some.length > 0) await removeSome();
}

/** Folders of days on which no kept attempt began. */
async function removeEmptyDays(logsDir: string, before: Date): Promise<void> {
  const day = before.toISOString().slice(0, 10).replaceAll("-", "");
  for await (const { name, isDirectory } of Deno.readDir(logsDir)) {
    // One that is not empty stays: removing it fails.
    if (isDirectory && name < day) await Deno.remove(`${logsDir}/${name}`).catch(() => {});
  }
}

/** Do this for each, a few at the same time. */
async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
