/** @module Files on this machine, without a server: what is in one, and the same in another format. */
import { basename, dirname, join } from "node:path";
import { AppError } from "../../src/model/errors.ts";
import { formOf } from "../../src/base/form.ts";
import type { EngineResult, EngineValue } from "../../src/contract/child.ts";
import type { RowAccounting, TableSchema } from "../../src/model/data.ts";
import type { TaskContext } from "../../src/sdk/context.ts";
import type { RefusedRow } from "../table/quarantine.ts";
import { rowsOfFiles } from "../table/rows.ts";
import { ident } from "../table/sql.ts";
import { type Converted, convertFiles } from "./convert_files.ts";
import { summaryOf, type VerdictSummary } from "./inference/column.ts";
import { findKeys } from "./inference/keys.ts";
import { formatNamed, hasExtension, targetNamed } from "./formats/mod.ts";
import { writeFile } from "./write_file.ts";
import { formatNames, type TargetName } from "./formats/names.ts";
import { ConvertParams, type Drift, type ReadParams } from "./params.ts";
import { UnpackParams } from "./prepare/containers/params.ts";
import { unpack } from "./prepare/containers/unpack.ts";
import { tempPaths } from "./prepare/mod.ts";
import type { ReadFile } from "./convert_files.ts";
import { type CheckedRows, checkRows } from "./local_quality.ts";
import type { QualityParams } from "../quality/params.ts";

/**
 * What local work runs in: an engine that can read the file's folder and writes to `workDir`, which
 * is empty, and on the same disk as the results at best.
 */
export interface LocalEnvironment {
  engine: TaskContext["engine"];
  workDir: string;
  signal?: AbortSignal;
}

/** A file on this machine, out of whatever it was packed in. */
export interface LocalFile {
  /** Where its bytes are. */
  path: string;
  /** For people, and for the result: `day.zip/eod/prices.csv`. */
  name: string;
  /** What it was taken out of; null: nothing. */
  compression: string | null;
}

/** The files that one is: itself, or the members of an archive. */
export async function localFiles(
  path: string,
  name: string,
  { workDir, signal = new AbortController().signal }: Omit<LocalEnvironment, "engine">,
  params: Partial<UnpackParams> = {},
): Promise<{ files: LocalFile[]; skipped: Record<string, number> }> {
  const info = await Deno.stat(path).catch((error) => {
    throw new AppError("NOT_FOUND", `Cannot read ${name}: there is no such file`, { cause: error });
  });
  if (!info.isFile) throw new AppError("INVALID", `Cannot read ${name}: it is not a file`);
  const tempPath = tempPaths(workDir, "unpacked");
  const options = { ...UnpackParams.parse(params), tempPath, signal };
  return await unpack(await Deno.realPath(path), name, options).catch(sayFull(name));
}

/** What {@link inspectFile} finds. */
export interface Inspection {
  path: string;
  bytes: number;
  /** What was chosen where another reading could be meant, as a sheet of several. */
  notes: readonly string[];
  format: string;
  /** How the format was told from others; null where it was named. */
  recognition: ReadFile["recognition"];
  compression: string | null;
  encoding: ReadFile["encoding"];
  dialect: ReadFile["dialect"];
  /** Records, refused ones too. */
  rows: number;
  /** Records that are not of the format: a wrong number of columns, a broken quote. */
  refused: { rows: number; reasons: Readonly<Record<string, number>>; sample: RefusedRow[] };
  /** Types that hold every value exactly. */
  columns: InspectedColumn[];
  /** The same, as `convert` takes it. */
  schema: TableSchema;
  /** Columns, or pairs of them, that tell each row from the others. */
  keys: string[][];
  /** First rows. */
  sample: EngineResult["rows"];
}

/** A column as {@link inspectFile} finds it. */
export interface InspectedColumn {
  name: string;
  type: string;
  nulls: number;
  min: string | null;
  max: string | null;
  /** How its type came to be; none where the file has types of its own. */
  inferred?: VerdictSummary;
}

/** Options of {@link inspectFile}. */
export interface InspectOptions extends Partial<ReadParams> {
  /** First rows to show; 10. */
  sampleRows?: number;
  /** Show personal data as it is: values of such columns are masked otherwise. */
  raw?: boolean;
}

