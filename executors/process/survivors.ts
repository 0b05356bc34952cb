/**
 * @module Children that outlive a killed supervisor: each is on record while it lives, by pid and
 * start time, so that the next life of the worker can end it before its attempt runs again.
 */
import type { Clock } from "../../src/base/clock.ts";
import { type ProcessId, processId } from "../../src/base/processes.ts";

const WAIT_MS = 10;
const WAITS_MAX = 500;

/** The record of living children, one empty file each. */
export class Survivors {
  readonly #dir: string;

  /** `dir` belongs to one worker. */
  constructor(dir: string) {
    this.#dir = dir;
  }

  /** A child was started. */
  add(id: ProcessId): void {
    Deno.writeTextFileSync(this.#path(id), "");
  }

  /** It is gone. */
  remove(id: ProcessId): void {
    try {
      Deno.removeSync(this.#path(id));
    } catch {
      // Removed together with the folder.
    }
  }

  /** Kill every recorded process that still lives and wait until it is gone; returns their pids. */
  async endAll(clock: Clock): Promise<number[]> {
    await Deno.mkdir(this.#dir, { recursive: true });
    const ended: number[] = [];
    for await (const { name } of Deno.readDir(this.#dir)) {
      const [pid, startTicks] = name.split("-");
      const id = { pid: Number(pid), startTicks };
      if (isSame(id)) {
        killGroup(id.pid);
        await waitUntilGone(id, clock);
        ended.push(id.pid);
      }
      this.remove(id);
    }
    return ended;
  }

  #path({ pid, startTicks }: ProcessId): string {
    return `${this.#dir}/${pid}-${startTicks}`;
  }
}

/** Kill a process and whatever else is in the group that it leads. */
export function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

function isSame(id: ProcessId): boolean {
  return Number.isInteger(id.pid) && id.pid > 1 && processId(id.pid)?.startTicks === id.startTicks;
}

async function waitUntilGone(id: ProcessId, clock: Clock): Promise<void> {
  for (let waits = 0; isSame(id) && waits < WAITS_MAX; waits++) await clock.sleep(WAIT_MS);
}
