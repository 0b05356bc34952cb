/** @module A task's context with a real engine and files on disk: for operators on tables. */
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/log.ts";
import { sha256 } from "../../src/base/hash.ts";
import type { EngineResult } from "../../src/contract/child.ts";
import { type Engine, startEngine } from "../../src/engine/client.ts";
import type { FileRef, RawFiles, TableRef } from "../../src/model/data.ts";
import type { TaskContext } from "../../src/sdk/context.ts";

/** A context and what its tests need around it. */
export interface TableContext extends AsyncDisposable {
  ctx: TaskContext;
  engine: Engine;
  root: string;
  /** A raw file of this content. */
  raw(
    content: string | Uint8Array,
    options?: { name?: string; source?: string; labels?: Record<string, string> },
  ): Promise<FileRef>;
  /** Raw files of a source. */
  rawFiles(files: FileRef[], source?: string): RawFiles;
  /** Where a stored file is. */
  pathOf(file: FileRef): string;
  /** Rows of a query. */
  query(sql: string): Promise<EngineResult["rows"]>;
  /** Rows of a table's own columns, in order. */
  rowsOf(table: TableRef): Promise<EngineResult["rows"]>;
  /** Lines of a file of NDJSON. */
  linesOf(file: FileRef): Promise<Record<string, unknown>[]>;
}

/** Start one; share it between the tests of a file. */
export async function tableContext(
  { memoryBytes = 512 * 1024 * 1024 }: { memoryBytes?: number } = {},
): Promise<TableContext> {
  const root = await Deno.makeTempDir({ prefix: "tidewheel-table-" });
  const workDir = `${root}/work`;
  const objects = `${root}/objects`;
  await Deno.mkdir(workDir);
  await Deno.mkdir(objects);
  const engine = await startEngine({ workDir, allowedDirectories: [objects], memoryBytes });
  let next = 0;
  const pathOf = (file: FileRef) => `${objects}/${file.key}`;
  const put = async (content: Uint8Array, more: Partial<FileRef>): Promise<FileRef> => {
    const key = `object-${next++}`;
    await Deno.writeFile(`${objects}/${key}`, content);
    return { key, bytes: content.length, sha256: sha256(content), ...more };
  };
  const ctx = {
    dagId: "test",
    runId: "test",
    taskId: "test",
    mapIndex: -1,
    attemptId: "00000000-0000-7000-8000-000000000000",
    tryNumber: 1,
    logicalDate: null,
    interval: { start: new Date(0), end: new Date(0), date: "1970-01-01" },
    runAfter: new Date(0),
    params: {},
    previousSuccess: null,
    log: silentLogger,
    signal: new AbortController().signal,
    clock: systemClock,
    workDir,
    files: {
      open: (file: FileRef) => Promise.resolve(pathOf(file)),
      async put(path: string, more: Partial<FileRef> = {}) {
        const file = await put(await Deno.readFile(path), more);
        await Deno.remove(path);
        return file;
      },
    },
    engine: { run: engine.run.bind(engine) },
    connection: () => Promise.reject(new Error("no connections here")),
    dataset: () => Promise.resolve(null),
    variable: () => Promise.reject(new Error("no variables here")),
    state: { get: () => undefined, set: () => {} },
  } as unknown as TaskContext;
  const query = async (sql: string) => (await engine.run(sql, { rowsMax: 100_000 })).rows;
  return {
    ctx,
    engine,
    root,
    raw: (content, { name = "data.csv", ...more } = {}) =>
      put(typeof content === "string" ? new TextEncoder().encode(content) : content, {
        name,
        ...more,
      }),
    rawFiles: (files, source = "test.source") => ({
      kind: "raw",
      source,
      dataset: `raw.${source}`,
      partition: "2024-01-02",
      files,
      collectedAt: "2024-01-02T00:00:00Z",
      failed: [],
    }),
    pathOf,
    query,
    async rowsOf({ schema, files }) {
      const columns = schema.columns.map(({ name }) => `"${name}"`).join(", ");
      const rows = [];
      for (const file of files) {
        rows.push(...await query(`SELECT ${columns} FROM read_parquet('${pathOf(file)}')`));
      }
      return rows;
    },
    async linesOf(file) {
      const text = await Deno.readTextFile(pathOf(file));
      return text.trimEnd().split("\n").map((line) => JSON.parse(line));
    },
    async [Symbol.asyncDispose]() {
      await engine.close();
      await Deno.remove(root, { recursive: true });
    },
  };
}
