/** @module `tidewheel inspect` and `tidewheel convert`: data files, without a server. */
import { dirname, join, resolve } from "node:path";
import { systemClock } from "../base/clock.ts";
import type { VerbContext, VerbOptions } from "../cli/mod.ts";
import { bytes, printFacts, printJson, printTable, tableText } from "../cli/print.ts";
import { startEngine } from "../engine/client.ts";
import { AppError, messageOf } from "../model/errors.ts";
import { TableSchema } from "../model/data.ts";
import {
  convertFile,
  type ConvertReport,
  inspectFile,
  type Inspection,
  type LocalEnvironment,
} from "../../operators/convert/local.ts";
import { type TargetName, targetNames } from "../../operators/convert/formats/names.ts";
import { Drift } from "../../operators/convert/params.ts";

/** Memory that the engine may take. */
const MEMORY_BYTES = 1024 * 1024 * 1024;

/** What `tidewheel inspect` does. */
export async function inspect(
  { output }: VerbContext,
  [file]: string[],
  options: VerbOptions,
): Promise<number> {
  await requireFile(file);
  const found = await withEngine(
    file,
    await Deno.makeTempDir({ prefix: "tidewheel_inspect_" }),
    (environment) => inspectFile(resolve(file), { raw: options.raw === true }, environment),
  );
  if (output.json) printJson(output, found);
  else printInspection(output, found);
  return 0;
}

function printInspection(output: VerbContext["output"], found: Inspection) {
  printFacts(output, found, {
    file: found.path,
    size: bytes(found.bytes),
    format: found.compression ? `${found.format} in ${found.compression}` : found.format,
    rows: found.rows,
    refused: found.refused.rows,
  });
  output.out("\n");
  printTable(output, found, found.columns, {
    column: (one) => one.name,
    type: (one) => one.type,
    nulls: (one) => one.nulls,
    min: (one) => one.min,
    max: (one) => one.max,
    sure: (one) => one.inferred && `${Math.floor(one.inferred.confidence * 100)}%`,
    found: (one) => one.inferred && findings(one.inferred),
  });
  output.out("\n");
  output.out(tableText(
    found.sample,
    Object.fromEntries(
      found.columns.map(({ name }, i) => [name, (row: Inspection["sample"][number]) => row[i]]),
    ),
  ));
  printRefused(output, found.refused.sample);
}

function findings(
  { identifier, pii, piiWithin, unit, written, nullTokens = [], values, notes = [] }: NonNullable<
    Inspection["columns"][number]["inferred"]
  >,
): string {
  return [
    identifier,
    pii && `personal: ${pii}`,
    piiWithin && `personal data within: ${piiWithin.join(", ")}`,
    unit && `in ${unit}`,
    written,
    nullTokens.length > 0 && `null: ${nullTokens.map((token) => JSON.stringify(token)).join(" ")}`,
    values && `${values} values`,
    ...notes,
  ].filter(Boolean).join("; ");
}

/** What `tidewheel convert` does; exit code 1 when rows were refused. */
export async function convert(
  { output }: VerbContext,
  [file]: string[],
  options: VerbOptions,
): Promise<number> {
  await requireFile(file);
  const out = resolve(String(options.out));
  await Deno.mkdir(out, { recursive: true });
  const report = await withEngine(
    file,
    await Deno.makeTempDir({ dir: out, prefix: ".tidewheel_" }),
    async (environment) =>
      await convertFile(resolve(file), {
        to: oneOf("--to", String(options.to), targetNames) as TargetName,
        out,
        raw: options.raw === true,
        onDrift: oneOf("--on-drift", String(options.onDrift), Drift.options),
        ...(options.schema ? { schema: await readSchema(String(options.schema)) } : {}),
      }, environment),
  );
  if (output.json) printJson(output, report);
  else printReport(output, report);
  return report.accounting.quarantined === 0 ? 0 : 1;
}

function printReport(output: VerbContext["output"], report: ConvertReport) {
  printFacts(output, report, {
    from: `${report.from} (${report.format})`,
    to: report.file,
    "rows in": report.accounting.in,
    out: report.accounting.out,
    quarantined: report.accounting.quarantined,
    filtered: report.accounting.filtered,
    ...(report.quarantineFile ? { "refused rows": report.quarantineFile } : {}),
    ...(report.newColumns.length > 0 ? { "new columns": report.newColumns.join(", ") } : {}),
    ...(report.missingColumns.length > 0
      ? { "missing columns": report.missingColumns.join(", ") }
      : {}),
  });
  printRefused(output, report.refused);
}

function printRefused(output: VerbContext["output"], refused: ConvertReport["refused"]) {
  if (refused.length === 0) return;
  output.out("\nRefused rows:\n");
  output.out(tableText(refused, {
    row: (one) => one.row,
    byte: (one) => one.offset,
    column: (one) => one.column,
    rule: (one) => one.rule,
    reason: (one) => one.reason,
    raw: (one) => one.raw.slice(0, 80),
  }));
}

/** Run with an engine that reads the file's folder; `workDir` is removed afterwards. */
async function withEngine<T>(
  file: string,
  workDir: string,
  use: (environment: LocalEnvironment) => Promise<T>,
): Promise<T> {
  const real = await Deno.realPath(workDir);
  const engine = await startEngine({
    workDir: real,
    allowedDirectories: [await Deno.realPath(dirname(resolve(file)))],
    tempDir: join(real, ".engine"),
    memoryBytes: MEMORY_BYTES,
  }, { clock: systemClock });
  try {
    return await use({ engine, workDir: real });
  } finally {
    await engine.close();
    await Deno.remove(workDir, { recursive: true });
  }
}

async function requireFile(file: string) {
  const found = await Deno.stat(file).catch(() => null);
  if (!found?.isFile) {
    throw new AppError("NOT_FOUND", `Cannot read ${file}: there is no such file`);
  }
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw new AppError(
    "INVALID",
    `Cannot use ${option} ${value}: it is one of ${allowed.join(", ")}`,
  );
}

async function readSchema(path: string): Promise<TableSchema> {
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    throw new AppError("INVALID", `Cannot read the schema ${path}: ${messageOf(error)}`);
  }
  const parsed = TableSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AppError(
    "INVALID",
    `Cannot use the schema ${path}: ${issue.path.join(".") || "it"}: ${issue.message}`,
  );
}
