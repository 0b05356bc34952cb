/** @module Which files are in the dags folder, and which of them may be DAG files. */
import { basename } from "node:path";
import { AppError } from "../model/errors.ts";

/** The files of the folder by path relative to it, each with a text that changes when it does. */
export type FolderSnapshot = ReadonlyMap<string, string>;

const DEPTH_MAX = 20;
const FILES_MAX = 50_000;

/**
 * Look through the folder. Links are followed; folders that begin with a dot and `node_modules` are
 * left out. Throws NOT_FOUND without the folder, LIMIT_EXCEEDED past 50,000 files.
 */
export function snapshotFolder(dir: string): FolderSnapshot {
  const files = new Map<string, string>();
  if (!statOrNull(dir)?.isDirectory) {
    throw new AppError("NOT_FOUND", `Cannot read the dags folder ${dir}: there is no such folder`);
  }
  visit({ dir, path: "", real: Deno.realPathSync(dir) }, files, 0);
  return files;
}

/**
 * May this file export DAGs? TypeScript, not a declaration, not a test, and its name begins with
 * neither `_` nor a dot.
 */
export function isDagFile(path: string): boolean {
  const name = basename(path);
  return /^[^_.].*\.ts$/.test(name) && !/(\.d|[._]test)\.ts$/.test(name);
}

/** As in a snapshot, for one file; "" when it does not exist. */
export function signatureOfFile(dir: string, path: string): string {
  const found = statOrNull(`${dir}/${path}`);
  return found?.isFile ? signatureOf(found) : "";
}

/** Are they equal? */
export function sameSnapshot(a: FolderSnapshot, b: FolderSnapshot): boolean {
  return a.size === b.size && a.entries().every(([path, signature]) => b.get(path) === signature);
}

interface Folder {
  /** The dags folder. */
  dir: string;
  /** Relative to it; "" for itself. */
  path: string;
  /** Without links. */
  real: string;
}

function visit(folder: Folder, files: Map<string, string>, depth: number): void {
  const { dir, path, real } = folder;
  for (const { name, isDirectory, isSymlink } of entriesOf(path ? `${dir}/${path}` : dir)) {
    const below = path ? `${path}/${name}` : name;
    const found = isDirectory ? null : statOrNull(`${dir}/${below}`);
    if (found?.isFile) files.set(below, signatureOf(found));
    if (isDirectory || found?.isDirectory) {
      if (name.startsWith(".") || name === "node_modules" || depth >= DEPTH_MAX) continue;
      const target = isSymlink ? Deno.realPathSync(`${dir}/${below}`) : `${real}/${name}`;
      // A link to a folder above would lead round in circles.
      if (!`${real}/`.startsWith(`${target}/`)) {
        visit({ dir, path: below, real: target }, files, depth + 1);
      }
    }
    if (files.size > FILES_MAX) {
      throw new AppError(
        "LIMIT_EXCEEDED",
        `Cannot read the dags folder ${dir}: it has more than ${FILES_MAX} files`,
      );
    }
  }
}

function signatureOf({ mtime, ctime, size, ino }: Deno.FileInfo): string {
  return `${mtime?.getTime()}:${ctime?.getTime()}:${size}:${ino}`;
}

/** None for a folder that went away meanwhile. */
function entriesOf(dir: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(dir)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Null for a link that leads nowhere, and for a file that went away meanwhile. */
function statOrNull(path: string): Deno.FileInfo | null {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.FilesystemLoop) {
      return null;
    }
    throw error;
  }
}
