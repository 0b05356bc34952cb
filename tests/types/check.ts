/** @module Type-checks many programs in one process and says what is wrong with each. */
import { fileURLToPath, pathToFileURL } from "node:url";

const root = new URL("../../", import.meta.url);

/**
 * The compiler's errors by file (a path), each as the compiler prints it. Throws when the compiler
 * stops for another reason than types.
 */
export async function typeErrors(paths: readonly string[]): Promise<Map<string, string[]>> {
  const dir = await Deno.makeTempDir({ prefix: "tidewheel-types-" });
  try {
    const entry = `${dir}/entry.ts`;
    await Deno.writeTextFile(
      entry,
      paths.map((path) => `import ${JSON.stringify(pathToFileURL(path).href)};\n`).join(""),
    );
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "--config", fileURLToPath(new URL("deno.json", root)), entry],
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    return sortErrors(code, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Each error begins `TS2322 [ERROR]: …`; its first location, the least indented, is its own. */
function sortErrors(code: number, output: string): Map<string, string[]> {
  const byFile = new Map<string, string[]>();
  const errors = output.split(/^(?=TS\d+ \[ERROR\])/m).filter((part) => /^TS\d+ /.test(part));
  if (code !== 0 && errors.length === 0) throw new Error(`deno check failed:\n${output}`);
  for (const error of errors) {
    const at = /^ {4}at (file:\S+?):\d+:\d+$/m.exec(error);
    if (!at) throw new Error(`deno check gave an error without a place:\n${error}`);
    const path = fileURLToPath(new URL(at[1]));
    byFile.set(path, [...byFile.get(path) ?? [], error]);
  }
  return byFile;
}
