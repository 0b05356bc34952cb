/** @module A dags folder for one test, with a parser over it. */
import { type Clock, VirtualClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/log.ts";
import { memoryObjectStore } from "../../src/objects/memory.ts";
import type { ObjectStore } from "../../src/objects/port.ts";
import { type MemoryParserStore, memoryParserStore } from "../../src/parser/memory_store.ts";
import { type ParserOptions, type ParserService, parserService } from "../../src/parser/service.ts";

/** A folder that is removed at the end of the test. */
export interface DagsFolder extends AsyncDisposable {
  dagsDir: string;
  cacheDir: string;
  store: MemoryParserStore;
  objects: ObjectStore;
  /** DAG ids of each hint. */
  hints: string[][];
  /** Write files, relative to the folder. */
  write(files: Record<string, string>): Promise<void>;
  remove(path: string): Promise<void>;
  /** A new parser over the same store, as after a restart. */
  parser(options?: Partial<ParserOptions>): ParserService;
}

/** Make a folder with these files. Its clock stands still unless another one is given. */
export async function dagsFolder(
  files: Record<string, string> = {},
  { clock = new VirtualClock() }: { clock?: Clock } = {},
): Promise<DagsFolder> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "tw_dags_" }));
  const dagsDir = `${root}/dags`;
  const cacheDir = `${root}/cache`;
  const store = memoryParserStore();
  const objects = memoryObjectStore({ clock });
  const hints: string[][] = [];
  const parsers: ParserService[] = [];
  await Deno.mkdir(dagsDir);
  const folder: DagsFolder = {
    ...{ dagsDir, cacheDir, store, objects, hints },
    async write(more) {
      for (const [path, text] of Object.entries(more)) {
        const target = `${dagsDir}/${path}`;
        await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
        await Deno.writeTextFile(target, text);
      }
    },
    remove: (path) => Deno.remove(`${dagsDir}/${path}`),
    parser(options = {}) {
      const onHint: ParserOptions["onHint"] = ({ ids }) => hints.push(ids);
      const parts = { dagsDir, cacheDir, store, objects, clock, log: silentLogger, onHint };
      const service = parserService({ ...parts, ...options });
      parsers.push(service);
      return service;
    },
    async [Symbol.asyncDispose]() {
      for (const parser of parsers) await parser.stop();
      await Deno.remove(root, { recursive: true });
    },
  };
  await folder.write(files);
  return folder;
}

/** A DAG file with one task; `body` is what the task does. */
export function dagFile(id: string, body = "1", head = ""): string {
  return `import { dag, task } from "tidewheel";\n${head}` +
    `export default dag({ id: "${id}", schedule: null }, () => {\n` +
    `  task({ id: "only" }, () => ${body});\n});\n`;
}
