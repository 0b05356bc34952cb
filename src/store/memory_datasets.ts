/** @module Dataset versions in memory, for `tidewheel run` and the simulation. */
import type { Ids } from "../base/ids.ts";
import { canonicalJson, sha256 } from "../base/hash.ts";
import type { PublishIntent } from "../model/data.ts";

/** One published version. */
export interface MemoryDataset {
  id: string;
  version: number;
  knownAtMs: number;
  sha256: string;
  attemptId: string;
  intent: PublishIntent;
}

/** Versions by dataset and partition; `known_at` always grows within a dataset. */
export function memoryDatasets(ids: Ids) {
  const all: MemoryDataset[] = [];
  return {
    publish(intent: PublishIntent, attemptId: string, now: Date): MemoryDataset {
      const same = all.filter((v) => v.intent.dataset === intent.dataset);
      const last = same.at(-1);
      const made = {
        id: ids.uuid(),
        version: same.filter((v) => v.intent.partition === intent.partition).length + 1,
        knownAtMs: Math.max(now.getTime(), (last?.knownAtMs ?? -Infinity) + 0.001),
        sha256: sha256(canonicalJson(intent.files.map((file) => [file.sha256, file.bytes]))),
        attemptId,
        intent,
      };
      all.push(made);
      return made;
    },
    all: () => [...all],
  };
}
