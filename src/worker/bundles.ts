/** @module Brings bundles by hash: from the local cache, else from the API, verified both ways. */
import { findBundle, installBundle, type InstalledBundle } from "../objects/bundle_cache.ts";
import { moduleRuntime } from "../objects/module_runtime.ts";
import type { ExecutionApi } from "./api_client.ts";
import type { JobCode } from "./executor.ts";

/** Where attempts get their code. */
export interface Bundles {
  /**
   * The bundle, ready to be imported. `token` is that of the attempt that needs it. Rejects with
   * CORRUPT, NOT_FOUND, DISK_FULL, or UNAVAILABLE while the API or a package cannot be had.
   */
  get(hash: string, token: string): Promise<JobCode>;
  /** What was brought did not work: look again next time. */
  forget(hash: string): void;
}

/** Bundles remembered by one worker; the oldest go first. */
const REMEMBERED_MAX = 1_000;

/** Bundles in a cache on this machine's disk, which workers can share. */
export function cachedBundles(
  { api, cacheDir }: { api: Pick<ExecutionApi, "bundle">; cacheDir: string },
): Bundles {
  const known = new Map<string, Promise<JobCode>>();

  async function bring(hash: string, token: string): Promise<JobCode> {
    const installed = await findBundle(hash, cacheDir) ??
      await installBundle(hash, await api.bundle(hash, token), cacheDir);
    return await codeOf(installed, cacheDir);
  }

  return {
    get(hash, token) {
      let code = known.get(hash);
      if (code) return code;
      code = bring(hash, token);
      known.set(hash, code);
      code.catch(() => known.delete(hash));
      const [oldest] = known.keys();
      if (known.size > REMEMBERED_MAX) known.delete(oldest);
      return code;
    },
    forget: (hash) => void known.delete(hash),
  };
}

async function codeOf({ dir, npm }: InstalledBundle, cacheDir: string): Promise<JobCode> {
  const { args, env } = await moduleRuntime({ cacheDir, npm });
  return { dir, args, env };
}
