/**
 * @module Parses DAG files: graph → bundle → import in a child → DAGs as data, or an error with its
 * place. It changes nothing but the local cache.
 */
import type { Clock } from "../base/clock.ts";
import type { ObjectStore } from "../objects/port.ts";
import type { GraphBuilder } from "./esbuild.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { analyseFiles, type FileGraph, UnplacedImportError } from "./graph.ts";
import { DagFileError } from "./import_error.ts";
import { type AuthorNpm, readAuthorNpm } from "./npm.ts";
import type { ParseLimits } from "./parse_child.ts";
import { parseBatches } from "./parse_pool.ts";
import { asAuthorError, ended, type ParsedFile, readAnswer } from "./parsed_file.ts";
import type { ParseOutcome } from "./port.ts";
import { type SourceReader, sourceReader } from "./sources.ts";
import { type StagedFile, stageFile, withoutData } from "./stage.ts";

/** Options of {@link parseFiles}. */
export interface ParseOptions {
  /** The dags folder. */
  dagsDir: string;
  cacheDir: string;
  objects: ObjectStore;
  clock: Clock;
  builder: GraphBuilder;
  /** Hash of the product's own code. */
  product: string;
  limits: ParseLimits;
  /** Stops everything, and rejects. */
  signal?: AbortSignal;
  /** Others wait for this to end: slow files that may wait are left out. */
  hurry?: AbortSignal;
  canWait?(file: string): boolean;
  /** Gets each file as soon as it is done. */
  onParsed(file: ParsedFile): void;
  /** Told how long each import took, and whether that was too long; for metrics. */
  onImported?(tookMs: number, isTimeout: boolean): void;
}

/** Files that are analysed together; while they are imported, the next ones are analysed. */
const CHUNK_FILES = 200;
/** The first ones are few, so that importing begins soon. */
const CHUNK_FILES_FIRST = 50;

/** Parse files, relative to the dags folder. What the author can mend is an outcome, not a throw. */
export async function parseFiles(files: readonly string[], options: ParseOptions): Promise<void> {
  await parseBatches(stageAll(files, options), {
    limits: options.limits,
    clock: options.clock,
    signal: options.signal,
    hurry: options.hurry,
    canWait: ({ file }) => options.canWait?.(file) ?? true,
    onAnswer(item, answer, tookMs) {
      options.onImported?.(tookMs, answer.kind === "stopped" && answer.isTimeout === true);
      options.onParsed(readAnswer(item, answer, options));
    },
  });
}

async function* stageAll(
  files: readonly string[],
  options: ParseOptions,
): AsyncGenerator<StagedFile[]> {
  for (let at = 0, next = CHUNK_FILES_FIRST; at < files.length; at = next, next += CHUNK_FILES) {
    const chunk = files.slice(at, next);
    const reader = sourceReader(options.dagsDir);
    const author = await readAuthorNpm(reader);
    const { builder, dagsDir: dir } = options;
    const graphs = await analyseFiles(chunk, { dir, builder, aliases: author.aliases });
    const staged = await Promise.all(
      chunk.map((file) => prepare(graphs.get(file)!, file, { ...options, reader, author })),
    );
    yield staged.filter((item) => item !== null);
  }
}

interface ChunkOptions extends ParseOptions {
  reader: SourceReader;
  author: AuthorNpm;
}

/** Stage a file; or say at once what came of it, and give null. */
async function prepare(
  graph: FileGraph | DagFileError,
  file: string,
  options: ChunkOptions,
): Promise<StagedFile | null> {
  const { reader, author, product, onParsed } = options;
  try {
    if (graph instanceof DagFileError) throw graph;
    if (graph.mayDeclare) return await stageFile(graph, options);
    const sources = await Promise.all(graph.paths.map((path) => reader.read(path)));
    const known = sources.filter((source) => source !== null).map(withoutData);
    const fingerprint = fingerprintOf(known, product);
    onParsed(ended({ file, fingerprint, sources: known, outcome: { kind: "library" } }));
  } catch (error) {
    const failed = await asAuthorError(error, file, reader);
    if (!failed) throw error;
    const hint = graph instanceof UnplacedImportError ? author.problem : null;
    if (hint) failed.error.message += `. ${hint}`;
    const outcome: ParseOutcome = { kind: "error", error: failed.error };
    onParsed({
      ...ended({ file, fingerprint: null, sources: [], outcome }),
      transient: failed.transient,
    });
  }
  return null;
}
