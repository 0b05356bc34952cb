/** @module A disk so small that a test can fill it: memory, mounted as a file system. */

/** A mounted disk; gone when it is disposed of. */
export interface SmallDisk extends AsyncDisposable {
  /** Leave so many bytes free. */
  fill(freeBytes: number): Promise<void>;
  /** Free what {@link fill} took. */
  empty(): Promise<void>;
}

/** Mount a disk of so many MiB over the empty folder `dir`. */
export async function mountSmallDisk(dir: string, mib: number): Promise<SmallDisk> {
  await run("mount", "-t", "tmpfs", "-o", `size=${mib}m,mode=755`, "tmpfs", dir);
  const ballast = `${dir}/ballast`;
  return {
    async fill(freeBytes) {
      const free = Number((await run("df", "-B1", "--output=avail", dir)).split("\n")[1]);
      await Deno.writeFile(ballast, new Uint8Array(Math.max(0, free - freeBytes)).fill(1));
    },
    empty: () => Deno.remove(ballast),
    async [Symbol.asyncDispose]() {
      await run("umount", "-l", dir);
    },
  };
}

/** Why none can be mounted here, or null. */
export async function whyNoSmallDisk(): Promise<string | null> {
  if (Deno.build.os !== "linux") return "only Linux has file systems in memory";
  const dir = await Deno.makeTempDir({ prefix: "tw_disk_" });
  try {
    await (await mountSmallDisk(dir, 1))[Symbol.asyncDispose]();
    return null;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await Deno.remove(dir);
  }
}

async function run(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`${command} failed: ${new TextDecoder().decode(stderr).trim()}`);
}
