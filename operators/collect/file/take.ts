/** @module A file on its way from the folder to object storage, read once and proven whole. */
import { createHash } from "node:crypto";
import { FinalError } from "../../../src/sdk/operator.ts";
import { writeAll } from "../http/bytes.ts";
import { isSame, lookAt, type SeenFile } from "./scan.ts";
import type { CollectFileParams } from "./mod.ts";

/** A copy in the work folder. */
export interface TakenCopy {
  copy: string;
  sha256: string;
}

/**
 * Copy a file and hash it. Null when it changed meanwhile: it was not whole. Throws when it does not
 * have the checksum that lies beside it, or is too large.
 */
export async function copyFile(
  { folder, file, workDir, signal }: {
    folder: string;
    file: SeenFile;
    workDir: string;
    signal: AbortSignal;
  },
  { bytesMax, checksum }: Pick<CollectFileParams, "bytesMax" | "checksum">,
): Promise<TakenCopy | null> {
  const path = `${folder}/${file.path}`;
  if (file.bytes > bytesMax) {
    throw new FinalError(
      `Cannot take ${path}: it has ${file.bytes} bytes and bytesMax allows ${bytesMax}`,
    );
  }
  const expected = checksum === "ignore" ? null : await readSidecar(path);
  if (expected === null && checksum === "required") {
    throw new Error(`Cannot take ${path}: there is no ${path}.sha256 or .md5 beside it`);
  }
  const copy = `${workDir}/taken`;
  const sums = await copyAndHash(path, copy, { signal, algorithm: expected?.algorithm });
  if (sums === null || !isSame(file, await lookAt(folder, file.path))) return null;
  if (sums.bytes !== file.bytes) return null;
  if (expected && sums.other !== expected.hex) {
    throw new Error(
      `Cannot take ${path}: its ${expected.algorithm} is ${sums.other} and ` +
        `${expected.path} says ${expected.hex}`,
    );
  }
  return { copy, sha256: sums.sha256 };
}

async function copyAndHash(
  from: string,
  to: string,
  { signal, algorithm = "sha256" }: { signal: AbortSignal; algorithm?: string },
): Promise<{ sha256: string; other: string; bytes: number } | null> {
  const sha256 = createHash("sha256");
  const other = createHash(algorithm);
  let bytes = 0;
  let source: Deno.FsFile;
  try {
    source = await Deno.open(from);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  using target = await Deno.open(to, { create: true, write: true, truncate: true });
  for await (const chunk of source.readable) {
    signal.throwIfAborted();
    await writeAll(target, chunk);
    sha256.update(chunk);
    other.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: sha256.digest("hex"), other: other.digest("hex"), bytes };
}

async function readSidecar(
  path: string,
): Promise<{ path: string; algorithm: "sha256" | "md5"; hex: string } | null> {
  for (const algorithm of ["sha256", "md5"] as const) {
    const sidecar = `${path}.${algorithm}`;
    const text = await Deno.readTextFile(sidecar).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    });
    if (text === null) continue;
    const hex = /^\\?([0-9a-fA-F]+)\b/.exec(text.trim())?.[1].toLowerCase();
    if (hex?.length === (algorithm === "sha256" ? 64 : 32)) {
      return { path: sidecar, algorithm, hex };
    }
    throw new Error(
      `Cannot read the checksum in ${sidecar}: it does not begin with an ${algorithm}`,
    );
  }
  return null;
}
