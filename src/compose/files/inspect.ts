/** @module `tidewheel inspect`: what is in data files, without a server. */
import type { VerbContext, VerbOptions } from "../../cli/mod.ts";
import { printJson } from "../../cli/print.ts";
import { inspectFile } from "../../../operators/convert/local.ts";
import { readFileOptions } from "./options.ts";
import { exitCodes, printFailed, printInspection } from "./print.ts";
import { sourcesOf } from "./sources.ts";
import { workOn } from "./workshop.ts";

/** What `tidewheel inspect` does. */
export async function inspect(
  { output }: VerbContext,
  args: string[],
  options: VerbOptions,
): Promise<number> {
  const sources = await sourcesOf(args);
  const { read, ...rest } = readFileOptions(options);
  const sampleRows = Math.min(1000, Math.max(0, Math.floor(Number(options.rows)) || 0));
  const { files, skipped, isInterrupted } = await workOn({
    ...rest,
    sources,
    output,
    tempDir: await Deno.makeTempDir({ prefix: "tidewheel_inspect_" }),
    use: (file, environment) =>
      inspectFile(file, { ...read, sampleRows, raw: options.raw === true }, environment),
  });
  if (output.json) {
    const documents = files.map((file) => "error" in file ? file : file.result);
    printJson(output, { files: documents, skipped });
  } else {
    for (const [i, file] of files.entries()) {
      if (i > 0) output.out("\n");
      if ("error" in file) printFailed(output, file);
      else printInspection(output, file.result);
    }
  }
  if (isInterrupted) return exitCodes.interrupted;
  return files.some((file) => "error" in file) ? exitCodes.failed : 0;
}
