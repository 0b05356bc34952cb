/** @module `tidewheel init`: a repository of one's own, that runs and tests at once. */
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { VerbContext } from "../cli/mod.ts";
import { printJson } from "../cli/print.ts";
import { AppError } from "../model/errors.ts";
import { linkPath, repositoryFiles } from "./init_files.ts";

const product = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");

/** What `tidewheel init` does. Throws CONFLICT, before it writes, for a file that is there already. */
export async function runInit({ output }: VerbContext, [folder]: string[]): Promise<number> {
  const dir = resolve(folder);
  const files = repositoryFiles(basename(dir));
  for (const path of [...Object.keys(files), linkPath]) {
    if (await Deno.lstat(`${dir}/${path}`).catch(() => null) === null) continue;
    throw new AppError(
      "CONFLICT",
      `Cannot make a repository in ${dir}: there is a ${path} already; give a new folder`,
    );
  }
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(dirname(`${dir}/${path}`), { recursive: true });
    await Deno.writeTextFile(`${dir}/${path}`, text);
  }
  await Deno.mkdir(dirname(`${dir}/${linkPath}`), { recursive: true });
  await Deno.symlink(product, `${dir}/${linkPath}`, { type: "dir" });
  if (output.json) {
    printJson(output, { dir, files: Object.keys(files), links: { [linkPath]: product } });
    return 0;
  }
  output.out(
    `${dir}: a repository with a first DAG, its test and its record\n` +
      `${Object.keys(files).map((path) => `  ${path}\n`).join("")}  ${linkPath} → ${product}\n\n` +
      `Next: cd ${folder} && deno task test\n`,
  );
  return 0;
}
