/** @module The parser's store in memory: for tests and for checking files without a database. */
import { systemIds } from "../base/ids.ts";
import { flowOf } from "./circles.ts";
import type {
  BundleRecord,
  DagChange,
  FileRecord,
  ImportError,
  KnownFile,
  ParsedDag,
  ParserStore,
} from "./port.ts";

/** A DAG with its current version, as kept in memory. */
export interface MemoryDag {
  dagId: string;
  fileloc: string;
  isStale: boolean;
  lastParsedAt: Date;
  versionNumber: number;
  dagVersionId: string;
  current: ParsedDag;
  bundleHash: string;
  source: string;
}

/** What a {@link memoryParserStore} holds. */
export interface MemoryParserStore extends ParserStore {
  readonly dags: Map<string, MemoryDag>;
  readonly bundles: Map<string, BundleRecord>;
  readonly importErrors: Map<string, ImportError>;
  readonly files: Map<string, FileRecord>;
  /** Calls of `record`. */
  readonly commits: number;
}

/** An empty store. */
export function memoryParserStore({ ids = systemIds() } = {}): MemoryParserStore {
  const dags = new Map<string, MemoryDag>();
  const bundles = new Map<string, BundleRecord>();
  const importErrors = new Map<string, ImportError>();
  const files = new Map<string, FileRecord>();
  let commits = 0;

  function upsert(
    { file, dag, bundleHash, source }: {
      file: string;
      dag: ParsedDag;
      bundleHash: string;
      source: string;
    },
    now: Date,
  ): DagChange {
    const old = dags.get(dag.dagId);
    const isSame = old?.current.meaningHash === dag.meaningHash;
    const version = isSame
      ? old
      : { dagVersionId: ids.uuid(), versionNumber: (old?.versionNumber ?? 0) + 1, current: dag };
    const content = isSame ? old : { bundleHash, source };
    dags.set(dag.dagId, {
      dagId: dag.dagId,
      fileloc: file,
      isStale: false,
      lastParsedAt: now,
      versionNumber: version.versionNumber,
      dagVersionId: version.dagVersionId,
      current: version.current,
      bundleHash: content.bundleHash,
      source: content.source,
    });
    const { dagVersionId, versionNumber } = version;
    const change = isSame ? "unchanged" : old ? "updated" : "created";
    return { dagId: dag.dagId, change, dagVersionId, versionNumber };
  }

  function markStale(file: string, except: ReadonlySet<string>): string[] {
    const stale = [...dags.values()].filter((dag) =>
      dag.fileloc === file && !dag.isStale && !except.has(dag.dagId)
    );
    for (const dag of stale) dag.isStale = true;
    return stale.map((dag) => dag.dagId);
  }

  return {
    dags,
    bundles,
    importErrors,
    files,
    get commits() {
      return commits;
    },
    loadKnown() {
      return Promise.resolve([...files.values()].map((record): KnownFile => ({
        file: record.file,
        fingerprint: record.fingerprint,
        sources: record.sources,
        kind: record.outcome.kind,
        dagIds: [...dags.values()]
          .filter((dag) => dag.fileloc === record.file && !dag.isStale)
          .map((dag) => dag.dagId),
        flows: [...dags.values()]
          .filter((dag) => dag.fileloc === record.file && !dag.isStale)
          .flatMap((dag) => flowOf(dag.current.spec) ?? []),
      })));
    },
    record(records, now) {
      commits++;
      const changes: DagChange[] = [];
      for (const record of records) {
        const { file, outcome } = record;
        files.set(file, record);
        if (outcome.kind === "error") {
          importErrors.set(file, outcome.error);
          continue;
        }
        importErrors.delete(file);
        const found = outcome.kind === "dags" ? outcome.dags : [];
        if (outcome.kind === "dags") bundles.set(outcome.bundle.hash, outcome.bundle);
        for (const dag of found) {
          const { bundle, source } = outcome as Extract<typeof outcome, { kind: "dags" }>;
          changes.push(upsert({ file, dag, bundleHash: bundle.hash, source }, now));
        }
        markStale(file, new Set(found.map((dag) => dag.dagId)));
      }
      return Promise.resolve(changes);
    },
    removeFiles(gone) {
      const stale = gone.flatMap((file) => {
        files.delete(file);
        importErrors.delete(file);
        return markStale(file, new Set());
      });
      return Promise.resolve(stale);
    },
  };
}
