/** @module `tidewheel db`: SQL on the metadata, whether the service runs or not. */
import { systemClock } from "../base/clock.ts";
import type { VerbContext, VerbOptions } from "../cli/mod.ts";
import { printJson, printTable } from "../cli/print.ts";
import type { Settings } from "../settings.ts";
import { runningUrl, startEmbedded } from "../store/embedded/mod.ts";
import { runSql } from "../store/shell.ts";
import { openHome } from "./home.ts";

/** What `tidewheel db` does. */
export async function runDb(
  settings: Settings,
  context: VerbContext,
  [text]: string[],
  options: VerbOptions,
): Promise<number> {
  return await withDatabase(settings, async (url) => {
    if (options.url) {
      context.output.out(`${url}\n`);
      return 0;
    }
    return await query(context, url, text ?? await context.readStdin(), {
      write: options.write === true,
      rowsMax: Number(options.limit),
    });
  });
}

async function query(
  { output }: VerbContext,
  url: string,
  text: string,
  options: { write: boolean; rowsMax: number },
): Promise<number> {
  const result = await runSql(url, text, options);
  if (output.json) {
    printJson(output, result);
    return 0;
  }
  if (result.rowsChanged !== null) {
    output.out(`${result.rowsChanged} rows changed\n`);
    return 0;
  }
  printTable(
    output,
    result,
    result.rows,
    Object.fromEntries(
      result.columns.map(({ name }, i) => [name, (row: (string | null)[]) => row[i]]),
    ),
  );
  if (result.truncated) output.err(`(the first ${options.rowsMax} rows; --limit shows more)\n`);
  return 0;
}

/** The URL of the database; an embedded server that does not run is started for the while. */
async function withDatabase<T>(settings: Settings, use: (url: string) => Promise<T>): Promise<T> {
  if (settings.databaseUrl !== null) return await use(settings.databaseUrl);
  const home = await openHome(settings);
  const running = await runningUrl(home.dir);
  if (running) return await use(running);
  const embedded = await startEmbedded({ home: home.dir, clock: systemClock });
  try {
    return await use(embedded.url);
  } finally {
    await embedded.service.stop();
  }
}