/** Read a file whole and say what is in it. Throws CORRUPT or INVALID when it is no known data. */
export async function inspectFile(
  given: string | LocalFile,
  { sampleRows = 10, raw = false, ...read }: InspectOptions,
  environment: LocalEnvironment,
): Promise<Inspection> {
  const local = localFile(given);
  const converted = await convertLocal(local, { ...read, onDrift: "quarantine" }, environment);
  const { schema, accounting, quarantine, formats } = converted;
  await quarantine.close();
  const relation = await relationOf(converted, environment);
  const columns = await columnFigures(schema, relation, environment);
  const keys = await findKeys(relation, columns, environment.engine);
  const names = schema.columns.map(({ name }) => ident(name)).join(", ");
  const { rows: sample } = await environment.engine.run(
    `SELECT ${names} FROM (${relation}) ORDER BY _tw_row LIMIT ${sampleRows}`,
    { rowsMax: sampleRows },
  );
  const isHidden = (name: string) => !raw && converted.privacy.has(name);
  const { meaningOf } = await import("./inference/semantic/model.ts");
  const [file] = converted.read;
  return {
    path: local.name,
    bytes: (await Deno.stat(local.path)).size,
    notes: file?.notes ?? [],
    format: formats[0] ?? "empty",
    recognition: file?.recognition ?? null,
    compression: file?.compression ?? null,
    encoding: file?.encoding ?? null,
    dialect: file?.dialect ?? null,
    rows: accounting.in,
    refused: {
      rows: quarantine.rows,
      reasons: quarantine.reasons,
      sample: shownRows(converted, raw),
    },
    columns: columns.map((column) => {
      const verdict = converted.verdicts.get(column.name);
      const shown = isHidden(column.name)
        ? { ...column, min: masked(column.min) as string, max: masked(column.max) as string }
        : column;
      return verdict === undefined ? shown : {
        ...shown,
        inferred: summaryOf(verdict, meaningOf(verdict.column).meaning),
      };
    }),
    keys,
    sample: sample.map((row) =>
      row.map((value, i) => isHidden(schema.columns[i].name) ? masked(value) : value)
    ),
    schema: {
      ...schema,
      columns: schema.columns.map((column, i) => ({ ...column, nullable: columns[i].nulls > 0 })),
    },
  };
}

function masked(value: EngineValue): EngineValue {
  return value === null ? null : "***";
}

/** The first refused rows; where a column is personal data, their form only. */
function shownRows({ quarantine, privacy }: Converted, raw: boolean): RefusedRow[] {
  const isHidden = !raw && privacy.size > 0;
  return quarantine.sample.map((row) => isHidden ? { ...row, raw: formOf(row.raw) } : row);
}

/** Options of {@link convertFile}. */
export interface ConvertFileOptions extends Partial<ReadParams> {
  to: TargetName;
  /** Folder of the results, which is made when needed. */
  out: string;
  schema?: TableSchema;
  /** The default is `evolve`. */
  onDrift?: Drift;
  /** Report refused rows as they are, with personal data; the file of them always has all. */
  raw?: boolean;
  /** Rules that rows must meet, and bounds for all of them. */
  rules?: QualityParams;
  /** Results that are there from the same call, and stay: `a.csv` and `a.json` are both `a`. */
  taken?: Set<string>;
}

/** What {@link convertFile} did: every row is out, quarantined or filtered. */
export interface ConvertReport extends Omit<ReadFile, "name"> {
  from: string;
  /** The result, named as the file is. */
  file: string;
  to: TargetName;
  /** All refused rows with their reasons, beside the result; null when there are none. */
  quarantineFile: string | null;
  accounting: RowAccounting;
  reasons: Readonly<Record<string, number>>;
  /** The first refused rows. */
  refused: RefusedRow[];
  /** What the rules found; null where there are none. */
  quality: CheckedRows["quality"] | null;
  schema: TableSchema;
  newColumns: string[];
  missingColumns: string[];
}

/**
 * Convert a file. Throws CORRUPT or INVALID when it cannot be read, CONFLICT when the result would
 * be the file itself; a result that is there already is replaced, once the new one is whole.
 */
export async function convertFile(
  given: string | LocalFile,
  { to, out, rules, raw = false, taken = new Set(), ...params }: ConvertFileOptions,
  environment: LocalEnvironment,
): Promise<ConvertReport> {
  const local = localFile(given);
  const extension = targetNamed(to).extensions[0];
  const plain = stemOf(local.name);
  const isTaken = taken.has(join(out, `${plain}.${extension}`));
  const stem = isTaken ? join(dirname(plain), basename(local.name)) : plain;
  const file = join(out, `${stem}.${extension}`);
  await refuseSelf(local.path, file);
  const converted = await convertLocal(local, {
    onDrift: "evolve",
    to,
    // Rules compare values, not texts.
    ...(rules ? { types: "infer" as const } : {}),
    ...params,
  }, environment);
  const checked = rules ? await checkRows(converted, rules, environment) : null;
  const rows = { ...converted, ...checked };
  const { quarantine, accounting, schema } = rows;
  await quarantine.close();
  const written = await writeRows(rows, to, environment).catch(sayFull(local.name));
  const quarantineFile = join(out, `${stem}.quarantine.ndjson`);
  await Deno.mkdir(dirname(file), { recursive: true });
  if (quarantine.rows > 0) await moveFile(quarantine.path, quarantineFile);
  else await Deno.remove(quarantineFile).catch(() => {});
  await moveFile(written, file);
  taken.add(file);
  const [read] = converted.read;
  return {
    from: local.name,
    file,
    format: read?.format ?? "empty",
    recognition: read?.recognition ?? null,
    compression: read?.compression ?? null,
    encoding: read?.encoding ?? null,
    dialect: read?.dialect ?? null,
    notes: read?.notes ?? [],
    to,
    quarantineFile: quarantine.rows > 0 ? quarantineFile : null,
    accounting,
    reasons: { ...quarantine.reasons, ...converted.discarded },
    refused: shownRows(converted, raw),
    quality: checked?.quality ?? null,
    schema,
    newColumns: converted.newColumns,
    missingColumns: converted.missingColumns,
  };
}

