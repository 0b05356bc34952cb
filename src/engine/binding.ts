/** @module Where DuckDB's native binding lies: the one folder that the engine may load code from. */
import { AppError } from "../model/errors.ts";

/** The engine's process as a module. */
export const processModule = new URL("./process.ts", import.meta.url);

/** Environment that the process gets: where caches are, nothing else. */
export function engineEnvironment(): Record<string, string> {
  const kept = [
    "DENO_DIR",
    "HOME",
    "LOCALAPPDATA",
    "NPM_CONFIG_REGISTRY",
    "SYSTEMROOT",
    "XDG_CACHE_HOME",
  ];
  const found = kept.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(found), NO_COLOR: "1" };
}

/**
 * The folder of DuckDB's packages in Deno's cache; they are brought into it when they are not there.
 * Throws UNAVAILABLE when they cannot be had.
 */
export async function bindingDir(): Promise<string> {
  const found = await findBinding();
  if (found !== null) return found;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["cache", processModule.href],
    env: engineEnvironment(),
    clearEnv: true,
    stdin: "null",
    stdout: "null",
  }).output();
  const brought = success ? await findBinding() : null;
  if (brought !== null) return brought;
  throw new AppError(
    "UNAVAILABLE",
    `Cannot start the engine: npm package @duckdb/node-api is not in Deno's cache ` +
      `${cacheDir()} and could not be brought there`,
    { cause: new TextDecoder().decode(stderr) },
  );
}

async function findBinding(): Promise<string | null> {
  const npm = `${cacheDir()}/npm`;
  try {
    for await (const registry of Deno.readDir(npm)) {
      const dir = `${npm}/${registry.name}/@duckdb`;
      const info = await Deno.stat(`${dir}/node-api`).catch(() => null);
      if (info?.isDirectory) return dir;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return null;
}

/** Deno's own rule for its cache folder. */
function cacheDir(): string {
  const env = (name: string) => Deno.env.get(name);
  const given = env("DENO_DIR");
  if (given) return given;
  switch (Deno.build.os) {
    case "windows":
      return `${env("LOCALAPPDATA")}/deno`;
    case "darwin":
      return `${env("HOME")}/Library/Caches/deno`;
    default:
      return `${env("XDG_CACHE_HOME") ?? `${env("HOME")}/.cache`}/deno`;
  }
}
