/** @module The parser: keeps the stored DAGs in step with the files of the dags folder. */
import { resolve } from "node:path";
import type { Clock } from "../base/clock.ts";
import { limits as bounds } from "../base/limits.ts";
import type { Logger } from "../base/log.ts";
import type { Health, Service } from "../base/service.ts";
import { type Metrics, noMetrics } from "../metrics/registry.ts";
import { messageOf } from "../model/errors.ts";
import type { ObjectStore } from "../objects/port.ts";
import { type FolderSnapshot, isDagFile, sameSnapshot, snapshotFolder } from "./discover.ts";
import { graphBuilder } from "./esbuild.ts";
import { productFingerprint } from "./fingerprint.ts";
import { KnownFiles } from "./known_files.ts";
import type { ParseLimits } from "./parse_child.ts";
import { parseFiles } from "./parse_files.ts";
import type { ParserStore } from "./port.ts";
import { Recorder } from "./recorder.ts";
import { sourceReader } from "./sources.ts";
import { type FolderWatch, watchFolder } from "./watch.ts";

/** Options of {@link parserService}. */
export interface ParserOptions {
  /** The dags folder. */
  dagsDir: string;
  objects: ObjectStore;
  store: ParserStore;
  /** Where bundles are staged; shared with workers on this machine. */
  cacheDir: string;
  clock: Clock;
  log: Logger;
  /** Called after the commit, with DAGs whose version, file or staleness changed. */
  onHint(hint: { topic: "dags"; ids: string[] }): void;
  /** Of one file's import; as in `limits`. */
  limits?: Partial<ParseLimits>;
  /** The default counts nothing. */
  metrics?: Metrics;
  /** Default: the system's. */
  watch?: FolderWatch;
}

/** What one pass did. */
export interface PassReport {
  /** Files that were parsed. */
  parsed: string[];
  /** Files that are gone. */
  removed: string[];
}

/** The parser service. */
export interface ParserService extends Service {
  /** Look through the folder once and record what changed; one at a time. */
  runOnce(): Promise<PassReport>;
}

/** Events that come within this time make one pass. */
const COALESCE_MS = 50;
/** Passes at most for files whose ids became free in the pass before. */
const ROUNDS_MAX = 3;
/** Times in a row that a slow file is put off because others changed. */
const PUT_OFF_MAX = 20;

