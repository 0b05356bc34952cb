/**
 * @module npm packages of DAG files: which, and locked to which versions.
 *
 * Authors write `npm:name@version`, or name packages in the `imports` of a `deno.json` in the dags
 * folder; a `deno.lock` beside it pins them. What it does not pin is resolved once, and the result is
 * kept in object storage, so that the same imports mean the same code ever after.
 */
import { canonicalJson, sha256 } from "../base/hash.ts";
import { BundleNpm } from "../contract/bundle.ts";
import { AppError, hasCode } from "../model/errors.ts";
import { resolveLock } from "../objects/module_runtime.ts";
import type { ObjectStore } from "../objects/port.ts";
import type { SourceFile } from "./port.ts";
import type { SourceReader } from "./sources.ts";

const Lock = BundleNpm.shape.lock;

/** What the dags folder says about packages. */
export interface AuthorNpm {
  /** `imports` of its `deno.json`. */
  aliases: Readonly<Record<string, string>>;
  /** Its `deno.lock`. */
  lock: BundleNpm["lock"] | null;
  /** Both files, with an empty hash where there is none. */
  sources: SourceFile[];
  /** Why one of them could not be read; it counts as absent then. */
  problem: string | null;
}

/** Read the dags folder's `deno.json` and `deno.lock`. */
export async function readAuthorNpm(reader: SourceReader): Promise<AuthorNpm> {
  const author: AuthorNpm = { aliases: {}, lock: null, sources: [], problem: null };
  const read = async (path: string): Promise<unknown> => {
    const source = await reader.read(path);
    author.sources.push({ path, sha256: source?.sha256 ?? "", bytes: source?.bytes ?? 0 });
    if (!source) return undefined;
    try {
      return JSON.parse(new TextDecoder().decode(source.data));
    } catch (error) {
      author.problem = `Cannot read ${path} of the dags folder: ${(error as Error).message}`;
    }
  };
  const config = await read("deno.json") as { imports?: Record<string, unknown> } | undefined;
  author.aliases = Object.fromEntries(
    Object.entries(config?.imports ?? {}).filter((entry): entry is [string, string] =>
      typeof entry[1] === "string"
    ),
  );
  const lock = await read("deno.lock");
  if (lock !== undefined) {
    const parsed = Lock.safeParse(lock);
    if (parsed.success) author.lock = parsed.data;
    else author.problem = "Cannot read deno.lock of the dags folder: it is not a lock of Deno";
  }
  return author;
}

/**
 * Lock these packages (what modules write → the package). Throws UNAVAILABLE when one of them cannot
 * be had.
 */
export async function lockPackages(
  imports: Record<string, string>,
  { author, objects, cacheDir }: { author: AuthorNpm; objects: ObjectStore; cacheDir: string },
): Promise<BundleNpm> {
  const specifiers = [...new Set(Object.values(imports))].toSorted();
  const request = canonicalJson({ specifiers, lock: author.lock });
  const key = `locks/${sha256(request)}.json`;
  const kept = await getLock(objects, key);
  if (kept) return { imports, lock: kept };
  const lock = await resolveLock(specifiers, { lock: author.lock, tempDir: cacheDir });
  const data = new TextEncoder().encode(canonicalJson(lock));
  await objects.put(key, data).catch((error) => {
    if (!hasCode(error, "CONFLICT")) throw error;
  });
  // Of two parsers that resolved at once, the first one's answer counts.
  return { imports, lock: await getLock(objects, key) ?? lock };
}

async function getLock(objects: ObjectStore, key: string): Promise<BundleNpm["lock"] | null> {
  try {
    return Lock.parse(JSON.parse(new TextDecoder().decode(await objects.get(key))));
  } catch (error) {
    if (error instanceof AppError && error.code !== "NOT_FOUND") throw error;
    return null;
  }
}
