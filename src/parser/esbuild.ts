/** @module The door to esbuild: one process of it, that ends when it has nothing to do. */
import { basename } from "node:path";
import type { BuildFailure, BuildOptions, BuildResult, Message, Metafile } from "esbuild";
import type { Clock } from "../base/clock.ts";

/** What one entry came to. */
export interface BuiltEntry {
  /** The emitted JS of all that it reaches. */
  js: string;
  exports: string[];
  /** Files whose code is in the JS. */
  inputs: string[];
}

/** A module graph, by path relative to the folder; or why there is none. */
export type GraphResult =
  | { ok: true; modules: Metafile["inputs"]; entries: Map<string, BuiltEntry> }
  | { ok: false; errors: Message[] };

/** What is built: entries are paths relative to `dir`. */
export interface GraphRequest {
  dir: string;
  entries: string[];
  /** Keep imports of which only types are used. Deno loads those modules, though it drops them. */
  keepUnusedImports?: boolean;
}

/** Builds module graphs; {@link GraphBuilder.stop} it when done. */
export interface GraphBuilder {
  /** All entries in one go. */
  build(request: GraphRequest): Promise<GraphResult>;
  /** End esbuild's process; the next build starts another. */
  stop(): Promise<void>;
}

/** Memory is given back after this long without a build. */
const IDLE_MS = 10_000;

/** A builder on esbuild. */
export function graphBuilder({ clock }: { clock: Clock }): GraphBuilder {
  let running = 0;
  let isUp = false;
  let idle = new AbortController();

  const stop = async () => {
    idle.abort();
    if (isUp) await (await import("esbuild")).stop();
    isUp = false;
  };
  const stopWhenIdle = async () => {
    const { signal } = idle = new AbortController();
    await clock.sleep(IDLE_MS, { signal });
    if (!signal.aborted) await stop();
  };

  return {
    async build(request) {
      idle.abort();
      running++;
      isUp = true;
      try {
        const { build } = await import("esbuild");
        return readResult(request.entries, await build(buildOptions(request)));
      } catch (error) {
        const { errors } = error as Partial<BuildFailure>;
        if (!Array.isArray(errors)) throw error;
        return { ok: false, errors };
      } finally {
        if (--running === 0) void stopWhenIdle();
      }
    },
    stop,
  };
}

function readResult(entries: string[], { metafile, outputFiles }: BuildResult): GraphResult {
  const outputs = new Map(
    Object.entries(metafile!.outputs).map(([path, output]) => [basename(path), output]),
  );
  const texts = new Map(outputFiles!.map((file) => [basename(file.path), file]));
  const built = entries.map((entry, i): [string, BuiltEntry] => {
    const { exports, inputs } = outputs.get(`e${i}.js`)!;
    const js = withoutFileName(entry, texts.get(`e${i}.js`)!.text);
    return [entry, { js, exports, inputs: Object.keys(inputs) }];
  });
  return { ok: true, modules: metafile!.inputs, entries: new Map(built) };
}

/** The name that esbuild gives a default export comes from its file; a renamed file means the same. */
function withoutFileName(entry: string, js: string): string {
  const name = basename(entry).replace(/\.\w+$/, "").replace(/[^A-Za-z0-9_$]+/g, "_");
  return js.replaceAll(`${name}_default`, "$default");
}

/**
 * Canonical output: no types, no comments, no white space, nothing renamed but what has to be; so
 * that equal meaning gives equal text. It is hashed, never run.
 */
function buildOptions({ dir, entries, keepUnusedImports = false }: GraphRequest): BuildOptions {
  return {
    absWorkingDir: dir,
    entryPoints: Object.fromEntries(entries.map((entry, i) => [`e${i}`, `./${entry}`])),
    outdir: "/",
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "neutral",
    target: "esnext",
    packages: "external",
    external: ["http:*", "https:*", "file:*", "data:*", "blob:*", "jsr:*"],
    preserveSymlinks: true,
    minifyWhitespace: true,
    legalComments: "none",
    charset: "utf8",
    logLevel: "silent",
    logLimit: 0,
    tsconfigRaw: {
      compilerOptions: { verbatimModuleSyntax: keepUnusedImports, useDefineForClassFields: true },
    },
  };
}
