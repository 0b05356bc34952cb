/**
 * @module SQL on files, in a process of its own: the package's door.
 *
 * SQL is untrusted. It reads the files of the folders it is given (links that lead out of them are
 * refused, so hand inputs over as hard links or copies, not as symbolic links), it writes no files,
 * changes no settings and loads no code. Files are written by request, into the work folder.
 */
import type { Clock } from "../base/clock.ts";
import { systemClock } from "../base/clock.ts";
import type { EngineRequest, EngineResult } from "../contract/child.ts";
import { EngineProcess } from "./engine_process.ts";
import type { EngineSettings } from "./protocol.ts";
import { checkTarget } from "./target.ts";

/** What an engine gets. */
export interface EngineOptions {
  /** The one folder that results go to; SQL can read it too. */
  workDir: string;
  /** Folders that SQL can read beside it: the attempt's inputs. */
  allowedDirectories?: string[];
  /** Single files that SQL can read. */
  allowedPaths?: string[];
  /** What its process may hold in memory; at least 256 MiB are taken as given. */
  memoryBytes: number;
  /** Threads of a query; the default is 2. */
  threads?: number;
  /** Where queries spill; the default is `.engine` in the work folder. */
  tempDir?: string;
  /** How much they may spill; the default is 64 GiB. */
  tempBytesMax?: number;
}

/** Options of {@link Engine.run}. */
export interface RunOptions extends Omit<EngineRequest, "sql"> {
  signal?: AbortSignal;
}

/** An engine: one instance, one session; requests run one after the other. */
export interface Engine {
  /** For whoever watches memory. */
  readonly pid: number;
  /**
   * Run statements and return the last one's rows, at most `rowsMax` (0); with `to` write the rows
   * of one SELECT. Rejects with INVALID (SQL), FORBIDDEN (files, settings, kinds of statements),
   * LIMIT_EXCEEDED (memory), DISK_FULL, CORRUPT (a file that is not what it says), TOO_LARGE (an
   * answer), UNAVAILABLE (the process died), or with the signal's reason.
   */
  run(sql: string, options?: RunOptions): Promise<EngineResult>;
  /** Give the engine back; nothing of its session stays. */
  close(): Promise<void>;
}

const MIB = 1024 * 1024;
/** What the process itself takes, beside DuckDB's data. */
const PROCESS_BYTES = 128 * MIB;

/** Start an engine in a process of its own, which {@link Engine.close} ends. */
export async function startEngine(
  options: EngineOptions,
  { clock = systemClock }: { clock?: Clock } = {},
): Promise<Engine> {
  const child = await EngineProcess.spawn(clock);
  return await openEngine(child, options, () => child.kill());
}

/** Open an engine in a process that is there; `release` gets the process back when it closes. */
export async function openEngine(
  child: EngineProcess,
  options: EngineOptions,
  release: () => Promise<void>,
): Promise<Engine> {
  const folders = await resolveFolders(options);
  try {
    await child.open(settingsOf(options, folders));
  } catch (error) {
    await child.kill();
    throw error;
  }
  let closing: Promise<void> | null = null;
  return {
    pid: child.pid,
    async run(sql, { signal, to, ...rest } = {}) {
      if (!to) return await child.run({ sql, ...rest }, signal);
      const target = await checkTarget(to, folders);
      try {
        return await child.run({ sql, ...rest, to: target }, signal);
      } catch (error) {
        // It was not there before: what is there now is half a file.
        await Deno.remove(target.path).catch(() => {});
        throw error;
      }
    },
    close: () => closing ??= release(),
  };
}

interface Folders {
  writeDir: string;
  readDirs: string[];
}

async function resolveFolders(options: EngineOptions): Promise<Folders> {
  const real = (dir: string) => Deno.realPath(dir);
  const writeDir = await real(options.workDir);
  const others = await Promise.all((options.allowedDirectories ?? []).map(real));
  return { writeDir, readDirs: [...new Set([writeDir, ...others])] };
}

function settingsOf(options: EngineOptions, { writeDir, readDirs }: Folders): EngineSettings {
  const bytes = Math.max(options.memoryBytes, 256 * MIB);
  return {
    allowedDirectories: readDirs,
    allowedPaths: options.allowedPaths ?? [],
    memoryBytes: Math.floor((bytes - PROCESS_BYTES) * 0.8),
    threads: options.threads ?? 2,
    tempDir: options.tempDir ?? `${writeDir}/.engine`,
    tempBytesMax: options.tempBytesMax ?? 64 * 1024 * MIB,
  };
}
