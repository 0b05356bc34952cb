/** @module Raw files into Parquet files of one table: the work of `convert`, free of where it runs. */
import { AppError, hasCode } from "../../src/model/errors.ts";
import type { FileProvenance, RowAccounting, TableSchema } from "../../src/model/data.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import { checkColumnNames } from "../table/rows.ts";
import { QuarantineWriter, type RefusedRow } from "../table/quarantine.ts";
import type { Format, ReadCall, ReadOptions, RowSource } from "./formats/format.ts";
import { FormatOptions } from "./formats/options.ts";
import { loadFile, type LoadResult } from "./load.ts";
import type { Verdict } from "./inference/column.ts";
import type { ConvertParams } from "./params.ts";
import { typeAfter } from "../pii/policy.ts";
import { type FilePlan, planFile } from "./plan.ts";
import { type Privacy, privacyOf } from "./privacy.ts";
import { type KnownTexts, noTexts, type Types, typesOf, widerTypes } from "./types.ts";
import type { EncodingFinding } from "./prepare/detect.ts";
import { type PreparedFile, tempPaths } from "./prepare/mod.ts";
import { type RawFile, type ReadyFile, readyFiles } from "./ready_files.ts";
import type { TypedTarget } from "./select.ts";

/** What a conversion runs in. */
export interface ConvertEnvironment {
  engine: TaskContext["engine"];
  workDir: string;
  signal: AbortSignal;
}

/** What came of it. */
export interface Converted {
  schema: TableSchema;
  /** Parquet files by raw file, with their rows. */
  files: { path: string; rows: number; provenance: FileProvenance | null }[];
  accounting: RowAccounting;
  /** Rows in it are refused; call `finish` or `close` on it. */
  quarantine: QuarantineWriter;
  /** Rows left out by rule, under `onDrift: "discard"`. */
  discarded: Readonly<Record<string, number>>;
  newColumns: string[];
  missingColumns: string[];
  formats: string[];
  /** What was read, file by file; members of archives are files. */
  read: ReadFile[];
  /** Members of archives that were not read, by why. */
  skippedMembers: Readonly<Record<string, number>>;
  /** What was found out about columns whose types were inferred from texts. */
  verdicts: ReadonlyMap<string, Verdict>;
  /** Columns that are personal data, and what was done with them. */
  privacy: Privacy;
}

/** A file that was read. */
export interface ReadFile extends Pick<PreparedFile, "recognition"> {
  name: string;
  format: string;
  compression: string | null;
  /** Null of binary formats. */
  encoding: EncodingFinding | null;
  dialect: RowSource["dialect"] | null;
  notes: readonly string[];
}

/** What one attempt makes. */
type Loaded = Omit<Converted, "skippedMembers">;

/** Rules that mean drift: the row was read and does not fit the table. */
const driftRules = new Set(["type", "not_null", "new_column", "missing_column"]);
/** Statements over more take minutes and gigabytes. */
const COLUMNS_MAX = 4_000;
const ATTEMPTS = 4;

/**
 * Convert files into one table. Throws CORRUPT for a file that is not of its format, INVALID for
 * parameters that do not fit, and, with `onDrift: "freeze"`, INVALID for the first misfit.
 */
export async function convertFiles(
  files: readonly RawFile[],
  params: ConvertParams,
  environment: ConvertEnvironment,
): Promise<Converted> {
  const known = noTexts();
  const careful = new Set<RawFile>();
  const dir = await Deno.makeTempDir({ dir: environment.workDir, prefix: "convert-" });
  const ready = await readyFiles(files, params, {
    signal: environment.signal,
    tempPath: tempPaths(dir, "plain"),
  });
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const conversion = new Conversion(params, environment, tempPaths(dir, `${attempt}`));
    const loaded = await conversion.run(ready.files, known, careful);
    if (loaded) return { ...loaded, skippedMembers: ready.skipped };
  }
  throw new AppError(
    "CORRUPT",
    `Cannot infer the types of ${files.map(({ name }) => name).join(", ")}: declare a schema`,
  );
}

/** A file that was opened. */
export interface OpenFile {
  raw: RawFile;
  format: Format;
  recognition: ReadyFile["recognition"];
  read: Omit<ReadCall, "isCareful">;
  source: RowSource;
  plan: FilePlan;
  /** Records that were refused when it was opened. */
  refused: number;
}

/** One attempt; a second one follows when inferred types turn out too narrow. */
class Conversion {
  readonly #params: ConvertParams;
  readonly #environment: ConvertEnvironment;
  readonly #tempPath: (extension: string) => string;
  readonly #quarantine: QuarantineWriter;
  #discarded = new Map<string, number>();

