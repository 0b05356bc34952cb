/** @module From the graph of a DAG file to a bundle in the local cache, ready to be imported. */
import { type Bundle, type BundleNpm, bundleNpmPath, makeBundle } from "../contract/bundle.ts";
import { canonicalJson } from "../base/hash.ts";
import { installVerified } from "../objects/bundle_cache.ts";
import { moduleRuntime } from "../objects/module_runtime.ts";
import type { ObjectStore } from "../objects/port.ts";
import type { FileGraph } from "./graph.ts";
import { DagFileError } from "./import_error.ts";
import { type AuthorNpm, lockPackages } from "./npm.ts";
import type { ParseItem } from "./parse_pool.ts";
import type { SourceFile } from "./port.ts";
import { readAll, type SourceReader } from "./sources.ts";

/** A DAG file that can be imported. */
export interface StagedFile extends ParseItem {
  content: Bundle;
  graph: FileGraph;
  /** Everything that the outcome depends on. */
  sources: SourceFile[];
  /** Data files that the JS names but does not contain, and the npm packages. */
  meaning: { data: string[][]; npm: BundleNpm | null };
}

/** Options of {@link stageFile}. */
export interface StageOptions {
  cacheDir: string;
  objects: ObjectStore;
  reader: SourceReader;
  author: AuthorNpm;
}

/** Bundle a file and put it into the cache. Throws {@link DagFileError} for what its author can mend. */
export async function stageFile(graph: FileGraph, options: StageOptions): Promise<StagedFile> {
  const { cacheDir, author } = options;
  const { sources, data, absent } = await readAll(graph.file, graph.paths, options.reader);
  const files = new Map(sources.map((source) => [source.path, source.data]));
  const npm = Object.keys(graph.npm).length > 0 ? await lockPackages(graph.npm, options) : null;
  if (files.has(bundleNpmPath)) {
    throw new DagFileError(`Cannot import "${bundleNpmPath}": the name is taken`, {
      path: graph.file,
      line: null,
      column: null,
    });
  }
  if (npm) files.set(bundleNpmPath, new TextEncoder().encode(canonicalJson(npm)));
  const content = makeBundle(files);
  const [bundle, runtime] = await Promise.all([
    installVerified(content, cacheDir),
    moduleRuntime({ cacheDir, npm }),
  ]);
  return {
    file: graph.file,
    bundle,
    runtime,
    content,
    graph,
    sources: [...sources.map(withoutData), ...absent, ...(npm ? author.sources : [])],
    meaning: { data: data.map(({ path, sha256 }) => [path, sha256]), npm },
  };
}

/** What of a file is recorded. */
export function withoutData({ path, sha256, bytes }: SourceFile): SourceFile {
  return { path, sha256, bytes };
}