/** Make the service; nothing runs before `start` or `runOnce`. */
export function parserService(options: ParserOptions): ParserService {
  const { objects, store, clock, log, onHint, watch = watchFolder, metrics = noMetrics } = options;
  const dagsDir = resolve(options.dagsDir);
  const limits: ParseLimits = {
    ms: options.limits?.ms ?? bounds.parseMs,
    rssBytes: options.limits?.rssBytes ?? bounds.parseRssBytes,
  };
  const builder = graphBuilder({ clock });
  const product = productFingerprint();
  let known: KnownFiles | null = null;
  let last: FolderSnapshot | null = null;
  let health: Health = { started: false, ready: false };
  let stopping = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  let loops: Promise<unknown> | null = null;
  const putOff = new Map<string, number>();

  /** May this slow file wait for a later pass? Not for ever, however often others change. */
  function canWait(file: string): boolean {
    const times = putOff.get(file) ?? 0;
    putOff.set(file, times + 1);
    return times < PUT_OFF_MAX;
  }

  async function round(hurry?: AbortSignal): Promise<PassReport> {
    known ??= new KnownFiles(dagsDir, await store.loadKnown(), product);
    const snapshot = snapshotFolder(dagsDir);
    const files = [...snapshot.keys()].filter(isDagFile).toSorted();
    const removed = known.releaseGone(new Set(files));
    const changed = await findChanged(files, known, snapshot);
    const recorder = new Recorder({
      ...{ store, objects, known, snapshot, clock, log, metrics },
      onChanged: (ids) => onHint({ topic: "dags", ids }),
    });
    const parsed = new Set<string>();
    const measure = (waiting = changed.length - parsed.size) =>
      metrics.set("tidewheel_dag_processing_file_queue_size", undefined, waiting);
    try {
      measure();
      await parseFiles(changed, {
        ...{
          dagsDir,
          cacheDir: resolve(options.cacheDir),
          objects,
          clock,
          builder,
          product,
          limits,
        },
        signal: stopping.signal,
        // Files that are gone are recorded after those that may have taken over their DAGs.
        hurry: removed.length > 0 ? AbortSignal.abort() : hurry,
        canWait,
        onParsed(file) {
          recorder.add(file);
          parsed.add(file.record.file);
          putOff.delete(file.record.file);
          measure();
        },
        onImported(tookMs, isTimeout) {
          const seconds = tookMs / 1000;
          metrics.observe("tidewheel_dag_processing_duration_seconds", undefined, seconds);
          if (!isTimeout) return;
          metrics.inc("tidewheel_dag_processing_processor_timeouts_total", undefined);
        },
      });
    } finally {
      measure(0);
      await recorder.flush();
    }
    if (removed.length > 0) await removeFiles(removed, known);
    last = snapshot;
    return { parsed: changed.filter((file) => parsed.has(file)), removed };
  }

  async function findChanged(files: string[], known: KnownFiles, snapshot: FolderSnapshot) {
    const folderChanged = last === null || !sameSnapshot(last, snapshot);
    const reader = sourceReader(dagsDir);
    const nowMs = clock.monotonicMs();
    const changed: string[] = [];
    for (const file of files) {
      const isChanged = await known.isChanged(file, { snapshot, folderChanged, reader, nowMs });
      if (isChanged) changed.push(file);
    }
    return changed;
  }

  async function removeFiles(removed: string[], known: KnownFiles): Promise<void> {
    const stale = await store.removeFiles(removed, clock.now());
    known.forget(removed);
    log.info("DAG files gone", { files: removed, staleDags: stale });
    if (stale.length > 0) onHint({ topic: "dags", ids: stale });
  }

  async function pass(hurry?: AbortSignal): Promise<PassReport> {
    const fromMs = clock.monotonicMs();
    try {
      const report = await round(hurry);
      for (let rounds = 1; rounds < ROUNDS_MAX && known!.reviveWaiting(); rounds++) {
        report.parsed.push(...(await round(hurry)).parsed);
      }
      const tookMs = Math.round(clock.monotonicMs() - fromMs);
      metrics.inc("tidewheel_dag_processing_heartbeat_total", undefined);
      metrics.set("tidewheel_dag_processing_total_parse_seconds", undefined, tookMs / 1000);
      if (report.parsed.length > 0) {
        log.info("DAG files parsed", { files: report.parsed.length, tookMs });
      }
      health = { started: true, ready: true, detail: { ...known!.counts(), dagsDir } };
      return report;
    } catch (error) {
      // What was not recorded is loaded anew, and parsed again.
      known = null;
      last = null;
      health = { ...health, ready: false, detail: { error: messageOf(error), dagsDir } };
      throw error;
    }
  }

  function runOnce(hurry?: AbortSignal): Promise<PassReport> {
    const next = running.then(() => pass(hurry));
    running = next.catch(() => {});
    return next;
  }

  async function run(signal: AbortSignal): Promise<void> {
    let hint = Promise.withResolvers<void>();
    const watching = watchAlways(signal, () => hint.resolve());
    while (!signal.aborted) {
      hint = Promise.withResolvers();
      const hurry = new AbortController();
      hint.promise.then(() => hurry.abort());
      await runOnce(hurry.signal).catch((error) => {
        if (!signal.aborted) log.error("Cannot look through the dags folder", fieldsOf(error));
      });
      using sweep = abortable(signal);
      const quiet = clock.sleep(bounds.sweepMs, sweep);
      if (await Promise.race([hint.promise.then(() => true), quiet.then(() => false)])) {
        await clock.sleep(COALESCE_MS, { signal });
      }
    }
    await watching;
  }

  /** Where watching fails, the sweeps alone find changes, and each tries to watch again. */
  async function watchAlways(signal: AbortSignal, onEvent: () => void): Promise<void> {
    let warned = false;
    while (!signal.aborted) {
      try {
        for await (const _event of watch(dagsDir, signal)) onEvent();
      } catch (error) {
        if (!warned) log.warn("Cannot watch the dags folder", fieldsOf(error));
        warned = true;
      }
      await clock.sleep(bounds.sweepMs, { signal });
    }
  }

  return {
    name: "parser",
    runOnce: () => runOnce(),
    health: () => health,
    // deno-lint-ignore require-await
    async start() {
      stopping = new AbortController();
      loops ??= run(stopping.signal);
    },
    async stop() {
      stopping.abort();
      await loops;
      loops = null;
      await running;
      await builder.stop();
      stopping = new AbortController();
    },
  };
}

function fieldsOf(error: unknown) {
  return { error: messageOf(error), code: (error as { code?: string }).code };
}

/** A signal that follows `parent` and aborts when disposed, so that a sleep leaves no timer. */
function abortable(parent: AbortSignal): { signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const abort = () => controller.abort();
  parent.addEventListener("abort", abort, { once: true });
  if (parent.aborted) abort();
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      parent.removeEventListener("abort", abort);
      abort();
    },
  };
}