function localFile(given: string | LocalFile): LocalFile {
  return typeof given === "string"
    ? { path: given, name: basename(given), compression: null }
    : given;
}

async function convertLocal(
  { path, name, compression }: LocalFile,
  params: Partial<ConvertParams>,
  { engine, workDir, signal = new AbortController().signal }: LocalEnvironment,
): Promise<Converted> {
  const info = await Deno.stat(path).catch((error) => {
    throw new AppError("NOT_FOUND", `Cannot read ${path}: there is no such file`, { cause: error });
  });
  if (!info.isFile) throw new AppError("INVALID", `Cannot read ${path}: it is not a file`);
  const raw = {
    path: await Deno.realPath(path),
    name,
    key: name,
    source: "local",
    labels: {},
    compression,
  };
  const table = basename(stemOf(name)).replace(/\W/g, "_").replace(/^(?=\d)/, "_") || "rows";
  const parsed = ConvertParams.parse({ name: table, ...params });
  return await convertFiles([raw], parsed, { engine, workDir, signal }).catch(sayFull(name));
}

/** An error of a full disk, as one that says so. */
function sayFull(name: string): (error: unknown) => never {
  return (error) => {
    if (!/no space left on device|os error 28/i.test(String(error))) throw error;
    throw new AppError("DISK_FULL", `Cannot convert ${name}: the disk of the results is full`, {
      cause: error,
    });
  };
}

/** The rows of a conversion in one file of the format. */
async function writeRows(
  converted: Pick<Converted, "files" | "schema">,
  to: TargetName,
  environment: LocalEnvironment,
): Promise<string> {
  const path = join(environment.workDir, `result.${to}`);
  const relation = await relationOf(converted, environment);
  const { engine, signal = new AbortController().signal } = environment;
  await writeFile({ engine, signal }, { relation, columns: converted.schema.columns, to, path });
  return path;
}

async function relationOf(
  converted: Pick<Converted, "files" | "schema">,
  environment: LocalEnvironment,
): Promise<string> {
  const provenance = converted.files.map((file) => file.provenance);
  return await rowsOfFiles(
    environment,
    { schema: converted.schema, provenance },
    converted.files.map(({ path }) => path),
  );
}

async function columnFigures(
  { columns }: TableSchema,
  relation: string,
  { engine }: LocalEnvironment,
): Promise<Inspection["columns"]> {
  const figures = columns.flatMap(({ name }) => {
    const column = ident(name);
    return [
      `count(*) - count(${column})`,
      `left(min(${column})::VARCHAR, 40)`,
      `left(max(${column})::VARCHAR, 40)`,
    ];
  });
  const { rows } = await engine.run(`SELECT ${figures.join(", ")} FROM (${relation})`, {
    rowsMax: 1,
  });
  return columns.map(({ name, type }, i) => ({
    name,
    type,
    nulls: Number(rows[0][3 * i]),
    min: rows[0][3 * i + 1] as string | null,
    max: rows[0][3 * i + 2] as string | null,
  }));
}

/** The name without the endings of formats and compressions; archives in it are folders. */
function stemOf(name: string): string {
  const parts = name.split("/").map((part, i, all) => {
    const plain = part.replace(/\.(gz|gzip|zst|bz2|xz)$/i, "");
    return i < all.length - 1 ? plain.replace(/\.(zip|tar|tgz|tbz2?|txz)$/i, "") : plain;
  });
  const last = parts[parts.length - 1];
  const isKnown = formatNames.some((format) => hasExtension(formatNamed(format), last));
  parts[parts.length - 1] = isKnown ? last.replace(/\.[^.]*$/, "") : last;
  return parts.join("/");
}

async function refuseSelf(path: string, file: string): Promise<void> {
  const [from, to] = await Promise.all(
    [path, file].map((each) => Deno.realPath(each).catch(() => null)),
  );
  if (from === null || from !== to) return;
  throw new AppError("CONFLICT", `Cannot convert ${path} onto itself: give another folder`);
}

async function moveFile(from: string, to: string): Promise<void> {
  try {
    await Deno.rename(from, to);
  } catch (error) {
    if (!/cross-device|os error 18/i.test(String(error))) throw error;
    await Deno.copyFile(from, `${to}.part`);
    await Deno.rename(`${to}.part`, to);
    await Deno.remove(from);
  }
}
