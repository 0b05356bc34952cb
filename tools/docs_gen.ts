/**
 * @module Writes docs/reference from the code's own declarations.
 *
 * `deno task docs` writes the pages; with `--check` it exits with 1 where one differs.
 */
import { apiPage } from "./docs/api.ts";
import { cliPage } from "./docs/cli.ts";
import { errorsPage } from "./docs/errors.ts";
import { limitsPage } from "./docs/limits.ts";
import { metricsPage } from "./docs/metrics.ts";
import { operatorsPage } from "./docs/operators.ts";
import { settingsPage } from "./docs/settings.ts";
import { statesPage } from "./docs/states.ts";
import { firstDifference } from "./schema_dump.ts";

const folder = new URL("../docs/reference/", import.meta.url);
const notice = "<!-- Made by `deno task docs` from the code. Do not edit. -->\n\n";

/** Every generated page: file name in docs/reference → text. */
export async function referencePages(): Promise<Map<string, string>> {
  const pages = {
    "api.md": apiPage(),
    "cli.md": cliPage(),
    "errors.md": errorsPage(),
    "limits.md": await limitsPage(),
    "metrics.md": metricsPage(),
    "operators.md": await operatorsPage(),
    "settings.md": settingsPage(),
    "states.md": statesPage(),
  };
  return new Map(Object.entries(pages).map(([name, text]) => [name, notice + text]));
}

/** What is wrong with the pages that are there, a line each; nothing when they are current. */
export async function staleReference(): Promise<string[]> {
  const stale: string[] = [];
  for (const [name, made] of await referencePages()) {
    const committed = await Deno.readTextFile(new URL(name, folder)).catch(() => "");
    const difference = firstDifference(committed, made);
    if (difference !== null) stale.push(`docs/reference/${name} is not current, ${difference}`);
  }
  return stale;
}

if (import.meta.main) {
  if (Deno.args.includes("--check")) {
    const stale = await staleReference();
    for (const line of stale) console.error(line);
    if (stale.length > 0) console.error("Run deno task docs and commit the pages");
    Deno.exit(stale.length > 0 ? 1 : 0);
  }
  await Deno.mkdir(folder, { recursive: true });
  for (const [name, text] of await referencePages()) {
    await Deno.writeTextFile(new URL(name, folder), text);
  }
}
