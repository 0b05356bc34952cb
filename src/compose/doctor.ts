/** @module `tidewheel doctor`: is everything there that the product needs. */
import { dirname } from "node:path";
import type { VerbContext } from "../cli/mod.ts";
import { printTable } from "../cli/print.ts";
import { messageOf } from "../model/errors.ts";
import { openObjectStore } from "../objects/open.ts";
import type { Settings } from "../settings.ts";
import { openDatabase } from "../store/database.ts";
import { apiUrl, homeOf, objectsUrl } from "./home.ts";
import { parseAll, type Parsed } from "./parse_all.ts";

/** Result of one check. */
interface Finding {
  check: string;
  ok: boolean;
  what: string;
}

/** What is so, and what to look at; throws where it is not as it must be. */
type Check = () => Promise<string | string[]> | string | string[];

/** Run every check; exit code 1 when one fails. */
export async function runDoctor(
  readSettings: () => Settings,
  { output }: VerbContext,
): Promise<number> {
  const findings: Finding[] = [];
  const check = async (name: string, body: Check) => {
    try {
      for (const what of [await body()].flat()) findings.push({ check: name, ok: true, what });
    } catch (error) {
      findings.push({ check: name, ok: false, what: messageOf(error) });
    }
  };
  let settings: Settings | undefined;
  await check("deno", () => checkDeno());
  await check("settings", () => {
    settings = readSettings();
    return "tidewheel.yaml and the environment are read";
  });
  if (settings) {
    for (const [name, body] of Object.entries(checks(settings))) await check(name, body);
  }
  printTable(output, { checks: findings }, findings, {
    check: (one) => one.check,
    "": (one) => one.ok ? "ok" : "FAILED",
    what: (one) => one.what,
  });
  return findings.every((one) => one.ok) ? 0 : 1;
}

function checkDeno(): string {
  const [major, minor] = Deno.version.deno.split(".").map(Number);
  if (major < 2 || major === 2 && minor < 9) {
    throw new Error(`Deno ${Deno.version.deno} is too old: Tidewheel needs 2.9 or newer`);
  }
  return `Deno ${Deno.version.deno}`;
}

/** What is wrong, or will be, with the DAGs of a folder: files, and calendars that they go by. */
export function sayParsed({ dags, errors, warnings }: Parsed): string[] {
  const bad = errors.map(([file, { message }]) => `warning: ${file} cannot be used: ${message}`);
  return [`${dags.length} DAGs`, ...bad, ...warnings.map((one) => `warning: ${one}`)];
}

/** False where the folder is missing and can be made. Throws where it cannot be written or made. */
async function canWrite(dir: string): Promise<boolean> {
  const isThere = await exists(dir);
  let folder = dir;
  while (!await exists(folder)) folder = dirname(folder);
  const probe = await Deno.makeTempFile({ dir: folder, prefix: ".doctor-" });
  await Deno.remove(probe);
  return isThere;
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, (error) => {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  });
}

function checks(settings: Settings): Record<string, Check> {
  return {
    home: async () => {
      const { dir } = homeOf(settings);
      return await canWrite(dir) ? `${dir} can be written` : `${dir} will be made at the start`;
    },
    dags: async () => {
      if (!await exists(settings.dagsDir)) {
        throw new Error(
          `there is no folder ${settings.dagsDir}; make it, or set TIDEWHEEL_DAGS_DIR`,
        );
      }
      const [count, ...warnings] = sayParsed(await parseAll(settings.dagsDir));
      return [`${settings.dagsDir}: ${count}`, ...warnings];
    },
    objects: async () => {
      const url = objectsUrl(settings, homeOf(settings));
      await openObjectStore(url).stat("doctor/probe");
      return url.replace(/\/\/[^@/]*@/, "//");
    },
    database: async () => {
      if (settings.databaseUrl === null) return "embedded; it starts with the service";
      const sql = await openDatabase(settings.databaseUrl, { max: 1 });
      try {
        const [{ version }] = await sql<{ version: string }[]>`
          select current_setting('server_version') as version`;
        return `PostgreSQL ${version}`;
      } finally {
        await sql.end({ timeout: 1 });
      }
    },
    api: async () => {
      const url = apiUrl(settings);
      try {
        const response = await fetch(`${url}/health/ready`);
        await response.body?.cancel();
        return `${url} answers ${response.status}`;
      } catch {
        return `${url} does not answer: the service is not running`;
      }
    },
  };
}
