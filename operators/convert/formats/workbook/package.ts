/** @module The parts of a workbook that is a zip. */
import { type Entry, type FileEntry, ZipReader } from "@zip.js/zip.js";
import { messageOf } from "../../../../src/model/errors.ts";
import { contentOf, FileReader, settings } from "../../prepare/containers/zip.ts";
import { WorkbookError } from "./book.ts";
import { mark, XmlScanner } from "./xml_scanner.ts";

const PARTS_MAX = 100_000;
/** Of parts that are read whole, as that of styles. */
const SMALL_PART_BYTES_MAX = 256 * 1024 * 1024;
/** What a part may unpack to. */
const PART_BYTES_MAX = 16 * 1024 ** 3;

/** A zip of parts. */
export class Package implements AsyncDisposable {
  readonly #file: Deno.FsFile;
  readonly #zip: ZipReader<Deno.FsFile>;
  readonly #parts: Map<string, FileEntry>;

  private constructor(
    file: Deno.FsFile,
    zip: ZipReader<Deno.FsFile>,
    parts: Map<string, FileEntry>,
  ) {
    this.#file = file;
    this.#zip = zip;
    this.#parts = parts;
  }

  /** Throws WorkbookError where it is no zip. */
  static async open(path: string): Promise<Package> {
    const file = await Deno.open(path);
    const zip = new ZipReader(new FileReader(file), settings);
    try {
      const parts = new Map<string, FileEntry>();
      for await (const entry of zip.getEntriesGenerator() as AsyncIterable<Entry>) {
        if (!entry.directory) parts.set(plainPath(entry.filename), entry);
        if (parts.size > PARTS_MAX) throw new Error(`it has more than ${PARTS_MAX} parts`);
      }
      return new Package(file, zip, parts);
    } catch (error) {
      await zip.close().catch(() => {});
      file.close();
      throw new WorkbookError(`its zip is damaged or cut off: ${messageOf(error)}`);
    }
  }

  has(path: string): boolean {
    return this.#parts.has(plainPath(path));
  }

  /** Bytes that the part unpacks to, as the zip says; 0 where there is none. */
  bytesOf(path: string): number {
    return this.#parts.get(plainPath(path))?.uncompressedSize ?? 0;
  }

  /** The part, piece by piece. Throws WorkbookError where it is not there, or damaged. */
  async *stream(path: string): AsyncGenerator<Uint8Array> {
    const entry = this.#parts.get(plainPath(path));
    if (!entry) throw new WorkbookError(`it has no part ${path}`);
    let bytes = 0;
    try {
      for await (const chunk of contentOf(entry)) {
        bytes += chunk.length;
        if (bytes > PART_BYTES_MAX) {
          throw new Error(`it unpacks to more than ${PART_BYTES_MAX} bytes`);
        }
        if (chunk.length > 0) yield chunk;
      }
    } catch (error) {
      if (error instanceof WorkbookError) throw error;
      throw new WorkbookError(
        `its part ${path} at byte ${entry.offset} is damaged: ${messageOf(error)}`,
      );
    }
  }

  /** Calls `visit` at each opened tag and each text of a part; nothing where there is no such part. */
  async scan(
    path: string,
    visit: (
      scanner: XmlScanner,
      found: typeof mark.open | typeof mark.close | typeof mark.text,
    ) => void,
  ): Promise<void> {
    if (!this.has(path)) return;
    const scanner = new XmlScanner();
    let bytes = 0;
    const drain = () => {
      for (let found = scanner.next(); found !== mark.more; found = scanner.next()) {
        visit(scanner, found);
      }
    };
    for await (const chunk of utf8Chunks(this.stream(path))) {
      bytes += chunk.length;
      if (bytes > SMALL_PART_BYTES_MAX) {
        throw new WorkbookError(`its part ${path} has more than ${SMALL_PART_BYTES_MAX} bytes`);
      }
      scanner.feed(chunk);
      drain();
    }
    scanner.feed(new Uint8Array(0));
    drain();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#zip.close().catch(() => {});
    this.#file.close();
  }
}

/** Paths are as people write them: in either case, with either slash. */
export function plainPath(path: string): string {
  return path.replaceAll("\\", "/").replace(/^\/+/, "").toLowerCase();
}

/** XML as UTF-8 also where a byte order mark says UTF-16; without its mark. */
export async function* utf8Chunks(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let decoder: TextDecoder | null | undefined;
  for await (const chunk of chunks) {
    if (decoder === undefined) {
      const mark = chunk[0] === 0xff && chunk[1] === 0xfe
        ? "utf-16le"
        : chunk[0] === 0xfe && chunk[1] === 0xff
        ? "utf-16be"
        : null;
      decoder = mark === null ? null : new TextDecoder(mark);
      if (decoder === null && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf) {
        yield chunk.subarray(3);
        continue;
      }
    }
    yield decoder ? new TextEncoder().encode(decoder.decode(chunk, { stream: true })) : chunk;
  }
}
