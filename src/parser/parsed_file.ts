/** @module What came of a parsed file: DAGs, nothing, or an error with its place. */
import { pathToFileURL } from "node:url";
import type { Clock } from "../base/clock.ts";
import { canonicalJson, sha256 } from "../base/hash.ts";
import { limits } from "../base/limits.ts";
import { packBundle } from "../contract/bundle.ts";
import { DagSpec } from "../model/dag_spec.ts";
import { AppError, messageOf } from "../model/errors.ts";
import type { InstalledBundle } from "../objects/bundle_cache.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { UnplacedImportError } from "./graph.ts";
import { DagFileError, explainThrown, importError, type Place } from "./import_error.ts";
import type { ChildAnswer } from "./parse_child.ts";
import { checkTiming } from "../timetable/mod.ts";
import type { FileRecord, ImportError, ParsedDag, ParseOutcome } from "./port.ts";
import type { SourceReader } from "./sources.ts";
import type { StagedFile } from "./stage.ts";

/** What came of one file. */
export interface ParsedFile {
  record: FileRecord;
  /** The packed bundle, where it exports DAGs; to be stored before the record. */
  packed: Uint8Array | null;
  installed: InstalledBundle | null;
  /** The error came from the outside (a registry that is away): try again after a while. */
  transient: boolean;
}

/** A file that has no bundle. */
export function ended(record: FileRecord): ParsedFile {
  return { record, packed: null, installed: null, transient: false };
}

/** The error to show; null for one that is not the author's, nor the registry's. */
export async function asAuthorError(
  error: unknown,
  file: string,
  reader: SourceReader,
): Promise<{ error: ImportError; transient: boolean } | null> {
  if (error instanceof AppError && ["UNAVAILABLE", "TOO_LARGE", "INVALID"].includes(error.code)) {
    const place = { path: file, line: null, column: null };
    return {
      error: importError(error.message, place, null),
      transient: error.code === "UNAVAILABLE",
    };
  }
  if (!(error instanceof DagFileError)) return null;
  const source = await reader.read(error.place.path).catch(() => null);
  const text = source && new TextDecoder().decode(source.data);
  const place = error instanceof UnplacedImportError && text !== null
    ? placeOf(error, text)
    : error.place;
  return { error: importError(error.message, place, text), transient: false };
}

function placeOf({ place, specifier }: UnplacedImportError, text: string): Place {
  const at = [`"${specifier}"`, `'${specifier}'`, specifier]
    .map((wanted) => text.indexOf(wanted))
    .find((index) => index >= 0);
  if (at === undefined) return place;
  const before = text.slice(0, at).split("\n");
  return { ...place, line: before.length, column: before.at(-1)!.length + 1 };
}

/** What came of a file that was imported. */
export function readAnswer(
  staged: StagedFile,
  answer: ChildAnswer,
  { product, clock }: { product: string; clock: Clock },
): ParsedFile {
  const { file, sources } = staged;
  const fingerprint = fingerprintOf(sources, product);
  const done = (outcome: ParseOutcome) => ended({ file, fingerprint, sources, outcome });
  const failed = (message: string, place: Place) => {
    const data = staged.content.files.get(place.path);
    const text = data ? new TextDecoder().decode(data) : null;
    return done({ kind: "error", error: importError(message, place, text) });
  };
  const wholeFile = { path: file, line: null, column: null };
  if (answer.kind === "stopped") return failed(`Cannot import ${file}: ${answer.why}`, wholeFile);
  if (answer.kind === "thrown") {
    const { message, place } = explainThrown(answer.error, {
      file,
      bundleDir: staged.bundle.dir,
      bundleUrl: pathToFileURL(staged.bundle.dir).href,
    });
    return failed(message, place);
  }
  try {
    const dags = answer.dags.map((dag) => toParsedDag(dag, staged, clock.now()));
    if (dags.length === 0) return done({ kind: "library" });
    const source = new TextDecoder().decode(staged.content.files.get(file)!);
    const packed = packBundle(staged.content);
    const { hash, manifest } = staged.content;
    const bundle = { hash, files: manifest, packedBytes: packed.length };
    const outcome: ParseOutcome = { kind: "dags", bundle, source, dags };
    return { ...done(outcome), packed, installed: staged.bundle };
  } catch (error) {
    return failed(`Cannot read the DAGs of ${file}: ${messageOf(error)}`, wholeFile);
  }
}

function toParsedDag(found: unknown, { graph, meaning }: StagedFile, now: Date): ParsedDag {
  const spec = DagSpec.parse(found);
  if (spec.tasks.length > limits.tasksPerDag) {
    throw new AppError(
      "TOO_LARGE",
      `DAG "${spec.dagId}" has ${spec.tasks.length} tasks, at most ${limits.tasksPerDag} can be`,
    );
  }
  checkTiming(spec, now);
  const meaningHash = sha256(canonicalJson({ spec, js: graph.js, ...meaning }));
  return { dagId: spec.dagId, spec, meaningHash };
}
