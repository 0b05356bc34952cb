/** @module What the parser knows of each DAG file: whether it changed, and whose the DAG ids are. */
import { type FolderSnapshot, signatureOfFile } from "./discover.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { importError } from "./import_error.ts";
import type { ParsedFile } from "./parsed_file.ts";
import { circleText, circleThrough, flowsIn } from "./circles.ts";
import type { DatasetFlow, FileRecord, KnownFile, ParseOutcome, SourceFile } from "./port.ts";
import type { SourceReader } from "./sources.ts";

interface FileState {
  kind: ParseOutcome["kind"];
  /** DAGs that it owns: those of its last good version. */
  dagIds: string[];
  fingerprint: string | null;
  sources: SourceFile[];
  /** The folder's signature of each source when it was last found unchanged. */
  signatures: Map<string, string>;
  /** A transient error is looked at again then. */
  retryAtMs: number | null;
  /** Ids that it declares and other files own. */
  wants: string[];
  /** Of DAGs that would start each other for ever and were refused. */
  refused: readonly DatasetFlow[];
}

/** A transient error is looked at again after this long. */
const RETRY_MS = 60_000;

/** A parsed file as it is to be recorded. */
export interface SettledFile {
  record: FileRecord;
  /** Look at it again after this long, whether it changed or not. */
  retryMs: number | null;
  /** Ids that it declares and other files own. */
  wants: string[];
  /** Flows of its DAGs that would start each other for ever. */
  refused: readonly DatasetFlow[];
}

/** DAGs that a record declares. */
export function idsIn({ outcome }: FileRecord): string[] {
  return outcome.kind === "dags" ? outcome.dags.map(({ dagId }) => dagId) : [];
}

/** Files and DAG ids as they were recorded last. */
export class KnownFiles {
  readonly #files = new Map<string, FileState>();
  readonly #owners = new Map<string, string>();
  /** Flows of the DAGs that each file owns. */
  readonly #flows = new Map<string, readonly DatasetFlow[]>();
  readonly #dir: string;

  /** `known` as recorded; files that `product` parses otherwise count as changed. */
  constructor(dir: string, known: readonly KnownFile[], product: string) {
    this.#dir = dir;
    for (const { file, fingerprint, sources, kind, dagIds, flows } of known) {
      const current = fingerprint === fingerprintOf(sources, product) ? fingerprint : null;
      const state = { kind, dagIds, fingerprint: current, sources, signatures: new Map() };
      this.#files.set(file, { ...state, retryAtMs: null, wants: [], refused: [] });
      for (const dagId of dagIds) this.#owners.set(dagId, file);
      this.#flows.set(file, flows);
    }
  }

  /** Counts for the health route. */
  counts(): { files: number; dags: number; importErrors: number } {
    const importErrors = this.#files.values().filter(({ kind }) => kind === "error");
    return {
      files: this.#files.size,
      dags: this.#owners.size,
      importErrors: [...importErrors].length,
    };
  }

  /** DAGs that the file owns. */
  dagIdsOf(file: string): string[] {
    return this.#files.get(file)?.dagIds ?? [];
  }

  /** Must `file` be parsed? Reads only those of its sources whose signature changed. */
  async isChanged(
    file: string,
    { snapshot, folderChanged, reader, nowMs }: {
      snapshot: FolderSnapshot;
      folderChanged: boolean;
      reader: SourceReader;
      nowMs: number;
    },
  ): Promise<boolean> {
    const state = this.#files.get(file);
    if (!state) return true;
    if (state.retryAtMs !== null && nowMs >= state.retryAtMs) return true;
    if (state.fingerprint === null) return folderChanged;
    for (const { path, sha256 } of state.sources) {
      const signature = this.#signature(path, snapshot);
      if (state.signatures.get(path) === signature) continue;
      const source = await reader.read(path).catch(() => null);
      if ((source?.sha256 ?? "") !== sha256) return true;
      state.signatures.set(path, signature);
    }
    return false;
  }

