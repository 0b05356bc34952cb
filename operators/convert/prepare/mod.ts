/** @module A raw file as plain bytes: unpacked, and, where it is text, as UTF-8. */
import { join } from "node:path";
import type { Format, SourceFile } from "../formats/format.ts";
import { formatNamed } from "../formats/mod.ts";
import type { FormatName } from "../formats/names.ts";
import { type Recognition, unknownFormat } from "../formats/recognise.ts";
import type { UnpackParams } from "./containers/params.ts";
import { unpack } from "./containers/unpack.ts";
import type { EncodingFinding } from "./detect.ts";
import { encodingNamed } from "./encodings.ts";
import { findEncodingOf, recognise } from "./recognise.ts";
import { transcode } from "./transcode.ts";
import { checkUtf8 } from "./utf8.ts";

/** How to prepare a file. */
export interface PrepareOptions {
  /** `auto`: by its content. */
  format: "auto" | FormatName;
  /** Encoding of a text; left out, it is found out. A byte order mark outweighs it. */
  encoding?: string;
  unpack: UnpackParams;
  /** What the file was taken out of already: it is not looked into again. */
  unpacked?: string | null;
  /** Where an unpacked copy goes. */
  tempPath(extension: string): string;
  signal: AbortSignal;
}

/** A file that can be read. */
export interface PreparedFile {
  file: SourceFile;
  /** Its path in the archives that it was in; null: in none. */
  member: string | null;
  format: Format;
  /** Null when the format was named. */
  recognition: Recognition | null;
}

/** What a raw file is. */
export interface Prepared {
  files: PreparedFile[];
  /** Names of files without a single byte. */
  empty: string[];
  /** Members of archives that are not read, by why. */
  skipped: Readonly<Record<string, number>>;
}

/**
 * What to read instead of the file at `path`: itself, or each member of the archive that it is.
 * Throws CORRUPT where it cannot be unpacked or decoded, LIMIT_EXCEEDED where it holds too much,
 * INVALID when nothing says what it is.
 */
export async function prepareFiles(
  path: string,
  name: string,
  options: PrepareOptions,
): Promise<Prepared> {
  const { tempPath, signal } = options;
  const { files, skipped } = options.unpacked
    ? { files: [{ path, name, member: null, compression: options.unpacked }], skipped: {} }
    : await unpack(path, name, { ...options.unpack, tempPath, signal });
  const prepared: Prepared = { files: [], empty: [], skipped };
  for (const plain of files) {
    const { size } = await Deno.stat(plain.path);
    if (size === 0) prepared.empty.push(plain.name);
    else {
      const file = { ...plain, bytes: size, isAsCollected: plain.compression === null };
      prepared.files.push({ ...await prepareFile(file, options), member: plain.member });
    }
  }
  return prepared;
}

async function prepareFile(
  plain: SourceFile,
  options: PrepareOptions,
): Promise<Omit<PreparedFile, "member">> {
  const { path, name, bytes, isAsCollected, compression } = plain;
  const file = { path, name, bytes, isAsCollected, compression, encoding: null };
  const named = options.format === "auto" ? null : formatNamed(options.format);
  if (named?.content === "binary") return { file, format: named, recognition: null };
  const { recognition, encoding } = named
    ? { recognition: null, encoding: (await findEncodingOf(path, name, options)).encoding }
    : await recognise(path, name, options);
  if (!named && !recognition) throw unknownFormat(name);
  const format = named ?? formatNamed(recognition!.format);
  if (encoding === null) return { file, format, recognition };
  const decoded = await decodeFile(file, format, encoding, options);
  if (!isAsCollected && decoded.path !== path && !options.unpacked) await Deno.remove(path);
  return { file: decoded, format, recognition };
}

async function decodeFile(
  file: SourceFile,
  format: Format,
  finding: EncodingFinding,
  { tempPath, signal }: PrepareOptions,
): Promise<SourceFile> {
  const keepsBadBytes = format.keepsBadBytes === true;
  if (finding.name === "utf-8") {
    if (!keepsBadBytes) await checkUtf8(file, signal);
    return { ...file, encoding: finding };
  }
  const plain = tempPath("utf8");
  await transcode(file.path, plain, {
    encoding: encodingNamed(finding.name, file.name),
    markBytes: finding.markBytes,
    name: file.name,
    keepsBadBytes,
    signal,
  });
  const { size } = await Deno.stat(plain);
  return { ...file, path: plain, bytes: size, isAsCollected: false, encoding: finding };
}

/** Gives paths in a folder that no file has yet. */
export function tempPaths(dir: string, prefix: string): (extension: string) => string {
  let next = 0;
  return (extension) => join(dir, `${prefix}-${next++}${extension === "" ? "" : `.${extension}`}`);
}
