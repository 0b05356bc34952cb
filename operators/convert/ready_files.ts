/** @module Raw files as they can be read: unpacked, decoded, and each with its format. */
import { AppError } from "../../src/model/errors.ts";
import type { ConvertParams } from "./params.ts";
import { UnpackParams } from "./prepare/containers/params.ts";
import { type PreparedFile, prepareFiles } from "./prepare/mod.ts";

/** A raw file at hand. */
export interface RawFile {
  path: string;
  name: string;
  /** Its key in object storage; for people, any name. */
  key: string;
  source: string;
  labels: Readonly<Record<string, string>>;
  /** What the file at `path` was taken out of already; offsets in it are not the raw file's. */
  compression?: string | null;
}

/** A raw file at hand as it can be read. */
export interface ReadyFile extends PreparedFile {
  raw: RawFile;
}

/** What is to be read, and what members of archives are not. */
export interface ReadyFiles {
  files: ReadyFile[];
  skipped: Record<string, number>;
}

/** Unpack and decode what is to be read; files without a single byte are left out, if they may be. */
export async function readyFiles(
  raws: readonly RawFile[],
  { format, encoding, onEmpty, unpack }: ConvertParams,
  { signal, tempPath }: { signal: AbortSignal; tempPath(extension: string): string },
): Promise<ReadyFiles> {
  const ready: ReadyFiles = { files: [], skipped: {} };
  const options = { format, encoding, unpack: UnpackParams.parse(unpack ?? {}), tempPath, signal };
  for (const raw of raws) {
    const { files, empty, skipped } = await prepareFiles(raw.path, raw.name, {
      ...options,
      unpacked: raw.compression ?? null,
    });
    if (onEmpty === "fail" && empty.length > 0) {
      throw new AppError("CORRUPT", `Cannot convert ${empty[0]}: it is empty, 0 bytes`);
    }
    for (const prepared of files) {
      const { member, file } = prepared;
      const key = member === null ? raw.key : `${raw.key}#${member}`;
      ready.files.push({ raw: { ...raw, name: file.name, key }, ...prepared });
    }
    for (const [why, count] of Object.entries(skipped)) {
      ready.skipped[why] = (ready.skipped[why] ?? 0) + count;
    }
  }
  return ready;
}