  /** Files that are not among `present` any more; they own no DAG from now on. */
  releaseGone(present: ReadonlySet<string>): string[] {
    const gone = [...this.#files.keys()].filter((file) => !present.has(file));
    for (const file of gone) this.#disown(file);
    return gone;
  }

  /** Forget files. */
  forget(files: readonly string[]): void {
    for (const file of files) this.#files.delete(file);
  }

  /**
   * The record of a file that was parsed after `snapshot` was taken: without its fingerprint where it
   * has changed since, an error instead where it declares DAGs that others own.
   */
  settle({ record, transient }: ParsedFile, snapshot: FolderSnapshot): SettledFile {
    const taken = this.#taken(record);
    if (taken.length > 0) {
      const owners = taken.map((dagId) => `"${dagId}" belongs to ${this.#owners.get(dagId)}`);
      const why = `the id ${owners.join(", ")}; give one of them another id`;
      return { ...refusedRecord(record, why), wants: taken, refused: [] };
    }
    const flows = flowsIn(record);
    const circle = this.#circle(record.file, flows);
    if (circle) {
      const fileOf = (dagId: string) =>
        idsIn(record).includes(dagId) ? record.file : this.#owners.get(dagId) ?? "?";
      const why = `they would start each other for ever: ${circleText(circle, fileOf)}; ` +
        "let one of these DAGs wait for something else";
      return { ...refusedRecord(record, why), wants: [], refused: flows };
    }
    const isMoved = record.sources.some(({ path }) =>
      this.#signature(path, snapshot) !== signatureOfFile(this.#dir, path)
    );
    const none = { wants: [], refused: [] };
    if (isMoved) return { record: { ...record, fingerprint: null }, retryMs: 0, ...none };
    return { record, retryMs: transient ? RETRY_MS : null, ...none };
  }

  #circle(file: string, flows: readonly DatasetFlow[]) {
    if (flows.length === 0) return null;
    const others = [...this.#flows].filter(([other]) => other !== file)
      .flatMap(([, theirs]) => theirs);
    return circleThrough(flows, others);
  }

  /** Who owns what after this record; call it in the order of the records. */
  claim(record: FileRecord): void {
    if (record.outcome.kind === "error") return;
    this.#disown(record.file);
    for (const dagId of idsIn(record)) this.#owners.set(dagId, record.file);
    this.#flows.set(record.file, flowsIn(record));
  }

  /** Keep what was recorded of a file that was parsed after `snapshot` was taken. */
  keep(
    { record, retryMs, wants, refused }: SettledFile,
    snapshot: FolderSnapshot,
    nowMs: number,
  ): void {
    const { file, fingerprint, sources, outcome } = record;
    this.#files.set(file, {
      kind: outcome.kind,
      dagIds: outcome.kind === "error" ? this.dagIdsOf(file) : idsIn(record),
      fingerprint,
      sources,
      signatures: new Map(sources.map(({ path }) => [path, this.#signature(path, snapshot)])),
      retryAtMs: retryMs === null ? null : nowMs + retryMs,
      wants,
      refused,
    });
  }

  /** Has what files were refused for gone away? Those count as changed then. */
  reviveWaiting(): boolean {
    let revived = false;
    for (const [file, state] of this.#files) {
      const { wants, refused } = state;
      if (wants.length === 0 && refused.length === 0) continue;
      if (wants.some((dagId) => this.#owners.has(dagId)) || this.#circle(file, refused)) continue;
      state.wants = [];
      state.refused = [];
      state.retryAtMs = 0;
      revived = true;
    }
    return revived;
  }

  #taken(record: FileRecord): string[] {
    const { file } = record;
    return idsIn(record).filter((dagId) => (this.#owners.get(dagId) ?? file) !== file);
  }

  #disown(file: string): void {
    this.#flows.delete(file);
    for (const dagId of this.#files.get(file)?.dagIds ?? []) {
      if (this.#owners.get(dagId) === file) this.#owners.delete(dagId);
    }
  }

  #signature(path: string, snapshot: FolderSnapshot): string {
    return snapshot.get(path) ?? signatureOfFile(this.#dir, path);
  }
}

function refusedRecord(record: FileRecord, why: string): Pick<SettledFile, "record" | "retryMs"> {
  const message = `Cannot take the DAGs of ${record.file}: ${why}`;
  const error = importError(message, { path: record.file, line: null, column: null }, null);
  return {
    record: { ...record, fingerprint: null, outcome: { kind: "error", error } },
    retryMs: null,
  };
}
