/** @module Reads the files of which DAG files consist, within limits and never outside the folder. */
import { posix } from "node:path";
import { sha256 } from "../base/hash.ts";
import { limits } from "../base/limits.ts";
import { DagFileError } from "./import_error.ts";
import type { SourceFile } from "./port.ts";

/** A file with its content. */
export interface Source extends SourceFile {
  data: Uint8Array;
}

/** Reads each file once. */
export interface SourceReader {
  /** Null when there is no such file. Throws {@link DagFileError} for one that cannot be taken. */
  read(path: string): Promise<Source | null>;
}

/** A reader of the folder `dir`. */
export function sourceReader(dir: string): SourceReader {
  const root = Deno.realPathSync(dir);
  const known = new Map<string, Promise<Source | null>>();
  return {
    read(path) {
      let found = known.get(path);
      if (!found) known.set(path, found = readSource(root, dir, path));
      return found;
    },
  };
}

/**
 * All files of one DAG file: its modules, and data files that they name as
 * `new URL("./rates.csv", import.meta.url)`; of those, `absent` ones do not exist. Throws {@link DagFileError} past the limits of a bundle.
 */
export async function readAll(
  file: string,
  paths: readonly string[],
  reader: SourceReader,
): Promise<{ sources: Source[]; data: Source[]; absent: SourceFile[] }> {
  const sources = new Map<string, Source>();
  const data: Source[] = [];
  const absent: SourceFile[] = [];
  const add = async (path: string, required: boolean) => {
    if (sources.has(path)) return;
    const source = await reader.read(path);
    if (!source) {
      if (required) throw fileError(file, `Cannot import "${path}": it is gone`);
      absent.push({ path, sha256: "", bytes: 0 });
      return;
    }
    sources.set(path, source);
    if (!required) data.push(source);
    checkSize(file, sources);
  };
  for (const path of paths) await add(path, true);
  for (const module of [...sources.values()]) {
    for (const path of namedDataFiles(module)) await add(path, false);
  }
  return { sources: [...sources.values()].toSorted(byPath), data: data.toSorted(byPath), absent };
}

const byPath = (a: SourceFile, b: SourceFile) => (a.path < b.path ? -1 : 1);

function namedDataFiles({ path, data }: Source): string[] {
  if (!/\.[mc]?[jt]s$/.test(path)) return [];
  const text = new TextDecoder().decode(data);
  const urls = text.matchAll(
    /new URL\(\s*(["'`])(\.{1,2}\/[^"'`$\\]+)\1\s*,\s*import\.meta\.url\s*,?\s*\)/g,
  );
  return [...urls]
    .map(([, , relative]) => posix.join(posix.dirname(path), relative))
    .filter((target) => !target.startsWith("../"));
}

function checkSize(file: string, sources: ReadonlyMap<string, Source>): void {
  if (sources.size > limits.bundleFiles) {
    throw fileError(
      file,
      `Cannot bundle ${file}: it reaches more than ${limits.bundleFiles} local files`,
    );
  }
  const bytes = sources.values().reduce((sum, source) => sum + source.bytes, 0);
  if (bytes > limits.bundleBytes) {
    throw fileError(
      file,
      `Cannot bundle ${file}: its local files have ${bytes} bytes, at most ${limits.bundleBytes} ` +
        `can be; keep large data outside of the dags folder and read it in a task`,
    );
  }
}

async function readSource(root: string, dir: string, path: string): Promise<Source | null> {
  try {
    const real = await Deno.realPath(`${dir}/${path}`);
    if (!real.startsWith(`${root}/`)) {
      throw fileError(path, `Cannot use "${path}": it is a link that leads out of the dags folder`);
    }
    const { size, isFile } = await Deno.stat(real);
    if (!isFile) return null;
    if (size > limits.bundleBytes) {
      throw fileError(
        path,
        `Cannot use "${path}": it has ${size} bytes, at most ${limits.bundleBytes} can be`,
      );
    }
    const data = await Deno.readFile(real);
    return { path, data, sha256: sha256(data), bytes: data.length };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function fileError(path: string, message: string): DagFileError {
  return new DagFileError(message, { path, line: null, column: null });
}
