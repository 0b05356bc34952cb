/**
 * @module Where files are worked on one after the other, without a server: a folder that is gone
 * afterwards, an engine that reads the file's folder only, progress, and an end at Ctrl-C.
 */
import { dirname, join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import type { Output } from "../../cli/print.ts";
import { seconds } from "../../cli/print.ts";
import { openEngine } from "../../engine/client.ts";
import { EngineProcess } from "../../engine/engine_process.ts";
import { AppError, hasCode, messageOf } from "../../model/errors.ts";
import {
  type LocalEnvironment,
  type LocalFile,
  localFiles,
} from "../../../operators/convert/local.ts";
import type { UnpackParams } from "../../../operators/convert/prepare/containers/params.ts";
import { untilSignal } from "../signals.ts";
import { bytesOf, type Source } from "./sources.ts";

/** What {@link workOn} is given. */
export interface Work<T> {
  sources: readonly Source[];
  /** A folder that is made for the work, on the disk of the results. */
  tempDir: string;
  memoryBytes: number;
  downloadBytesMax: number;
  unpack: Partial<UnpackParams>;
  output: Output;
  /** What is done with each file. */
  use(file: LocalFile, environment: LocalEnvironment): Promise<T>;
}

/** What became of a file. */
export type Worked<T> =
  | { name: string; result: T }
  | { name: string; error: { code: string | null; message: string } };

/** What became of all of them. */
export interface WorkReport<T> {
  files: Worked<T>[];
  /** Members of archives that were not read, by why. */
  skipped: Record<string, number>;
  /** Was it ended by a signal? */
  isInterrupted: boolean;
}

/** Work on every file of every source; a file that fails does not stop the others. */
export async function workOn<T>(work: Work<T>): Promise<WorkReport<T>> {
  const aborting = new AbortController();
  const engines = new Engines();
  void untilSignal().then(() => {
    aborting.abort(new AppError("UNAVAILABLE", "Interrupted"));
    return engines.kill();
  });
  const report: WorkReport<T> = { files: [], skipped: {}, isInterrupted: false };
  const dir = await Deno.realPath(work.tempDir);
  try {
    for (const [i, source] of work.sources.entries()) {
      if (aborting.signal.aborted) break;
      const step = `${i + 1} of ${work.sources.length}`;
      await workOnSource(source, { ...work, dir, step, engines, signal: aborting.signal }, report);
    }
  } finally {
    await engines.kill();
    await Deno.remove(dir, { recursive: true }).catch(() => {});
  }
  report.isInterrupted = aborting.signal.aborted;
  return report;
}

interface SourceWork<T> extends Work<T> {
  dir: string;
  step: string;
  engines: Engines;
  signal: AbortSignal;
}

async function workOnSource<T>(
  source: Source,
  work: SourceWork<T>,
  report: WorkReport<T>,
): Promise<void> {
  const { signal, output } = work;
  const dir = await Deno.makeTempDir({ dir: work.dir });
  const fail = (name: string, error: unknown) => {
    if (signal.aborted) return;
    const code = (error as { code?: unknown }).code;
    const isOurs = typeof code === "string";
    report.files.push({
      name,
      error: { code: isOurs ? code : null, message: messageOf(error).split("\n")[0] },
    });
  };
  const showing = showProgress(output, `${work.step}: ${source.name}`);
  try {
    const fetching = { dir, bytesMax: work.downloadBytesMax, signal };
    const path = await bytesOf(source, fetching);
    const environment = { workDir: dir, signal };
    const { files, skipped } = await localFiles(path, source.name, environment, work.unpack);
    for (const [why, count] of Object.entries(skipped)) {
      report.skipped[why] = (report.skipped[why] ?? 0) + count;
    }
    for (const file of files) {
      if (signal.aborted) return;
      const workDir = await Deno.makeTempDir({ dir });
      try {
        const result = await work.engines.with(file, workDir, work, (engine) => {
          return work.use(file, { engine, workDir, signal });
        });
        report.files.push({ name: file.name, result });
      } catch (error) {
        fail(file.name, error);
      }
      await Deno.remove(workDir, { recursive: true });
    }
  } catch (error) {
    fail(source.name, error);
  } finally {
    showing.end();
    await Deno.remove(dir, { recursive: true }).catch(() => {});
  }
}

/** One engine process for all files, opened anew for each: it reads that one's folder only. */
class Engines {
  #child: EngineProcess | null = null;
  #isOver = false;

  async with<T>(
    file: LocalFile,
    workDir: string,
    { memoryBytes }: { memoryBytes: number },
    use: (engine: LocalEnvironment["engine"]) => Promise<T>,
  ): Promise<T> {
    if (this.#isOver) throw new AppError("UNAVAILABLE", "Interrupted");
    if (this.#child && !this.#child.isAlive) await this.#drop();
    const child = this.#child ??= await EngineProcess.spawn(systemClock);
    const engine = await openEngine(child, {
      workDir,
      allowedDirectories: [await Deno.realPath(dirname(file.path))],
      tempDir: join(workDir, ".engine"),
      memoryBytes,
    }, () => child.isAlive ? child.closeInstance() : Promise.resolve());
    try {
      return await use(engine);
    } catch (error) {
      // Whatever state it is in, the next file gets another.
      if (hasCode(error, "UNAVAILABLE") || hasCode(error, "LIMIT_EXCEEDED")) await this.#drop();
      throw error;
    } finally {
      await engine.close().catch(() => this.#drop());
    }
  }

  async kill(): Promise<void> {
    this.#isOver = true;
    await this.#drop();
  }

  async #drop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    await child?.kill();
  }
}

const PROGRESS_MS = 500;

/** A line that says what is at work and for how long; only on a terminal. */
function showProgress(output: Output, what: string): { end(): void } {
  if (!output.isTerminal || output.json) return { end() {} };
  const ending = new AbortController();
  const startedAt = systemClock.monotonicMs();
  const show = async () => {
    while (!ending.signal.aborted) {
      await systemClock.sleep(PROGRESS_MS, { signal: ending.signal });
      if (ending.signal.aborted) return;
      const took = (systemClock.monotonicMs() - startedAt) / 1000;
      output.err(`\r\x1b[K${what}, ${seconds(took)}`);
    }
  };
  void show();
  return {
    end() {
      ending.abort();
      output.err("\r\x1b[K");
    },
  };
}
