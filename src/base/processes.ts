/** @module What the kernel says of a process; null where there is no `/proc` or no such process. */

/** Kernel's clock ticks a second: 100 on every Linux that Deno runs on. */
const MS_PER_TICK = 10;

/** Processes of one tree that are looked at. */
const TREE_MAX = 1_000;

/** A process for sure: numbers are used again, a number together with its start is not. */
export interface ProcessId {
  pid: number;
  /** Ticks since boot. */
  startTicks: string;
}

/** The identity of a running process. */
export function processId(pid: number): ProcessId | null {
  const fields = statFields(pid);
  return fields && fields[0] !== "Z" ? { pid, startTicks: fields[19] } : null;
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number | null {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`) ?? "");
  return match ? Number(match[1]) * 1024 : null;
}

/** Processor time so far, of all threads. */
export function cpuMs(pid: number): number | null {
  const fields = statFields(pid);
  return fields ? (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK : null;
}

/** The process and all that it started, directly or not. */
export function processTree(pid: number): number[] {
  const found = [pid];
  for (let i = 0; i < found.length && found.length < TREE_MAX; i++) {
    found.push(...childrenOf(found[i]));
  }
  return found;
}

/** The kernel lists children by the thread that started them. */
function childrenOf(pid: number): number[] {
  try {
    return Array.from(Deno.readDirSync(`/proc/${pid}/task`)).flatMap(({ name }) =>
      (read(`/proc/${pid}/task/${name}/children`) ?? "").split(" ").filter(Boolean).map(Number)
    );
  } catch {
    return [];
  }
}

/** When the machine runs out of memory, let it be this process that goes and not its supervisor. */
export function offerToOomKiller(pid: number): void {
  try {
    Deno.writeTextFileSync(`/proc/${pid}/oom_score_adj`, "500");
  } catch {
    // Not on this system, or the process is gone.
  }
}

/** Fields of `stat` from the third, the state, on: the name before them may hold anything. */
function statFields(pid: number): string[] | null {
  const text = read(`/proc/${pid}/stat`);
  return text ? text.slice(text.lastIndexOf(")") + 2).split(" ") : null;
}

function read(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return null;
  }
}
