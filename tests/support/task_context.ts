/** @module The context of a running task, over a temporary folder: for tests of operators. */
import type { Clock } from "../../src/base/clock.ts";
import { sha256 } from "../../src/base/hash.ts";
import { logger } from "../../src/base/log.ts";
import type { DatasetVersionInfo } from "../../src/contract/dataset.ts";
import type { ConnectionSecret } from "../../src/contract/execution.ts";
import type { FileRef } from "../../src/model/data.ts";
import type { Effects } from "../../src/model/outcome.ts";
import type { TaskContext } from "../../src/sdk/context.ts";

/** What differs from a first, quiet attempt on 2013-03-01. */
export interface TestTaskOptions {
  clock: Clock;
  date?: string;
  connections?: Partial<ConnectionSecret>[];
  state?: Record<string, unknown>;
  signal?: AbortSignal;
}

/** A context and what was done through it. Dispose it to remove its folder. */
export interface TestTask extends Disposable {
  ctx: TaskContext;
  /** Log lines, fields as JSON behind them. */
  logged: string[];
  /** The text of a stored file. */
  text(file: FileRef): string;
  /** Take over what a success would write, and be the next attempt. */
  commit(effects: Effects | undefined): void;
}

/** Make one. */
export function testTask(options: TestTaskOptions): TestTask {
  const root = Deno.makeTempDirSync({ prefix: "tidewheel-task-" });
  const workDir = `${root}/work`;
  Deno.mkdirSync(workDir);
  Deno.mkdirSync(`${root}/objects`);
  const logged: string[] = [];
  const state: Record<string, unknown> = { ...options.state };
  const versions = new Map<string, DatasetVersionInfo>();
  const date = options.date ?? "2013-03-01";
  const start = new Date(`${date}T00:00:00Z`);
  const pathOf = (file: FileRef) => `${root}/objects/${file.key.replaceAll("/", "_")}`;
  let puts = 0;
  const ctx: TaskContext = {
    dagId: "test",
    runId: "manual__1",
    taskId: "collect",
    mapIndex: -1,
    logicalDate: start,
    interval: { start, end: new Date(start.getTime() + 86_400_000), date },
    runAfter: start,
    params: {},
    attemptId: "01970000-0000-7000-8000-000000000001",
    tryNumber: 1,
    log: logger((level, message, fields) =>
      logged.push(`${level} ${message} ${JSON.stringify(fields)}`)
    ),
    signal: options.signal ?? new AbortController().signal,
    clock: options.clock,
    previousSuccess: null,
    partition: null,
    datasetEvents: [],
    event: null,
    resumedWith: null,
    state: {
      get: <T>(key: string) => state[key] as T | undefined,
      set: (key, value) => void (state[key] = value),
    },
    workDir,
    files: {
      open: (file) =>
        Deno.stat(pathOf(file)).then(() => pathOf(file), () => {
          throw new Error(`no object ${file.key}`);
        }),
      put: (path, { name, mediaType, rows } = {}) => {
        const bytes = Deno.readFileSync(path);
        const file: FileRef = {
          key: `attempts/1/${puts++}`,
          bytes: bytes.length,
          sha256: sha256(bytes),
          ...(name === undefined ? {} : { name }),
          ...(mediaType === undefined ? {} : { mediaType }),
          ...(rows === undefined ? {} : { rows }),
        };
        Deno.renameSync(path, pathOf(file));
        return Promise.resolve(file);
      },
    },
    engine: { run: () => Promise.reject(new Error("this test has no engine")) },
    connection: (connectionId) => {
      const found = options.connections?.find((one) => one.connectionId === connectionId);
      if (!found) return Promise.reject(new Error(`no connection ${connectionId}`));
      const nothing = { host: null, port: null, schema: null, login: null, password: null };
      return Promise.resolve(
        { connType: "http", extra: {}, ...nothing, ...found } as ConnectionSecret,
      );
    },
    dataset: (name, partition) => Promise.resolve(versions.get(`${name} ${partition}`) ?? null),
    variable: () => Promise.resolve(null),
  };
  return {
    ctx,
    logged,
    text: (file) => Deno.readTextFileSync(pathOf(file)),
    commit(effects) {
      for (const [key, value] of Object.entries(effects?.state ?? {})) state[key] = value;
      for (const intent of effects?.publish ?? []) {
        const key = `${intent.dataset} ${intent.partition}`;
        versions.set(key, {
          id: "01970000-0000-7000-8000-000000000002",
          dataset: intent.dataset,
          partition: intent.partition,
          version: (versions.get(key)?.version ?? 0) + 1,
          kind: intent.kind,
          knownAt: options.clock.now().toISOString(),
          sha256: sha256(intent.files.map((file) => file.sha256).join()),
          rows: intent.rows,
          bytes: intent.files.reduce((sum, file) => sum + file.bytes, 0),
          schema: intent.schema,
          files: intent.files,
          lineageFiles: intent.lineageFiles,
        });
      }
    },
    [Symbol.dispose]: () => Deno.removeSync(root, { recursive: true }),
  };
}
