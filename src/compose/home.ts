/** @module The home folder: where everything that must survive a restart lies. */
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { randomToken } from "../base/ids.ts";
import type { Settings } from "../settings.ts";

/** Folders and files of a home. */
export interface Home {
  dir: string;
  logs: string;
  bundles: string;
  work: string;
  token: string;
}

/** Where the home is, or would be. */
export function homeOf(settings: Settings): Home {
  const dir = resolve(settings.home);
  return {
    dir,
    logs: join(dir, "logs"),
    bundles: join(dir, "cache"),
    work: join(dir, "work"),
    token: join(dir, "token"),
  };
}

/** Make the home folder where it is missing, for its owner alone. */
export async function openHome(settings: Settings): Promise<Home> {
  const home = homeOf(settings);
  await Deno.mkdir(home.dir, { recursive: true });
  await Deno.chmod(home.dir, 0o700);
  for (const folder of [home.logs, home.bundles, home.work]) {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  }
  return home;
}

/** The local admin token, made on first use. */
export async function ensureToken(home: Home): Promise<string> {
  try {
    const token = `tw_${randomToken()}`;
    await Deno.writeTextFile(home.token, token + "\n", { createNew: true, mode: 0o600 });
    return token;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  return (await Deno.readTextFile(home.token)).trim();
}

/** URL of the object store: the setting's, else a folder of the home. */
export function objectsUrl(settings: Settings, home: Home): string {
  return settings.objects ?? pathToFileURL(join(home.dir, "objects")).href;
}

/** Where clients of this installation find the API. */
export function apiUrl(settings: Settings): string {
  return (settings.apiUrl ?? `http://127.0.0.1:${settings.port}`).replace(/\/+$/, "");
}

/** The token of clients: the setting's, else the home's. */
export function clientToken(settings: Settings): string {
  if (settings.token) return settings.token;
  try {
    return Deno.readTextFileSync(join(resolve(settings.home), "token")).trim();
  } catch {
    return "";
  }
}
