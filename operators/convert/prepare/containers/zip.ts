/** @module zip: its directory is at its end, so it is read from a file. */
import { type FileEntry, Reader, ZipReader } from "@zip.js/zip.js";
import type { Bytes } from "./bytes.ts";
import type { Member } from "./tar.ts";

/** Members in the directory's order; each is to be read before the next. Throws Error. */
export async function* unzip(path: string): AsyncGenerator<Member> {
  using file = await Deno.open(path);
  const archive = new ZipReader(new FileReader(file), settings);
  try {
    for await (const entry of archive.getEntriesGenerator()) {
      if (entry.directory) yield { path: entry.filename, skipped: "directory", bytes: none() };
      else yield { path: entry.filename, skipped: null, bytes: contentOf(entry) };
    }
  } finally {
    await archive.close();
  }
}

/** What a document is whose parts are in a zip; null: it is an archive of files. */
export async function documentInZip(path: string): Promise<string | null> {
  using file = await Deno.open(path);
  const archive = new ZipReader(new FileReader(file), settings);
  try {
    let seen = 0;
    for await (const { filename } of archive.getEntriesGenerator()) {
      if (officeParts.has(filename)) return "an Office document";
      if (openDocumentParts.has(filename)) return "an OpenDocument file";
      if (++seen > TRIED_ENTRIES) return null;
    }
    return null;
  } catch {
    return null;
  } finally {
    await archive.close().catch(() => {});
  }
}

/** Parts that only such documents have; programs write them in any order. */
const officeParts: ReadonlySet<string> = new Set(["[Content_Types].xml", "_rels/.rels"]);
const openDocumentParts: ReadonlySet<string> = new Set(["mimetype", "META-INF/manifest.xml"]);
const TRIED_ENTRIES = 10_000;

/** How zips are read. */
export const settings = {
  useWebWorkers: false,
  // Names are labels here: none of them is a path to write to.
  filenameValidation: "tolerant",
  checkSignature: true,
  checkOverlappingEntry: true,
} as const;

/** What an entry unpacks to, checked by its sum. */
export async function* contentOf(entry: FileEntry): Bytes {
  if (entry.encrypted) {
    throw new Error("it is encrypted: unpack it with its password, and convert what is in it");
  }
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const written = entry.getData(writable, settings).then(() => null, (error) => error ?? "unknown");
  const failing = written.then(async (error) => {
    if (error !== null) await writable.abort(error).catch(() => {});
    return error;
  });
  try {
    yield* readable;
  } catch (error) {
    throw plainError(await failing ?? error);
  }
  const error = await failing;
  if (error !== null) throw plainError(error);
}

function plainError(error: unknown): Error {
  const text = error instanceof Error ? error.message : String(error);
  return new Error(text.replace(/^./, (letter) => letter.toLowerCase()), { cause: error });
}

async function* none(): Bytes {}

/** Reads stretches of a file. */
export class FileReader extends Reader<Deno.FsFile> {
  readonly #file: Deno.FsFile;

  constructor(file: Deno.FsFile) {
    super(file);
    this.#file = file;
    this.size = file.statSync().size;
  }

  override async readUint8Array(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.size - offset)));
    await this.#file.seek(offset, Deno.SeekMode.Start);
    let read = 0;
    while (read < bytes.length) {
      const count = await this.#file.read(bytes.subarray(read));
      if (count === null) break;
      read += count;
    }
    return bytes.subarray(0, read);
  }
}
