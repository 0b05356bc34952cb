/** @module Engine processes kept warm while work goes on. */
import type { Clock } from "../base/clock.ts";
import { type Engine, type EngineOptions, openEngine } from "./client.ts";
import { EngineProcess } from "./engine_process.ts";

/** Options of {@link enginePool}; the defaults fit one machine. */
export interface EnginePoolOptions {
  clock: Clock;
  /** Processes that wait for work at most; the default is 4. */
  sparesMax?: number;
  /** A process that waited this long is ended; the default is 10 s. */
  idleMs?: number;
  /** Instances that one process has at most, one after the other; the default is 50. */
  usesMax?: number;
}

/** Starts engines. */
export interface EnginePool {
  start(options: EngineOptions): Promise<Engine>;
  /** Figures for health pages. */
  stats(): { spares: number; inUse: number };
  /** End every process; engines still in use fail. */
  close(): Promise<void>;
}

interface Spare {
  child: EngineProcess;
  stopTimer: AbortController;
}

/**
 * A pool. Processes are started when they are asked for (0.15 s) and wait for the next engine when
 * theirs is closed, until nothing was asked for in `idleMs`. None is started ahead: while tasks
 * follow each other there is one, and starting one that nobody needs would take time from those that
 * work. A process whose engine was closed while it ran something is never used again.
 */
export function enginePool(
  { clock, sparesMax = 4, idleMs = 10_000, usesMax = 50 }: EnginePoolOptions,
): EnginePool {
  const spares: Spare[] = [];
  const inUse = new Set<EngineProcess>();
  let isClosed = false;

  function keep(child: EngineProcess): void {
    const spare = { child, stopTimer: new AbortController() };
    spares.push(spare);
    clock.sleep(idleMs, { signal: spare.stopTimer.signal }).then(() => {
      const at = spares.indexOf(spare);
      if (at < 0) return;
      spares.splice(at, 1);
      return child.kill();
    });
  }

  function take(): EngineProcess | null {
    for (let spare = spares.pop(); spare; spare = spares.pop()) {
      spare.stopTimer.abort();
      if (spare.child.isAlive) return spare.child;
    }
    return null;
  }

  async function release(child: EngineProcess): Promise<void> {
    inUse.delete(child);
    const isFit = !isClosed && child.isAlive && !child.isBusy && child.uses < usesMax &&
      spares.length < sparesMax;
    if (!isFit) return await child.kill();
    try {
      await child.closeInstance();
      keep(child);
    } catch {
      await child.kill();
    }
  }

  return {
    async start(options) {
      const child = take() ?? await EngineProcess.spawn(clock);
      inUse.add(child);
      try {
        return await openEngine(child, options, () => release(child));
      } catch (error) {
        inUse.delete(child);
        throw error;
      }
    },
    stats: () => ({ spares: spares.length, inUse: inUse.size }),
    async close() {
      isClosed = true;
      const all = [...spares.splice(0), ...[...inUse].map((child) => ({ child, stopTimer: null }))];
      inUse.clear();
      await Promise.all(all.map(({ child, stopTimer }) => {
        stopTimer?.abort();
        return child.kill();
      }));
    },
  };
}
