/**
 * @module From DAG files to what they consist of: local modules and data files, npm packages, and
 * the JS that they come to.
 */
import { posix } from "node:path";
import type { Message } from "esbuild";
import { DagFileError } from "./import_error.ts";
import type { GraphBuilder, GraphResult } from "./esbuild.ts";
import { judgeImport } from "./imports.ts";
import { productModules } from "../objects/module_runtime.ts";

/** What one DAG file consists of. */
export interface FileGraph {
  file: string;
  /** Local modules and data files that it reaches by imports, with itself; sorted. */
  paths: string[];
  /** npm packages: what modules write → the package. */
  npm: Record<string, string>;
  /** Emitted JS of all of it, canonical. */
  js: string;
  /** Could it export a DAG at all: it reaches `tidewheel` and exports something. */
  mayDeclare: boolean;
}

/** Options of {@link analyseFiles}. */
export interface AnalyseOptions {
  /** The dags folder. */
  dir: string;
  builder: GraphBuilder;
  /** `imports` of the dags folder's `deno.json`. */
  aliases: Readonly<Record<string, string>>;
}

type Analysed = FileGraph | DagFileError;

/** Single builds at one time, when one broken module keeps files from being built together. */
const SINGLE_BUILDS = 8;

/** Analyse files (relative to the folder) together; an error of one does not touch the others. */
export async function analyseFiles(
  files: readonly string[],
  options: AnalyseOptions,
): Promise<Map<string, Analysed>> {
  const results = new Map<string, Analysed>();
  let left = [...files];
  for (let round = 0; left.length > 0 && round < 2; round++) {
    const built = await build(left, options);
    if (built.ok) {
      for (const file of left) results.set(file, await readGraph(file, built, options));
      return results;
    }
    // Errors in the files themselves name them; others are in modules that some of them import.
    const errors = new Map(built.errors.toReversed().map((error) => [error.location?.file, error]));
    for (const file of left) {
      const error = errors.get(file);
      if (error) results.set(file, asFileError(error, file));
    }
    left = left.filter((file) => !results.has(file));
  }
  await Promise.all(Array.from({ length: SINGLE_BUILDS }, async () => {
    for (let file = left.pop(); file !== undefined; file = left.pop()) {
      results.set(file, await analyseOne(file, options));
    }
  }));
  return results;
}

async function analyseOne(file: string, options: AnalyseOptions): Promise<Analysed> {
  const built = await build([file], options);
  return built.ok ? await readGraph(file, built, options) : asFileError(built.errors[0], file);
}

function build(entries: string[], { dir, builder }: AnalyseOptions, keepUnusedImports = false) {
  return builder.build({ dir, entries, keepUnusedImports });
}

async function readGraph(
  file: string,
  built: GraphResult & { ok: true },
  options: AnalyseOptions,
): Promise<Analysed> {
  const { js, exports } = built.entries.get(file)!;
  let walk = walkImports(file, built, options.aliases);
  if (!(walk instanceof DagFileError) && walk.dropsImports) {
    // Imported for their types alone: Deno loads such modules, so the bundle has to have them.
    const all = await build([file], options, true);
    if (!all.ok) return asFileError(all.errors[0], file);
    walk = walkImports(file, all, options.aliases);
  }
  if (walk instanceof DagFileError) return walk;
  return {
    file,
    paths: [...walk.paths].toSorted(),
    npm: walk.npm,
    js,
    mayDeclare: walk.product && exports.length > 0,
  };
}

interface Walk {
  paths: Set<string>;
  npm: Record<string, string>;
  product: boolean;
  /** Are there relative imports that esbuild dropped, since only types of them are used? */
  dropsImports: boolean;
}

function walkImports(
  file: string,
  { modules, entries }: GraphResult & { ok: true },
  aliases: AnalyseOptions["aliases"],
): Walk | DagFileError {
  const walk: Walk = { paths: new Set(), npm: {}, product: false, dropsImports: false };
  // Modules of `import("./lib/" + name)` are in the output, though no import names them.
  const queue = [file, ...entries.get(file)!.inputs];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (walk.paths.has(path)) continue;
    walk.paths.add(path);
    for (const found of modules[path]?.imports ?? []) {
      const specifier = found.original ?? found.path;
      if (!found.external) {
        const bad = badLocal(path, found.path, specifier);
        if (bad) return bad;
        queue.push(found.path);
      } else if (/^\.{0,2}\//.test(specifier)) {
        if (!specifier.includes("*")) walk.dropsImports = true;
      } else {
        const target = judgeImport(specifier, aliases);
        if (target.kind === "refused") return refused(path, specifier, target.why);
        if (target.kind === "npm") walk.npm[specifier] = target.target;
        if (specifier in productModules) walk.product = true;
      }
    }
  }
  return walk;
}

function badLocal(importer: string, path: string, specifier: string): DagFileError | null {
  if (path.startsWith("../") || posix.isAbsolute(path)) {
    return refused(importer, specifier, "it is outside of the dags folder");
  }
  if (posix.isAbsolute(specifier)) {
    return refused(importer, specifier, "it is absolute; write it relative to this file");
  }
  return null;
}

/** The place is found later, in the text of the importing file. */
function refused(importer: string, specifier: string, why: string): DagFileError {
  return new UnplacedImportError(`Cannot import "${specifier}": ${why}`, importer, specifier);
}

/** An import that is refused; esbuild does not say where in the file it stands. */
export class UnplacedImportError extends DagFileError {
  constructor(message: string, importer: string, readonly specifier: string) {
    super(message, { path: importer, line: null, column: null });
  }
}

function asFileError({ text, location }: Message, file: string): DagFileError {
  const hint = text.startsWith("No loader is configured")
    ? `; import data files as text: with { type: "text" }`
    : "";
  if (!location) return new DagFileError(text + hint, { path: file, line: null, column: null });
  return new DagFileError(text + hint, {
    path: location.file,
    line: location.line,
    // esbuild counts bytes, from 0.
    column: charsOfBytes(location.lineText, location.column) + 1,
  });
}

function charsOfBytes(text: string, bytes: number): number {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, bytes)).length;
}
