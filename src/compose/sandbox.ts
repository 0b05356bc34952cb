/** @module `tidewheel sandbox`: vendors to try things on, until Ctrl-C. */
import type { VerbContext, VerbOptions } from "../cli/mod.ts";
import { startSandbox, vendors } from "../sandbox/mod.ts";
import { untilSignal } from "./signals.ts";

/** What `tidewheel sandbox` does. */
export async function runSandbox(
  { output }: VerbContext,
  _args: string[],
  options: VerbOptions,
): Promise<number> {
  await using server = await startSandbox({ port: Number(options.port) });
  output.out(`Sandbox at ${server.url}\n`);
  for (const { name } of vendors) output.out(`  ${server.url}/${name}\n`);
  await untilSignal();
  return 0;
}
