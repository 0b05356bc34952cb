/** @module `tidewheel convert`: data files in another format, every row accounted for, without a server. */
import { resolve } from "node:path";
import type { VerbContext, VerbOptions } from "../../cli/mod.ts";
import { type Output, printJson } from "../../cli/print.ts";
import { RowAccounting, TableSchema } from "../../model/data.ts";
import { targetNames } from "../../../operators/convert/formats/names.ts";
import { convertFile, type ConvertReport } from "../../../operators/convert/local.ts";
import { Drift } from "../../../operators/convert/params.ts";
import { QualityParams } from "../../../operators/quality/params.ts";
import { oneOf, readFileOptions, readJsonFile } from "./options.ts";
import { exitCodes, printFailed, printReport } from "./print.ts";
import { sourcesOf } from "./sources.ts";
import { type Worked, workOn, type WorkReport } from "./workshop.ts";

/** What `tidewheel convert` does; the exit code says whether all rows are out. */
export async function convert(
  { output }: VerbContext,
  args: string[],
  options: VerbOptions,
): Promise<number> {
  const sources = await sourcesOf(args);
  const { read, ...rest } = readFileOptions(options);
  const to = oneOf("--to", String(options.to), targetNames);
  const onDrift = oneOf("--on-drift", String(options.onDrift), Drift.options);
  const schema = options.schema
    ? await readJsonFile(TableSchema, String(options.schema), "--schema")
    : undefined;
  const rules = options.rules
    ? await readJsonFile(QualityParams, String(options.rules), "--rules")
    : undefined;
  const out = resolve(String(options.out));
  await Deno.mkdir(out, { recursive: true });
  const taken = new Set<string>();
  const report = await workOn({
    ...rest,
    sources,
    output,
    // Beside the results, so that they get their names in one step once they are whole.
    tempDir: await Deno.makeTempDir({ dir: out, prefix: ".tidewheel_" }),
    use: (file, environment) =>
      convertFile(file, {
        ...read,
        raw: options.raw === true,
        to,
        out,
        onDrift,
        schema,
        rules,
        taken,
      }, environment),
  });
  if (output.json) printJson(output, documentOf(report));
  else printAll(output, report);
  return exitCodeOf(report);
}

function documentOf({ files, skipped, isInterrupted }: WorkReport<ConvertReport>) {
  return {
    files: files.map((file) => "error" in file ? file : file.result),
    skipped,
    accounting: sumOf(files),
    failed: files.filter((file) => "error" in file).length,
    interrupted: isInterrupted,
  };
}

function sumOf(files: readonly Worked<ConvertReport>[]): RowAccounting {
  const sum: RowAccounting = RowAccounting.parse({});
  for (const file of files) {
    if ("error" in file) continue;
    for (const [name, rows] of Object.entries(file.result.accounting)) {
      sum[name as keyof RowAccounting] += rows;
    }
  }
  return sum;
}

function printAll(output: Output, { files, skipped }: WorkReport<ConvertReport>): void {
  for (const [i, file] of files.entries()) {
    if (i > 0) output.out("\n");
    if ("error" in file) printFailed(output, file);
    else printReport(output, file.result);
  }
  for (const [why, count] of Object.entries(skipped)) {
    output.out(`\nNot read in archives, ${why}: ${count}\n`);
  }
  if (files.length < 2) return;
  const sum = sumOf(files);
  const failed = files.filter((file) => "error" in file).length;
  output.out(
    `\n${files.length} files: ${sum.in} rows in, ${sum.out} out, ${sum.quarantined} quarantined, ` +
      `${sum.filtered} filtered; ${failed} files failed\n`,
  );
}

function exitCodeOf({ files, isInterrupted }: WorkReport<ConvertReport>): number {
  if (isInterrupted) return exitCodes.interrupted;
  if (files.some((file) => "error" in file)) return exitCodes.failed;
  return sumOf(files).quarantined > 0 ? exitCodes.quarantined : 0;
}
