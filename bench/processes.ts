/** @module CPU time and memory of a process and everything below it (Linux). */

/** What a tree of processes uses. */
export interface Usage {
  processes: number;
  /** Proportional set size: shared pages are counted once over all that share them. */
  pssBytes: number;
  cpuSeconds: number;
}

const TICKS_PER_SECOND = 100;

/** Sum over `pid` and its descendants. */
export function usageOf(pid: number): Usage {
  const usage: Usage = { processes: 0, pssBytes: 0, cpuSeconds: 0 };
  for (const one of descendants(pid)) {
    try {
      const rollup = Deno.readTextFileSync(`/proc/${one}/smaps_rollup`);
      usage.pssBytes += Number(rollup.match(/^Pss:\s+(\d+) kB/m)?.[1] ?? 0) * 1024;
      const stat = Deno.readTextFileSync(`/proc/${one}/stat`);
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      usage.cpuSeconds += (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
      usage.processes++;
    } catch {
      // It ended between the listing and the reading.
    }
  }
  return usage;
}

function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(entry.name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${entry.name}/stat`);
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      children.set(parent, [...children.get(parent) ?? [], Number(entry.name)]);
    } catch {
      // It ended between the listing and the reading.
    }
  }
  const found = [root];
  for (let i = 0; i < found.length; i++) found.push(...children.get(found[i]) ?? []);
  return found;
}
