/** @module A look into stored tables: each in an engine of its own, which sees those files only. */
import type { EnginePool } from "../engine/pool.ts";
import { deadline } from "../base/clock.ts";
import type { ObjectStore } from "../objects/port.ts";
import type { TableReader } from "./parts.ts";

/** Memory of one look. */
const MEMORY_BYTES = 512 * 1024 * 1024;
/** Longest time of one look. */
const READ_MS = 20_000;
/** Looks at the same time; others wait. */
const AT_ONCE = 2;

/** A reader over engine processes. */
export function engineTables(
  { engines, objects }: { engines: EnginePool; objects: ObjectStore },
): TableReader {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function enter() {
    if (running >= AT_ONCE) await new Promise<void>((go) => waiting.push(go));
    else running++;
  }
  function leave() {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }

  return {
    async read(keys, sql, { rowsMax, params }) {
      await enter();
      const workDir = await Deno.makeTempDir({ prefix: "tidewheel-look-" });
      try {
        const paths = await Promise.all(keys.map((key) => objects.materialize(key, workDir)));
        const engine = await engines.start({
          workDir,
          allowedPaths: paths,
          memoryBytes: MEMORY_BYTES,
          threads: 1,
        });
        try {
          using signal = deadline(READ_MS);
          return await engine.run(sql(paths), { rowsMax, params, signal });
        } finally {
          await engine.close();
        }
      } finally {
        leave();
        await Deno.remove(workDir, { recursive: true }).catch(() => {});
      }
    },
  };
}
