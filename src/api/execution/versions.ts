/** @module DAG versions in memory: they never change, and every claim and ending needs one. */
import { AppError } from "../../model/errors.ts";
import type { TaskSpec } from "../../model/dag_spec.ts";
import type { DagVersion, EngineStore } from "../../store/port.ts";

/** A version with its tasks by id. */
export interface CachedVersion extends DagVersion {
  tasks: ReadonlyMap<string, TaskSpec>;
  /** Direct downstream tasks of one. */
  downstream(taskId: string): ReadonlySet<string>;
  /** Time zone of the schedule; "UTC" where it has none. */
  timezone: string;
}

/** Gives DAG versions by id. */
export interface Versions {
  /** All of these, by id; those that do not exist are left out. */
  load(ids: Iterable<string>): Promise<Map<string, CachedVersion>>;
  /** One of them; throws NOT_FOUND. */
  get(id: string): Promise<CachedVersion>;
}

/** Keeps the `size` versions used last. */
export function versionCache(
  store: Pick<EngineStore, "loadDagVersions">,
  { size = 2_000 }: { size?: number } = {},
): Versions {
  const cache = new Map<string, CachedVersion>();

  async function load(ids: Iterable<string>) {
    const found = new Map<string, CachedVersion>();
    const missing: string[] = [];
    for (const id of new Set(ids)) {
      const version = cache.get(id);
      if (version) found.set(id, version);
      else missing.push(id);
    }
    if (missing.length > 0) {
      for (const version of await store.loadDagVersions(missing)) {
        const { tasks } = version.spec;
        const cached = {
          ...version,
          tasks: new Map(tasks.map((task) => [task.taskId, task])),
          downstream: (taskId: string) =>
            new Set(
              tasks.filter((task) => task.upstream.includes(taskId)).map((task) => task.taskId),
            ),
          timezone: version.spec.timezone,
        };
        if (cache.size >= size) cache.delete(cache.keys().next().value!);
        cache.set(version.id, cached);
        found.set(version.id, cached);
      }
    }
    return found;
  }

  return {
    load,
    async get(id) {
      const version = cache.get(id) ?? (await load([id])).get(id);
      if (version) return version;
      throw new AppError("NOT_FOUND", `Cannot find DAG version "${id}"`);
    },
  };
}
