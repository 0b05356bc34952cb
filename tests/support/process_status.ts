/** @module What Linux says of a process. */

/** The most resident memory that a process had so far. */
export async function processStatus(pid: number): Promise<{ peakRssBytes: number }> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const peak = status.match(/^VmHWM:\s+(\d+) kB/m);
  if (!peak) throw new Error(`/proc/${pid}/status says nothing of memory`);
  return { peakRssBytes: Number(peak[1]) * 1024 };
}
