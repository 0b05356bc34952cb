/** @module All DAG files of a folder, parsed without a database. */
import { systemClock } from "../base/clock.ts";
import { silentLogger } from "../base/log.ts";
import { memoryObjectStore } from "../objects/memory.ts";
import { type MemoryDag, memoryParserStore, parserService } from "../parser/mod.ts";
import type { ImportError } from "../parser/port.ts";
import { awaitedWarning, scheduleWarnings } from "../timetable/mod.ts";

/** What came of the DAG files. */
export interface Parsed {
  dags: readonly MemoryDag[];
  errors: readonly [string, ImportError][];
  warnings: readonly string[];
}

/** With the real parser: in a process that may do nothing, two files of one id refused. */
export async function parseAll(dagsDir: string): Promise<Parsed> {
  const store = memoryParserStore();
  const cacheDir = await Deno.makeTempDir({ prefix: "tidewheel_parse_" });
  const clock = systemClock;
  const parser = parserService({
    ...{ dagsDir, cacheDir, store, clock, log: silentLogger, onHint() {} },
    objects: memoryObjectStore({ clock }),
  });
  try {
    await parser.runOnce();
  } finally {
    await parser.stop();
    await Deno.remove(cacheDir, { recursive: true });
  }
  const dags = [...store.dags.values()].sort((a, b) => (a.dagId < b.dagId ? -1 : 1));
  return {
    dags,
    errors: [...store.importErrors],
    warnings: dags.flatMap(({ current: { spec } }) => {
      const awaited = awaitedWarning(spec, (id) => store.dags.has(id));
      return [...scheduleWarnings(spec, clock.now()), ...(awaited === null ? [] : [awaited])];
    }),
  };
}
