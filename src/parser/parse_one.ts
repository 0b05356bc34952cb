/** @module Parses one DAG file for a program that has no parser running: `tidewheel run`, `dags check`. */
import { basename, dirname, relative, resolve } from "node:path";
import type { Clock } from "../base/clock.ts";
import { limits as bounds } from "../base/limits.ts";
import { AppError } from "../model/errors.ts";
import { memoryObjectStore } from "../objects/memory.ts";
import type { ObjectStore } from "../objects/port.ts";
import { graphBuilder } from "./esbuild.ts";
import { productFingerprint } from "./fingerprint.ts";
import type { ParseLimits } from "./parse_child.ts";
import type { ParsedFile } from "./parsed_file.ts";
import { parseFiles } from "./parse_files.ts";

/** Options of {@link parseFile}. */
export interface ParseFileOptions {
  /** Where the bundle is staged: its modules are imported from there. */
  cacheDir: string;
  clock: Clock;
  /** The dags folder, to which paths and imports are relative; default: the file's own folder. */
  dagsDir?: string;
  /** Keeps the locks of npm packages; default: none are kept. */
  objects?: ObjectStore;
  limits?: Partial<ParseLimits>;
}

/**
 * Parse one file; an error of its author is an outcome of the record. Throws NOT_FOUND without the
 * file, INVALID when it is not inside `dagsDir`.
 */
export async function parseFile(path: string, options: ParseFileOptions): Promise<ParsedFile> {
  const { clock, cacheDir, objects = memoryObjectStore({ clock }), limits } = options;
  const dagsDir = resolve(options.dagsDir ?? dirname(path));
  const file = options.dagsDir ? relative(dagsDir, resolve(path)) : basename(path);
  await checkFile(path, file, dagsDir);
  const builder = graphBuilder({ clock });
  const parsed: ParsedFile[] = [];
  try {
    await parseFiles([file.replaceAll("\\", "/")], {
      ...{ dagsDir, cacheDir: resolve(cacheDir), objects, clock, builder },
      product: productFingerprint(),
      limits: { ms: bounds.parseMs, rssBytes: bounds.parseRssBytes, ...limits },
      onParsed: (one) => parsed.push(one),
    });
  } finally {
    await builder.stop();
  }
  return parsed[0];
}

async function checkFile(path: string, file: string, dagsDir: string): Promise<void> {
  if (file.startsWith("..")) {
    throw new AppError(
      "INVALID",
      `Cannot parse ${path}: it is not inside of the dags folder ${dagsDir}`,
    );
  }
  const found = await Deno.stat(path).catch(() => null);
  if (!found?.isFile) {
    throw new AppError("NOT_FOUND", `Cannot parse ${path}: there is no such file`);
  }
}
