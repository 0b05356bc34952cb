/** @module Resident memory of another process. */

/** Bytes resident now; null when the process is gone or the system does not say. */
export async function rssBytes(pid: number): Promise<number | null> {
  try {
    if (Deno.build.os === "linux") {
      const status = await Deno.readTextFile(`/proc/${pid}/status`);
      const kib = status.match(/^VmRSS:\s+(\d+) kB$/m)?.[1];
      return kib === undefined ? null : Number(kib) * 1024;
    }
    const { stdout } = await new Deno.Command("ps", {
      args: ["-o", "rss=", "-p", String(pid)],
      stdin: "null",
      stderr: "null",
    }).output();
    const kib = Number(new TextDecoder().decode(stdout).trim());
    return Number.isFinite(kib) && kib > 0 ? kib * 1024 : null;
  } catch {
    return null;
  }
}
