/** @module What the demo drops into its inbox. */
import { join, resolve } from "node:path";
import { deskDropUrl } from "../sandbox/mod.ts";
import type { Settings } from "../settings.ts";

/** A fresh inbox below the home, with the shipped file in it; returns its path. */
export async function prepareInbox(settings: Settings): Promise<string> {
  const inbox = join(resolve(settings.home), "demo", "inbox");
  await Deno.mkdir(inbox, { recursive: true });
  const name = deskDropUrl.pathname.split("/").at(-1)!;
  await Deno.writeFile(join(inbox, name), await Deno.readFile(deskDropUrl));
  return inbox;
}
