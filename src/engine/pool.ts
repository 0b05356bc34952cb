/** @module Engine processes kept warm while work goes on. */
import type { Clock } from "../base/clock.ts";
import { type Engine, type EngineOptions, openEngine } from "./client.ts";
import { EngineProcess } from "./engine_process.ts";

/** Options of {@link enginePool}; the defaults fit one machine. */
export interface EnginePoolOptions {
  clock: Clock;
  /** Processes that wait for work at most; the default is 1. */
  sparesMax?: number;
  /** A process that waited this long is ended; the default is 20 s. */
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
 * A pool. The first engine of a quiet time waits for its process (about 0.15 s); from then on a
 * process is ready for the next one until nothing was asked for in `idleMs`. A process that went
 * through a failure of its own is never used again.
 */
export function enginePool(
  { clock, sparesMax = 1, idleMs = 20_000, usesMax = 50 }: EnginePoolOptions,
): EnginePool {
  const spares: Spare[] = [];
  const inUse = new Set<EngineProcess>();
  let spawning = 0;
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

  async function refill(): Promise<void> {
    if (isClosed || spares.length + spawning >= sparesMax) return;
    spawning++;
    try {
      const child = await EngineProcess.spawn(clock);
      if (isClosed || spares.length >= sparesMax) await child.kill();
      else keep(child);
    } catch {
      // The next engine spawns its own process and reports what is wrong.
    } finally {
      spawning--;
    }
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
      void refill();
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
