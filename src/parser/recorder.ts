/** @module Writes parsed files to object storage and the database as they come, in groups. */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Metrics } from "../metrics/registry.ts";
import { bundleKey } from "../contract/bundle.ts";
import { hasCode } from "../model/errors.ts";
import type { ObjectStore } from "../objects/port.ts";
import type { FolderSnapshot } from "./discover.ts";
import { idsIn, type KnownFiles, type SettledFile } from "./known_files.ts";
import type { ParsedFile } from "./parsed_file.ts";
import type { FileRecord, ParserStore } from "./port.ts";

/** Options of {@link Recorder}. */
export interface RecorderOptions {
  store: ParserStore;
  objects: ObjectStore;
  known: KnownFiles;
  /** Taken before the files were read. */
  snapshot: FolderSnapshot;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  /** DAGs whose version, file or staleness changed, after the commit. */
  onChanged(dagIds: string[]): void;
}

/** Files in one transaction. */
const GROUP_FILES = 100;
/** A group begins to be written when it has this many files, or after this time. */
const GROUP_FILES_READY = 50;
const GROUP_WAIT_MS = 50;

/** Takes parsed files and writes them; while one group is written, the next one gathers. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #ended = new AbortController();
  #waiting: ParsedFile[] = [];
  #isTimed = false;
  #writing: Promise<void> | null = null;
  #failure: { error: unknown } | null = null;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Write this file soon. */
  add(file: ParsedFile): void {
    this.#waiting.push(file);
    if (this.#waiting.length >= GROUP_FILES_READY) this.#start();
    else if (!this.#isTimed && !this.#writing) void this.#startAfterWait();
  }

  /** Resolves when all is written; rejects with the first failure, after which nothing is written. */
  async flush(): Promise<void> {
    this.#ended.abort();
    this.#start();
    await this.#writing;
    if (this.#failure) throw this.#failure.error;
  }

  #start(): void {
    this.#writing ??= this.#writeAll().finally(() => this.#writing = null);
  }

  async #startAfterWait(): Promise<void> {
    this.#isTimed = true;
    await this.#options.clock.sleep(GROUP_WAIT_MS, { signal: this.#ended.signal });
    this.#isTimed = false;
    if (!this.#ended.signal.aborted) this.#start();
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#failure) {
      const group = this.#waiting.splice(0, GROUP_FILES);
      await this.#write(group.toSorted(byFile)).catch((error) => this.#failure = { error });
    }
    this.#waiting = [];
  }

  async #write(group: ParsedFile[]): Promise<void> {
    const { store, objects, known, snapshot, clock, log, metrics, onChanged } = this.#options;
    const settled: SettledFile[] = [];
    const dropped: string[] = [];
    for (const parsed of group) {
      const one = known.settle(parsed, snapshot);
      settled.push(one);
      if (one.record.outcome.kind === "error") continue;
      const before = known.dagIdsOf(one.record.file);
      known.claim(one.record);
      const now = new Set(idsIn(one.record));
      dropped.push(...before.filter((dagId) => !now.has(dagId)));
    }
    await Promise.all(group.map((parsed, i) => putBundle(objects, parsed, settled[i].record)));
    const changes = await store.record(settled.map(({ record }) => record), clock.now());
    await Promise.all(group.map((parsed, i) => putMissing(objects, parsed, settled[i].record)));
    for (const one of settled) {
      known.keep(one, snapshot, clock.monotonicMs());
      logOutcome(log, one.record);
    }
    const changed = changes.filter(({ change }) => change !== "unchanged");
    for (const { dagId, change, versionNumber } of changed) {
      log.info(`DAG ${change}`, { dagId, versionNumber });
    }
    metrics.inc("tidewheel_dag_version_created_total", undefined, changed.length);
    const ids = [...changed.map(({ dagId }) => dagId), ...dropped];
    if (ids.length > 0) onChanged(ids);
  }
}

const byFile = (a: ParsedFile, b: ParsedFile) => (a.record.file < b.record.file ? -1 : 1);

async function putBundle(
  objects: ObjectStore,
  { packed }: ParsedFile,
  { outcome }: FileRecord,
): Promise<void> {
  if (outcome.kind !== "dags" || !packed) return;
  await objects.put(bundleKey(outcome.bundle.hash), packed).catch((error) => {
    // The same content, packed by another version of gzip.
    if (!hasCode(error, "CONFLICT")) throw error;
  });
}

/** Retention may have removed an unused bundle of the same hash just before it was recorded again. */
async function putMissing(
  objects: ObjectStore,
  parsed: ParsedFile,
  record: FileRecord,
): Promise<void> {
  const { outcome } = record;
  if (outcome.kind !== "dags" || await objects.stat(bundleKey(outcome.bundle.hash))) return;
  await putBundle(objects, parsed, record);
}

function logOutcome(log: Logger, { file, outcome }: FileRecord): void {
  if (outcome.kind !== "error") return;
  const { message, path, line, column } = outcome.error;
  log.warn("DAG file refused", { file, error: message, path, line, column });
}