  constructor(
    params: ConvertParams,
    environment: ConvertEnvironment,
    tempPath: (extension: string) => string,
  ) {
    this.#params = params;
    this.#environment = environment;
    this.#tempPath = tempPath;
    this.#quarantine = new QuarantineWriter(tempPath("quarantine.ndjson"));
  }

  /** Null for another attempt: `known` and `careful` say what was learned from this one. */
  async run(
    files: readonly ReadyFile[],
    known: KnownTexts,
    careful: Set<RawFile>,
  ): Promise<Loaded | null> {
    const open: OpenFile[] = [];
    for (const file of files) open.push(await this.#open(file, careful.has(file.raw)));
    refuseTooWide(open);
    const types = await typesOf(open, known, this.#params, this.#environment.engine);
    const privacy = await privacyOf(open, types, this.#params, this.#environment.engine);
    const columns = this.#columns(open, types, privacy);
    const results: { path: string; result: LoadResult }[] = [];
    for (const file of open) {
      const path = this.#tempPath("parquet");
      const result = await this.#load(file, { types, privacy, columns, path });
      if (result === null) {
        // Others may be as this one is, and attempts are few.
        for (const { raw, source } of open) if (source.isGuess) careful.add(raw);
        await this.#quarantine.close();
        return null;
      }
      const narrow = result.misfitTargets.map((i) => columns[i].name)
        .filter((name) => types.get(name)?.isInferred);
      if (narrow.length > 0) {
        await widerTypes(open, types, known, this.#params, this.#environment.engine);
        await this.#quarantine.close();
        return null;
      }
      results.push({ path, result });
    }
    return this.#converted(open, { types, privacy, columns }, results);
  }

  async #open(
    { raw, file, format, recognition }: ReadyFile,
    isCareful: boolean,
  ): Promise<OpenFile> {
    const { signal, engine } = this.#environment;
    let refused = 0;
    const options = readOptions(this.#params);
    const read = { file, options, engine, signal, tempPath: this.#tempPath };
    const counting: ReadCall["refuse"] = (row) => {
      refused++;
      return this.#refuse(row);
    };
    let source = await format.read({ ...read, refuse: counting, isCareful });
    if (source.position === "implied" && !await isReadable(engine, source)) {
      source = await format.read({ ...read, refuse: counting, isCareful: true });
    }
    const plan = planFile(source.columns, {
      schema: this.#params.schema ?? null,
      columns: this.#params.columns,
      ignore: this.#params.ignore,
      onDrift: this.#params.onDrift,
      labels: raw.labels,
      fileName: raw.name,
    });
    return {
      raw,
      format,
      recognition,
      read: { ...read, refuse: (row) => this.#refuse(row) },
      source,
      plan,
      refused,
    };
  }

  async #load(
    file: OpenFile,
    { types, privacy, columns, path }: {
      types: Types;
      privacy: Privacy;
      columns: TableSchema["columns"];
      path: string;
    },
  ): Promise<LoadResult | null> {
    const { decimalMark, thousandsMark, dateFormat, timestampFormat } = this.#params;
    const targets = columns.map(({ name }): TypedTarget => {
      const { type, verdict, formats } = types.get(name)!;
      const own = file.plan.targets.find((target) => target.name === name);
      const target = own ?? { name, nullable: true, origin: { kind: "missing" as const } };
      const timestampFormat = formats.get(file.raw);
      const typed = { ...target, type, timestampFormat, privacy: privacy.get(name) };
      if (verdict === null) return typed;
      const { reading, nullTokens } = verdict;
      return { ...typed, reading, nullTokens };
    });
    return await loadFile({
      format: file.format,
      read: file.read,
      source: file.source,
      targets,
      extras: this.#params.onDrift === "quarantine" ? file.plan.extras : [],
      style: { decimalMark, thousandsMark, dateFormat, timestampFormat },
      origin: { source: file.raw.source, file: file.raw.key },
      path,
      refusedBefore: file.refused,
    });
  }

  #columns(
    open: readonly OpenFile[],
    types: Types,
    privacy: Privacy,
  ): TableSchema["columns"] {
    const declared = this.#params.schema?.columns ?? [];
    const names = [
      ...new Set([
        ...declared.map(({ name }) => name),
        ...open.flatMap(({ plan }) => plan.targets.map(({ name }) => name)),
      ]),
    ];
    checkColumnNames(names);
    const kept = names.filter((name) => privacy.get(name)?.action !== "drop");
    if (kept.length === 0) {
      throw new AppError("INVALID", "Cannot make a table: every column of it is to be dropped");
    }
    return kept.map((name) => {
      const known = declared.find((column) => column.name === name);
      if (known) return known;
      const type = types.get(name)!.type.name;
      const action = privacy.get(name)?.action ?? "keep";
      return { name, type: typeAfter(action, type), nullable: true };
    });
  }

  async #refuse(row: RefusedRow): Promise<void> {
    if (driftRules.has(row.rule)) {
      if (this.#params.onDrift === "freeze") {
        throw new AppError(
          "INVALID",
          `Cannot convert ${row.file}: record ${row.row} does not fit the frozen schema. ` +
            row.reason,
        );
      }
      if (this.#params.onDrift === "discard") {
        this.#discarded.set(row.rule, (this.#discarded.get(row.rule) ?? 0) + 1);
        return;
      }
    }
    await this.#quarantine.add(row);
  }

  #converted(
    open: readonly OpenFile[],
    { types, privacy, columns }: {
      types: Types;
      privacy: Privacy;
      columns: TableSchema["columns"];
    },
    loaded: readonly { path: string; result: LoadResult }[],
  ): Loaded {
    const { schema, name } = this.#params;
    const sum = (of: (result: LoadResult) => number) =>
      loaded.reduce((total, { result }) => total + of(result), 0);
    const filtered = [...this.#discarded.values()].reduce((a, b) => a + b, 0);
    const unique = (names: string[]) => [...new Set(names)];
    return {
      schema: { name: schema?.name ?? name, columns, key: schema?.key ?? [] },
      files: loaded.map(({ path, result }) => ({
        path,
        rows: result.rowsOut,
        provenance: result.provenance,
      })),
      accounting: {
        in: sum(({ rowsIn }) => rowsIn),
        generated: 0,
        out: sum(({ rowsOut }) => rowsOut),
        quarantined: this.#quarantine.rows,
        mergedAway: 0,
        filtered,
      },
      quarantine: this.#quarantine,
      discarded: Object.fromEntries(this.#discarded),
      newColumns: unique(
        open.flatMap(({ plan, source }) => plan.extras.map((i) => source.columns[i].name)),
      ),
      missingColumns: unique(open.flatMap(({ plan }) => plan.missing)),
      formats: unique(open.map(({ format }) => format.name)),
      read: open.map(({ raw, format, recognition, read: { file }, source }) => ({
        name: raw.name,
        format: format.name,
        recognition,
        compression: file.compression ?? null,
        encoding: file.encoding ?? null,
        dialect: source.dialect ?? null,
        notes: source.notes ?? [],
      })),
      privacy,
      verdicts: new Map(
        [...types].flatMap(([name, { verdict }]) => verdict === null ? [] : [[name, verdict]]),
      ),
    };
  }
}

/** Can the engine read its beginning as it is? If not, the file needs care from the start. */
async function isReadable(
  engine: TaskContext["engine"],
  { relation }: RowSource,
): Promise<boolean> {
  try {
    await engine.run(`SELECT count(*) FROM (SELECT 1 FROM (${relation}) LIMIT 1000)`, {
      rowsMax: 1,
    });
    return true;
  } catch (error) {
    if (hasCode(error, "INVALID")) return false;
    throw error;
  }
}

/** What readers need of the parameters. */
export function readOptions(params: ConvertParams): ReadOptions {
  const mapped = Object.values(params.columns).filter((mapping) => typeof mapping === "string");
  return {
    ...FormatOptions.parse(params),
    delimiter: params.delimiter,
    quote: params.quote,
    header: params.header,
    skipLines: params.skipLines,
    csv: params.csv,
    nullTokens: params.nullTokens,
    records: params.records,
    recordKey: params.recordKey,
    jsonFields: fieldsOfType(params, /^json$/i),
    floatFields: fieldsOfType(params, /^(double|float8)$/i),
    pointers: mapped.filter((name) => /^#?\//.test(name)),
    knownColumns: [...(params.schema?.columns.map(({ name }) => name) ?? []), ...mapped],
  };
}

function refuseTooWide(open: readonly OpenFile[]): void {
  const columns = new Set(open.flatMap(({ plan }) => plan.targets.map(({ name }) => name))).size;
  if (columns <= COLUMNS_MAX) return;
  const widest = open.toSorted((a, b) => b.source.columns.length - a.source.columns.length)[0];
  throw new AppError(
    "INVALID",
    `Cannot convert ${widest.raw.name}: its table would have ${columns} columns, and one has at ` +
      `most ${COLUMNS_MAX}; declare those that are wanted as the schema, and ignore: ["*"]`,
  );
}

/** Fields of the file that are wanted as columns of a type. */
function fieldsOfType({ schema, columns }: ConvertParams, type: RegExp): string[] {
  return (schema?.columns ?? []).filter((column) => type.test(column.type.trim()))
    .map(({ name }) => {
      const mapping = columns[name];
      return typeof mapping === "string" ? mapping : name;
    });
}
