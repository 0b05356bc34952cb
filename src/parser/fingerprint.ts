/** @module By what a file is known to be the same as when it was parsed. */
import { fileURLToPath } from "node:url";
import { canonicalJson, sha256 } from "../base/hash.ts";
import type { SourceFile } from "./port.ts";

/** Raise it when the parser finds something else in the same files. */
const FORMAT = 1;
/** Product folders whose code decides what a DAG file comes to. */
const DECIDING = ["src/sdk", "src/model", "src/parser", "operators"];

/** Hash over these contents, and over `product`. */
export function fingerprintOf(sources: readonly SourceFile[], product: string): string {
  return sha256(canonicalJson([product, sources.map((source) => [source.path, source.sha256])]));
}

/** Hash over the product's own code as far as it decides what a DAG file comes to. */
export function productFingerprint(): string {
  const root = new URL("../../", import.meta.url);
  const contents: string[] = [];
  const visit = (folder: URL) => {
    for (const { name, isDirectory } of [...Deno.readDirSync(folder)].toSorted(byName)) {
      if (isDirectory) visit(new URL(`${name}/`, folder));
      else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) {
        contents.push(name, sha256(Deno.readFileSync(fileURLToPath(new URL(name, folder)))));
      }
    }
  };
  for (const folder of DECIDING) visit(new URL(`${folder}/`, root));
  return sha256(canonicalJson([FORMAT, Deno.version.deno, contents]));
}

const byName = (a: Deno.DirEntry, b: Deno.DirEntry) => (a.name < b.name ? -1 : 1);
