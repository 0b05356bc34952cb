/**
 * @module What a process needs to import modules of bundles: an import map, a lock, and flags that
 * keep every import away from the network.
 *
 * Modules of bundles see `tidewheel`, `tidewheel/operators`, `zod`, and the npm packages of their own
 * bundle. One runtime serves every bundle with the same npm packages; most have none and share one.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { canonicalJson, sha256 } from "../base/hash.ts";
import { randomToken } from "../base/ids.ts";
import type { BundleNpm } from "../contract/bundle.ts";
import { AppError, messageOf } from "../model/errors.ts";

const PRODUCT_ROOT = new URL("../../", import.meta.url);

/** The product's modules that bundles may import. */
export const productModules: Readonly<Record<string, string>> = {
  "tidewheel": new URL("src/sdk/mod.ts", PRODUCT_ROOT).href,
  "tidewheel/operators": new URL("operators/mod.ts", PRODUCT_ROOT).href,
};

/** A runtime on disk. */
export interface ModuleRuntime {
  /** Equal for bundles whose modules can live in one process. */
  key: string;
  /** Arguments for `deno run`, before the module; grant permissions beside them. */
  args: string[];
  /** Environment for a process started with a cleared one: caches, and UTC as its time zone. */
  env: Record<string, string>;
  /** Working directory. */
  dir: string;
}

/** Options of {@link moduleRuntime}. */
export interface RuntimeOptions {
  cacheDir: string;
  /** The bundle's npm packages. */
  npm?: BundleNpm | null;
  /** Packages of the product's import map that its own modules may import there. */
  packages?: readonly string[];
}

const prepared = new Map<string, Promise<ModuleRuntime>>();
const PREPARED_MAX = 1_000;
/**
 * What npm:yaml asks for at each parse, so that DAG files can read YAML. Neither is ever set in a process
 * of ours: its environment has what {@link childEnv} and the task name.
 */
const unsetVariables = ["LOG_TOKENS", "LOG_STREAM"];

/**
 * Make ready a runtime, with its npm packages installed and checked against the lock; this is the
 * only moment at which the network is used. Throws UNAVAILABLE when a package cannot be had.
 */
export async function moduleRuntime(options: RuntimeOptions): Promise<ModuleRuntime> {
  const wanted = wantedRuntime(options);
  const { dir } = wanted;
  for (;;) {
    let found = prepared.get(dir);
    if (!found) {
      if (prepared.size >= PREPARED_MAX) prepared.clear();
      found = prepare(wanted);
      prepared.set(dir, found);
      found.catch(() => prepared.delete(dir));
    }
    const runtime = await found;
    if (await isFile(`${dir}/deno.lock`)) return runtime;
    // It was swept out of the cache since.
    if (prepared.get(dir) === found) prepared.delete(dir);
  }
}

/** Where runtimes are in a cache. */
export function runtimesDir(cacheDir: string): string {
  return resolve(cacheDir, "runtimes");
}

/** The name of the runtime that these options ask for, in {@link runtimesDir}. */
export function runtimeKey(options: RuntimeOptions): string {
  return wantedRuntime(options).key;
}

interface WantedRuntime {
  dir: string;
  key: string;
  importMap: ImportMap;
  npm: BundleNpm | null;
}

function wantedRuntime({ cacheDir, npm = null, packages = operatorPackages() }: RuntimeOptions) {
  const importMap = importMapOf(npm, packages);
  const key = sha256(canonicalJson({ importMap, lock: npm?.lock ?? null })).slice(0, 32);
  return { dir: resolve(runtimesDir(cacheDir), key), key, importMap, npm };
}

/**
 * Resolve npm specifiers to exact versions of packages and all of their dependencies, through the
 * registry; what `lock` pins stays. Throws UNAVAILABLE when a package cannot be had.
 */
export async function resolveLock(
  specifiers: readonly string[],
  { lock, tempDir }: { lock: BundleNpm["lock"] | null; tempDir: string },
): Promise<BundleNpm["lock"]> {
  const dir = resolve(tempDir, `~${randomToken(12)}`);
  await Deno.mkdir(dir, { recursive: true });
  try {
    if (lock) await Deno.writeTextFile(`${dir}/deno.lock`, JSON.stringify(lock));
    await cachePackages(dir, specifiers, ["--frozen=false"]);
    const { version, specifiers: found, npm } = JSON.parse(
      await Deno.readTextFile(`${dir}/deno.lock`),
    );
    return { version, specifiers: found ?? {}, npm: npm ?? {} };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

interface ImportMap {
  imports: Record<string, string>;
  scopes: Record<string, Record<string, string>>;
}

let found: string[] | null = null;

/**
 * What operators import from npm, by its name in the import map: their run modules are the product's
 * own, and run beside bundles.
 */
export function operatorPackages(): readonly string[] {
  if (found !== null) return found;
  const own = productImports();
  const names = new Set(["zod"]);
  for (const path of modulesBelow(fileURLToPath(new URL("operators", PRODUCT_ROOT)))) {
    const text = Deno.readTextFileSync(path);
    for (const [, specifier] of text.matchAll(/(?:from|import\(?)\s*"([a-z@][^":]*)"/g)) {
      const folder = Object.keys(own).find((key) => key.endsWith("/") && specifier.startsWith(key));
      if (own[specifier]?.startsWith("npm:")) names.add(specifier);
      else if (folder !== undefined) {
        for (const key of [folder, folder.slice(0, -1)]) names.add(key);
      }
    }
  }
  return found = [...names].sort();
}

function* modulesBelow(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* modulesBelow(path);
    else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) yield path;
  }
}

