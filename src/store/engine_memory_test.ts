import { engineStoreSuite } from "../../tests/conformance/engine_store.ts";
import { VirtualClock } from "../base/clock.ts";
import { seededIds } from "../base/ids.ts";
import { seededRandom } from "../base/random.ts";
import { memoryEngineStore } from "./engine_memory.ts";

engineStoreSuite("memory store", () => {
  const clock = new VirtualClock();
  const ids = seededIds(clock, seededRandom(1));
  const store = memoryEngineStore({ clock, ids });
  return Promise.resolve({
    store,
    clock,
    addDag(spec) {
      const id = ids.uuid();
      store.addDag({
        dagId: spec.dagId,
        isPaused: false,
        isStale: false,
        dagVersionId: id,
        spec,
        lastInterval: null,
        nextRunAt: null,
      }, { id, dagId: spec.dagId, versionNumber: 1, spec, bundleHash: "0", entry: "x.ts" });
      return Promise.resolve(id);
    },
    published: () =>
      Promise.resolve(
        store.datasets().map((v) => ({
          dataset: v.intent.dataset,
          partition: v.intent.partition,
          version: v.version,
          knownAt: v.knownAtMs.toFixed(3),
        })),
      ),
    outbox: () => Promise.resolve(store.outbox()),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});
