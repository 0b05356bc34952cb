/** @module Which imports a DAG file may have beside its own local modules. */
import { productModules } from "../objects/module_runtime.ts";

/** Names that an author's import map cannot take. */
const reserved: ReadonlySet<string> = new Set([...Object.keys(productModules), "zod"]);

/** Where an import that is no local file leads; or why it leads nowhere. */
export type ImportTarget =
  | { kind: "product" | "builtin" }
  | { kind: "npm"; target: string }
  | { kind: "refused"; why: string };

/**
 * Judge an import as the author wrote it. `aliases` are the `imports` of the `deno.json` in the dags
 * folder; those that lead to npm packages can be used.
 */
export function judgeImport(
  specifier: string,
  aliases: Readonly<Record<string, string>>,
): ImportTarget {
  if (reserved.has(specifier)) return { kind: "product" };
  if (specifier.startsWith("node:")) return { kind: "builtin" };
  if (specifier.startsWith("npm:")) return npm(specifier);
  const scheme = specifier.match(/^([a-z][a-z0-9+.-]+):/i)?.[1];
  if (scheme) return { kind: "refused", why: `${scheme}: imports are not allowed; ${ALLOWED}` };
  const alias = findAlias(specifier, aliases);
  if (!alias) {
    return {
      kind: "refused",
      why: `"${specifier}" is not in the "imports" of the dags folder's deno.json; ${ALLOWED}`,
    };
  }
  if (!alias.startsWith("npm:")) {
    return {
      kind: "refused",
      why: `deno.json leads it to "${alias}"; there only npm: packages can be given names`,
    };
  }
  return npm(alias);
}

const ALLOWED = `a DAG file can import local files by relative paths, "tidewheel", ` +
  `"tidewheel/operators", "zod", and npm packages`;

function npm(target: string): ImportTarget {
  const name = target.replace(/^npm:\/?/, "");
  if (/^(@[a-z0-9._~-]+\/)?[a-z0-9._~-]+@[^/\s]+(\/\S*)?$/i.test(name)) {
    return { kind: "npm", target };
  }
  return {
    kind: "refused",
    why: `"${target}" names no version; write it as npm:name@1.2.3`,
  };
}

/** As Deno reads it: `name`, `name/sub` of an npm package, and keys that end in a slash. */
function findAlias(specifier: string, aliases: Readonly<Record<string, string>>): string | null {
  if (Object.hasOwn(aliases, specifier)) return aliases[specifier];
  for (const [key, target] of Object.entries(aliases)) {
    const prefix = key.endsWith("/") ? key : `${key}/`;
    if (!specifier.startsWith(prefix)) continue;
    if (!key.endsWith("/") && !target.startsWith("npm:")) continue;
    return `${target.replace(/\/$/, "")}/${specifier.slice(prefix.length)}`;
  }
  return null;
}
