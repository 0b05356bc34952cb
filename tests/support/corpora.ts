/** @module Real files of others, which the project does not hold. */
import { fileURLToPath } from "node:url";

const root = Deno.env.get("TIDEWHEEL_CORPORA") ??
  fileURLToPath(new URL("../../../shared/data", import.meta.url));

/** The folder of a corpus, or null where it is not at hand: `TIDEWHEEL_CORPORA` says where they are. */
export function corpus(name: string): string | null {
  const path = `${root}/${name}`;
  try {
    return Deno.statSync(path).isDirectory ? path : null;
  } catch {
    return null;
  }
}
