/** @module Answers to what a task's code asks for, each checked against what the task declared. */
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Answers, Ask, EngineRequest } from "../contract/child.ts";
import type { ConnectionSecret, Workload } from "../contract/execution.ts";
import { AppError, hasCode } from "../model/errors.ts";
import type { Engine } from "../engine/client.ts";
import type { EnginePool } from "../engine/pool.ts";
import type { ObjectStore } from "../objects/port.ts";
import type { ExecutionApi } from "./api_client.ts";
import { AttemptFiles } from "./attempt_files.ts";
import { checkConnection } from "./declared.ts";
import type { JobFolders } from "./executor.ts";
import { retryWhileAway } from "./retry_away.ts";

/** What answers are made from. */
export interface AskParts {
  api: Pick<ExecutionApi, "connection" | "variable" | "latestDataset">;
  objects: ObjectStore;
  /** Null: tasks here cannot run SQL. */
  engine: Pick<EnginePool, "start"> | null;
  clock: Clock;
  random: Random;
}

/** Questions come from code that nobody has checked. */
const AskShape = z.discriminatedUnion("what", [
  z.object({ what: z.literal("connection"), connectionId: z.string().max(250) }),
  z.object({ what: z.literal("file.open"), key: z.string().max(1_000) }),
  z.object({
    what: z.literal("file.put"),
    path: z.string().max(4_000),
    name: z.string().max(500).optional(),
    mediaType: z.string().max(200).optional(),
    rows: z.int().nonnegative().optional(),
  }),
  z.object({
    what: z.literal("engine"),
    request: z.looseObject({ sql: z.string() }),
  }),
  z.object({
    what: z.literal("dataset.latest"),
    dataset: z.string().max(500),
    partition: z.string().max(500).nullable(),
  }),
  z.object({ what: z.literal("variable"), key: z.string().max(500) }),
  z.object({ what: z.literal("label"), label: z.string().max(250) }),
]);

/** The answers of one attempt; {@link close} when it is over. */
export class AttemptAsks {
  readonly #parts: AskParts;
  readonly #workload: Workload;
  readonly #token: () => string;
  readonly #files: AttemptFiles;
  readonly #closing = new AbortController();
  readonly #connections = new Map<string, Promise<ConnectionSecret>>();
  #engine: Promise<Engine> | null = null;

  /** `token` is asked for each time: it is renewed while a long attempt runs. */
  constructor(parts: AskParts, workload: Workload, token: () => string) {
    this.#parts = parts;
    this.#workload = workload;
    this.#token = token;
    const { attemptId, inputs } = workload;
    this.#files = new AttemptFiles({ objects: parts.objects, attemptId, inputs });
  }

  /** Rejects with an error that is safe to show to the task. */
  async answer(given: Ask, folders: JobFolders): Promise<Answers[Ask["what"]]> {
    const parsed = AskShape.safeParse(given);
    if (!parsed.success) {
      throw new AppError("INVALID", `Cannot answer the task: ${z.prettifyError(parsed.error)}`);
    }
    const ask = parsed.data;
    switch (ask.what) {
      case "connection":
        return await this.connection(ask.connectionId);
      case "file.open":
        return await this.#files.open(ask.key, folders);
      case "file.put":
        return await this.#files.put(ask, folders);
      case "engine":
        return await this.#runSql(ask.request as unknown as EngineRequest, folders);
      case "dataset.latest":
        return await this.#latestDataset(ask);
      case "label":
        this.label = ask.label;
        return null;
      case "variable":
        return await this.#whileAway(() => this.#parts.api.variable(ask.key, this.#token()));
    }
  }

  /** A declared connection, read once an attempt. */
  connection(connectionId: string): Promise<ConnectionSecret> {
    checkConnection(this.#workload.task, connectionId);
    let secret = this.#connections.get(connectionId);
    if (!secret) {
      secret = this.#whileAway(() => this.#parts.api.connection(connectionId, this.#token()));
      this.#connections.set(connectionId, secret);
      secret.catch(() => this.#connections.delete(connectionId));
    }
    return secret;
  }

  /** What the task said that its instance is shown by. */
  label: string | null = null;

  /** Process of the attempt's engine, if it has one. */
  enginePid: number | null = null;

  /** Refuse further waiting, stop SQL that still runs, and give the engine back. */
  async close(): Promise<void> {
    this.#closing.abort();
    const engine = this.#engine;
    this.#engine = null;
    if (engine) await engine.then((open) => open.close()).catch(() => {});
  }

  /** Has it anything to close? */
  get isOpen(): boolean {
    return this.#engine !== null;
  }

  async #latestDataset(question: { dataset: string; partition: string | null }) {
    const version = await this.#whileAway(() =>
      this.#parts.api.latestDataset(question, this.#token())
    );
    this.#files.allow(version);
    return version;
  }

  async #runSql({ sql, params, rowsMax, to }: EngineRequest, folders: JobFolders) {
    const starting = this.#engine ??= this.#startEngine(folders);
    try {
      const engine = await starting;
      return await engine.run(sql, { params, rowsMax, to, signal: this.#closing.signal });
    } catch (error) {
      if (hasCode(error, "UNAVAILABLE") && this.#engine === starting) {
        // It died; the next statement starts another one, without the tables of this one.
        this.#engine = null;
        this.enginePid = null;
        starting.then((dead) => dead.close()).catch(() => {});
      }
      throw error;
    }
  }

  async #startEngine({ workDir, inputDir }: JobFolders): Promise<Engine> {
    const { engine } = this.#parts;
    if (!engine) throw new AppError("UNAVAILABLE", "Cannot run SQL: this worker has no engine");
    if (this.#closing.signal.aborted) {
      throw new AppError("GONE", "Cannot run SQL: the attempt has ended");
    }
    await Deno.mkdir(inputDir, { recursive: true });
    const started = await engine.start({
      workDir,
      allowedDirectories: [inputDir],
      memoryBytes: this.#workload.task.memoryBytesMax,
    });
    this.enginePid = started.pid;
    return started;
  }

  #whileAway<T>(fn: () => Promise<T>): Promise<T> {
    const { clock, random } = this.#parts;
    return retryWhileAway(fn, { clock, random, signal: this.#closing.signal });
  }
}