/** The product's own packages are in a scope of its own: bundles do not see them. */
function importMapOf(npm: BundleNpm | null, packages: readonly string[]): ImportMap {
  const own = productImports();
  const missing = packages.find((name) => !own[name]);
  if (missing) {
    throw new AppError("INVALID", `Cannot import "${missing}": it is not in the import map`);
  }
  return {
    imports: { ...npm?.imports, zod: own.zod, ...productModules },
    scopes: {
      [PRODUCT_ROOT.href]: Object.fromEntries(packages.map((name) => [name, own[name]])),
    },
  };
}

function productImports(): Record<string, string> {
  const path = fileURLToPath(new URL("deno.json", PRODUCT_ROOT));
  return JSON.parse(Deno.readTextFileSync(path)).imports;
}

async function prepare({ dir, key, importMap, npm }: WantedRuntime): Promise<ModuleRuntime> {
  const specifiers = [
    ...Object.values(importMap.imports),
    ...Object.values(importMap.scopes).flatMap((scope) => Object.values(scope)),
  ].filter((target) => target.startsWith("npm:") && !target.endsWith("/"));
  if (!await isFile(`${dir}/deno.lock`)) {
    const lock = await resolveLock([...new Set(specifiers)], {
      lock: npm?.lock ?? null,
      tempDir: `${dir}/..`,
    });
    await writeRuntime(dir, { importMap, lock });
    await pruneEmitCache(resolve(dir, "../../bundles"));
  } else if (npm) {
    // The packages may have been installed for another cache than this process's.
    await cachePackages(dir, specifiers, ["--lock=deno.lock", "--frozen"]);
  }
  const args = [
    ...["--no-prompt", "--no-config", "--cached-only", "--deny-import"],
    `--allow-env=${unsetVariables.join(",")}`,
    ...[`--import-map=${dir}/import_map.json`, `--lock=${dir}/deno.lock`, "--frozen"],
  ];
  return { key, args, env: childEnv(), dir };
}

async function writeRuntime(
  dir: string,
  { importMap, lock }: { importMap: ImportMap; lock: BundleNpm["lock"] },
): Promise<void> {
  const temp = `${dir}~${randomToken(12)}`;
  await Deno.mkdir(temp, { recursive: true });
  try {
    await Deno.writeTextFile(`${temp}/import_map.json`, JSON.stringify(importMap, null, 2));
    await Deno.writeTextFile(`${temp}/deno.lock`, JSON.stringify(lock, null, 2) + "\n");
    await Deno.rename(temp, dir).catch(async (error) => {
      if (!await isFile(`${dir}/deno.lock`)) throw error;
    });
  } finally {
    await Deno.remove(temp, { recursive: true }).catch(() => {});
  }
}

/**
 * Deno keeps the emitted JS of every module that it ever loaded; here what it keeps of bundles that
 * are gone from the cache goes too. Keeping it out altogether costs 150 ms in each process: Deno
 * tries a refused write five times, with pauses.
 */
export async function pruneEmitCache(bundlesDir: string): Promise<void> {
  try {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--no-config"],
      stdin: "null",
      stderr: "null",
    }).output();
    const { typescriptCache } = JSON.parse(new TextDecoder().decode(stdout));
    const place = `${typescriptCache}/file${bundlesDir}`;
    if ((await Deno.stat(place)).isFile) return await Deno.remove(place);
    for await (const { name } of Deno.readDir(place)) {
      if (!await isFile(`${bundlesDir}/${name}/.manifest.json`)) {
        await Deno.remove(`${place}/${name}`, { recursive: true });
      }
    }
  } catch {
    // Nothing is kept there yet, or it is laid out otherwise.
  }
}

/** Download packages and write or check `<dir>/deno.lock`; nothing of them is run. */
async function cachePackages(
  dir: string,
  specifiers: readonly string[],
  flags: string[],
): Promise<void> {
  const stub = `${dir}/~${randomToken(9)}.ts`;
  await Deno.writeTextFile(stub, specifiers.map((s) => `import ${JSON.stringify(s)};\n`).join(""));
  try {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["cache", "-q", "--no-config", "--lock=deno.lock", ...flags, stub],
      cwd: dir,
      env: { NO_COLOR: "1", DENO_NO_PACKAGE_JSON: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return;
    const why = new TextDecoder().decode(stderr).split("\n").find((line) => /error:/.test(line));
    throw new AppError(
      "UNAVAILABLE",
      `Cannot install ${specifiers.join(", ")}: ${(why ?? "unknown").replace(/^error:\s*/, "")}`,
    );
  } finally {
    await Deno.remove(stub).catch(() => {});
  }
}

function childEnv(): Record<string, string> {
  const kept = ["DENO_DIR", "XDG_CACHE_HOME", "HOME", "NPM_CONFIG_REGISTRY", "SYSTEMROOT"];
  const env: Record<string, string> = {
    NO_COLOR: "1",
    DENO_NO_PACKAGE_JSON: "1",
    DENO_NO_UPDATE_CHECK: "1",
    TZ: "UTC",
  };
  for (const name of kept) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return env;
}

function isFile(path: string): Promise<boolean> {
  return Deno.stat(path).then((found) => found.isFile, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw new AppError("UNAVAILABLE", `Cannot look at ${path}: ${messageOf(error)}`);
  });
}
