/**
 * @module What the parser keeps in the metadata database: tables `dag`, `dag_version`,
 * `dag_bundle`, `import_error` and `parsed_file`.
 *
 * A *file* is the path of a DAG file relative to the dags folder, with `/`: `vendors/eod.ts`. One
 * parser writes at a time; the parser has already refused a second DAG with an id that another file
 * owns.
 */
import type { DagSpec } from "../model/dag_spec.ts";

/** One local file that a DAG file consists of: a module, a data file, or the npm lock. */
export interface SourceFile {
  /** Relative to the dags folder. */
  path: string;
  sha256: string;
  bytes: number;
}

/** A content-addressed bundle; its bytes are in object storage at `bundleKey(hash)`. */
export interface BundleRecord {
  hash: string;
  /** The manifest: every file, sorted by path. */
  files: SourceFile[];
  /** Size of the packed bundle. */
  packedBytes: number;
}

/** A DAG as a parse found it. */
export interface ParsedDag {
  dagId: string;
  spec: DagSpec;
  /** SHA-256 over what the DAG does: spec, emitted JS, data files, npm lock. */
  meaningHash: string;
}

/** Why a DAG file could not be taken; safe to show. */
export interface ImportError {
  /** What was tried and what is so, in one line or a few. */
  message: string;
  /** Where: relative to the dags folder; the DAG file itself or a module that it imports. */
  path: string;
  /** From 1; null where no place is known (a time limit, a killed process). */
  line: number | null;
  /** From 1. */
  column: number | null;
  /** A few source lines around the place with a marker below; null without a place. */
  frame: string | null;
}

/** What came of one DAG file. */
export type ParseOutcome =
  | {
    /** It exports DAGs. `bundle` holds them all; `source` is the text of the file itself. */
    kind: "dags";
    bundle: BundleRecord;
    source: string;
    dags: ParsedDag[];
  }
  /** It exports no DAG: a module that others import, or nothing yet. */
  | { kind: "library" }
  | { kind: "error"; error: ImportError };

/** One parsed file to record. */
export interface FileRecord {
  file: string;
  /**
   * Hash over the contents that the outcome depends on and the parser's own version; null: look at
   * the file again after a restart (its error may come from elsewhere).
   */
  fingerprint: string | null;
  /** The files that {@link fingerprint} covers. */
  sources: SourceFile[];
  outcome: ParseOutcome;
}

/** What a DAG that awaits datasets publishes, with the ends of its runs, and awaits. */
export interface DatasetFlow {
  dagId: string;
  publishes: readonly string[];
  awaits: readonly string[];
}

/** A file as recorded last: enough to leave it alone while it does not change. */
export interface KnownFile {
  file: string;
  fingerprint: string | null;
  sources: SourceFile[];
  kind: ParseOutcome["kind"];
  /** DAGs that belong to it and are not stale; with `error`: those of its last good version. */
  dagIds: string[];
  /** Of those DAGs, those that await datasets. */
  flows: DatasetFlow[];
}

/** What {@link ParserStore.record} did with one DAG. */
export interface DagChange {
  dagId: string;
  /** `updated`: a new version; `unchanged`: none, though the dag may have stopped being stale. */
  change: "created" | "updated" | "unchanged";
  dagVersionId: string;
  versionNumber: number;
}

/** The parser's view of the metadata database. */
export interface ParserStore {
  /** Every row of `parsed_file`, with the DAGs whose `fileloc` is that file. */
  loadKnown(): Promise<KnownFile[]>;

  /**
   * Record the outcomes of some files (at most 100), all in one transaction; what it returns is
   * committed. For each file, `parsed_file` is written and:
   *
   * - `dags`: the bundle's row is added when it is new. Each DAG is created, or updated: `fileloc`
   *   is this file, `isStale` false, `lastParsedAt` now. A new `dag_version` (number + 1, with spec,
   *   meaning hash, bundle hash, entry = file, and the source text) becomes current only when the
   *   meaning differs from the current version's; otherwise the current version stays as it is, with
   *   its own bundle. DAGs of this file that are not among them become stale. The file's import
   *   error is removed.
   * - `library`: as `dags` with no DAG.
   * - `error`: the import error is written over the last one; the file's DAGs stay as they are.
   *
   * A DAG that another file owned moves to this one (the file was renamed).
   */
  record(files: FileRecord[], now: Date): Promise<DagChange[]>;

  /**
   * These files are gone: remove their `parsed_file` and import error; DAGs whose `fileloc` still is
   * one of them stay, with their versions and runs, as stale. Returns the ids that became stale.
   */
  removeFiles(files: string[], now: Date): Promise<string[]>;
}
