/** @module SQL over stored files, for people who look at data: an engine with small limits. */
import type { TableReader } from "../api/parts.ts";
import type { EnginePool } from "../engine/pool.ts";
import type { ObjectStore } from "../objects/port.ts";

/** Memory of one look. */
const MEMORY_BYTES = 512 * 1024 * 1024;

/** A reader whose engines come from `engines`; copies of remote objects go to `workDir`. */
export function tableReader(
  { engines, objects, workDir }: { engines: EnginePool; objects: ObjectStore; workDir: string },
): TableReader {
  return {
    async read({ keys, sql, params, rowsMax }) {
      await Deno.mkdir(workDir, { recursive: true });
      const dir = await Deno.makeTempDir({ dir: workDir });
      try {
        const paths = await Promise.all(keys.map((key) => objects.materialize(key, dir)));
        const engine = await engines.start({
          workDir: dir,
          allowedPaths: paths,
          memoryBytes: MEMORY_BYTES,
        });
        try {
          return await engine.run(withPaths(sql, paths), { params, rowsMax });
        } finally {
          await engine.close();
        }
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    },
  };
}

/** `$file1` and so on become the paths as SQL text. */
function withPaths(sql: string, paths: readonly string[]): string {
  return sql.replace(/\$file(\d+)/g, (_whole, n) => {
    const path = paths[Number(n) - 1];
    return `'${path.replaceAll("'", "''")}'`;
  });
}
