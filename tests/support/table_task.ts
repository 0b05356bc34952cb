/** @module Tasks over tables with a real SQL engine: for tests of operators. */
import { VirtualClock } from "../../src/base/clock.ts";
import type { EngineValue } from "../../src/contract/child.ts";
import { type EnginePool, enginePool } from "../../src/engine/pool.ts";
import type { FileRef, TableRef, TableSchema } from "../../src/model/data.ts";
import { testTask } from "./task_context.ts";
import type { TaskContext } from "../../src/sdk/context.ts";

/** One process for all tests of a file. */
export interface TableTests extends AsyncDisposable {
  /** A task with its own folders and an engine that sees them; dispose it. */
  task(): Promise<TableTask>;
}

/** A task and short ways to tables. */
export interface TableTask extends AsyncDisposable {
  ctx: TaskContext;
  logged: string[];
  /** A table whose rows are those of a SELECT, provenance columns among them. */
  table(schema: TableSchema, select: string, options?: Partial<TableRef>): Promise<TableRef>;
  /** Rows of stored files. */
  rows(files: FileRef[], columns?: string): Promise<EngineValue[][]>;
  /** The text of a stored file. */
  text(file: FileRef): string;
}

/** Start. */
export function tableTests(): TableTests {
  const engines: EnginePool = enginePool({ clock: new VirtualClock(), sparesMax: 1 });
  return {
    task: () => openTask(engines),
    [Symbol.asyncDispose]: () => engines.close(),
  };
}

async function openTask(engines: EnginePool): Promise<TableTask> {
  const test = testTask({ clock: new VirtualClock() });
  const { ctx } = test;
  const engine = await engines.start({
    workDir: ctx.workDir,
    allowedDirectories: [`${ctx.workDir}/../objects`],
    memoryBytes: 512 * 1024 * 1024,
  });
  ctx.engine = engine;
  let made = 0;
  return {
    ctx,
    logged: test.logged,
    text: test.text,
    async table(schema, select, options = {}) {
      const path = `${ctx.workDir}/made-${made++}.parquet`;
      const { rowsChanged: rows } = await engine.run(select, { to: { path, format: "parquet" } });
      return {
        kind: "table",
        schema,
        files: [await ctx.files.put(path, { rows })],
        rows,
        sources: [],
        inputs: [],
        lineage: [],
        provenance: [],
        ...options,
      };
    },
    async rows(files, columns = "*") {
      const paths = await Promise.all(files.map((file) => ctx.files.open(file)));
      const list = paths.map((path) => `'${path}'`).join(", ");
      const sql = `SELECT ${columns} FROM read_parquet([${list}], union_by_name = true)`;
      return (await engine.run(sql, { rowsMax: 100_000 })).rows;
    },
    async [Symbol.asyncDispose]() {
      await engine.close();
      test[Symbol.dispose]();
    },
  };
}
