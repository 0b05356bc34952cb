/**
 * @module Takes a raw file out of what it is packed in: each member of an archive becomes a file of
 * its own, however deep it lies, within bounds on depth, number and bytes.
 */
import { writeAll } from "../../../table/write_all.ts";
import { globToRegExp } from "./glob.ts";
import { AppError, messageOf } from "../../../../src/model/errors.ts";
import { type Bytes, bytesOfFile, CountedBytes, peek } from "./bytes.ts";
import { containerOf, foreignContainerOf, kindBytes } from "./kinds.ts";
import type { ContainerKind } from "./kinds.ts";
import type { UnpackParams } from "./params.ts";
import type { Member } from "./tar.ts";

/** A file that is not packed in anything. */
export interface PlainFile {
  path: string;
  /** Of the raw file, and of the member in it: `day.zip/prices.csv`. */
  name: string;
  /** Within the archives that it lies in; null where it lies in none. */
  member: string | null;
  /** What it was packed in, outermost first: `tar in gzip`; null: in nothing. */
  compression: string | null;
}

/** What was in a raw file. */
export interface Unpacked {
  files: PlainFile[];
  /** Members that are not read, by why. */
  skipped: Record<string, number>;
}

/** How to unpack. */
export interface UnpackOptions extends UnpackParams {
  /** A path at which nothing is yet. */
  tempPath(extension: string): string;
  signal: AbortSignal;
}

/**
 * Unpack the file at `path`. Throws CORRUPT where it is broken, cut off or encrypted, LIMIT_EXCEEDED
 * past a bound, INVALID for a container that is not read.
 */
export async function unpack(
  path: string,
  name: string,
  options: UnpackOptions,
): Promise<Unpacked> {
  const { head } = await peek(bytesOfFile(path), kindBytes);
  const kind = await kindOf(head, path);
  if (kind === null) {
    refuseForeign(head, name);
    return { files: [{ path, name, member: null, compression: null }], skipped: {} };
  }
  const { size } = await Deno.stat(path);
  const work = new Unpacking(name, size, options);
  await work.file(path, kind, { name, member: null, kinds: [] });
  return { files: work.files, skipped: work.skipped };
}

const FREE_BYTES = 256 * 1024 * 1024;

/** Where the work is. */
interface Place {
  name: string;
  member: string | null;
  kinds: ContainerKind[];
}

class Unpacking {
  readonly files: PlainFile[] = [];
  readonly skipped: Record<string, number> = {};
  readonly #name: string;
  readonly #options: UnpackOptions;
  readonly #bytesMax: number;
  readonly #wanted: RegExp | null;
  readonly #taken = new Set<string>();
  #bytes = 0;
  #members = 0;

  constructor(name: string, size: number, options: UnpackOptions) {
    this.#name = name;
    this.#options = options;
    this.#bytesMax = Math.min(options.bytesMax, Math.max(FREE_BYTES, options.ratioMax * size));
    this.#wanted = options.members === undefined ? null : globToRegExp(options.members);
  }

  /** A container that lies in a file. */
  async file(path: string, kind: ContainerKind, place: Place): Promise<void> {
    if (kind !== "zip") return await this.#stream(bytesOfFile(path), kind, place);
    const inside = this.#enter(place, kind);
    const { unzip } = await import("./zip.ts");
    await this.#archive(unzip(path), inside, () => null);
  }

  async #stream(bytes: Bytes, kind: ContainerKind, place: Place): Promise<void> {
    const inside = this.#enter(place, kind);
    const input = new CountedBytes(bytes);
    if (kind === "tar") {
      const { untar } = await import("./tar.ts");
      return await this.#archive(untar(input), inside, () => input.count);
    }
    const decompress = await decompressors[kind as keyof typeof decompressors]();
    const unpacked = this.#checked(decompress(input), {
      kind,
      name: place.name,
      offset: () => input.count,
    });
    await this.#content(unpacked, inside);
  }

  /** Bytes that may be those of another container, or of a file at last. */
  async #content(bytes: Bytes, place: Place): Promise<void> {
    const { head, all } = await peek(bytes, kindBytes);
    const kind = containerOf(head);
    if (kind !== null && kind !== "zip") return await this.#stream(all, kind, place);
    const path = await this.#spool(all);
    if (kind === "zip" && !await isDocument(path)) {
      await this.file(path, kind, place);
      return await Deno.remove(path);
    }
    refuseForeign(head, place.name);
    this.files.push({
      path,
      name: place.name,
      member: place.member,
      compression: place.kinds.toReversed().join(" in "),
    });
  }

  async #archive(
    members: AsyncGenerator<Member>,
    place: Place,
    offset: () => number | null,
  ): Promise<void> {
    const kind = place.kinds[place.kinds.length - 1];
    const from = this.files.length;
    try {
      for await (const member of members) {
        this.#options.signal.throwIfAborted();
        await this.#member(member, place, offset);
      }
    } catch (error) {
      throw this.#broken(error, { kind, name: place.name, offset });
    }
    if (this.files.length > from || Object.keys(this.skipped).length > 0) return;
    throw new AppError("CORRUPT", `Cannot read ${place.name}: there is no file in it`);
  }

  async #member(member: Member, place: Place, offset: () => number | null): Promise<void> {
    const path = plainPath(member.path);
    if (++this.#members > this.#options.membersMax) {
      throw this.#exceeded(
        `has more than ${this.#options.membersMax} members`,
        "unpack.membersMax",
      );
    }
    const skipped = member.skipped ?? (isJunk(path) ? "hidden" : null) ??
      (this.#wanted && !this.#wanted.test(path) ? "not wanted" : null);
    if (skipped !== null) {
      this.skipped[skipped] = (this.skipped[skipped] ?? 0) + 1;
      return;
    }
    const name = `${place.name}/${path}`;
    if (this.#taken.has(name)) {
      throw new AppError(
        "CORRUPT",
        `Cannot read ${place.name}: it has two members ${JSON.stringify(path)}, and nothing says ` +
          "which counts",
      );
    }
    this.#taken.add(name);
    const kind = place.kinds[place.kinds.length - 1];
    const checked = this.#checked(member.bytes, { kind, name, offset });
    const inner = place.member === null ? path : `${place.member}/${path}`;
    await this.#content(checked, { ...place, name, member: inner });
  }

  #enter(place: Place, kind: ContainerKind): Place {
    const kinds = [...place.kinds, kind];
    const { depthMax } = this.#options;
    if (kinds.length > depthMax) {
      throw this.#exceeded(`has more than ${depthMax} containers in each other`, "unpack.depthMax");
    }
    return { ...place, kinds };
  }

  async *#checked(
    bytes: Bytes,
    at: { kind: ContainerKind; name: string; offset: () => number | null },
  ): Bytes {
    try {
      for await (const chunk of bytes) {
        this.#options.signal.throwIfAborted();
        this.#count(chunk.length);
        yield chunk;
      }
    } catch (error) {
      throw this.#broken(error, at);
    }
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.#bytesMax) return;
    const isBomb = this.#bytesMax < this.#options.bytesMax;
    throw this.#exceeded(
      isBomb
        ? `holds more than ${this.#options.ratioMax} times its own size, as bombs do`
        : `holds more than ${this.#options.bytesMax} bytes`,
      isBomb ? "unpack.ratioMax" : "unpack.bytesMax",
    );
  }

  #exceeded(what: string, option: string): AppError {
    return new AppError(
      "LIMIT_EXCEEDED",
      `Cannot unpack ${this.#name}: it ${what}; raise "${option}" if it is to be trusted`,
    );
  }

  #broken(
    error: unknown,
    { kind, name, offset }: { kind: ContainerKind; name: string; offset: () => number | null },
  ): unknown {
    this.#options.signal.throwIfAborted();
    if (error instanceof AppError || error instanceof Deno.errors.NotCapable) return error;
    if (/no space left|os error 28/i.test(messageOf(error))) return error;
    const at = offset();
    const where = at === null ? "" : `, by byte ${at}`;
    return new AppError(
      "CORRUPT",
      `Cannot read ${name} as ${kind}${where}: ${messageOf(error).split("\n")[0]}`,
      { cause: error, detail: at === null ? {} : { offset: at } },
    );
  }

  async #spool(bytes: Bytes): Promise<string> {
    const path = this.#options.tempPath("plain");
    using file = await Deno.open(path, { write: true, createNew: true });
    for await (const chunk of bytes) await writeAll(file, chunk);
    return path;
  }
}

/** Loaded when they are needed: most files are packed in nothing, and each task loads this anew. */
const decompressors = {
  gzip: async () => (await import("./gzip.ts")).gunzip,
  zstd: async () => (await import("./zstd.ts")).unzstd,
  bzip2: async () => (await import("./bzip2.ts")).bunzip2,
  xz: async () => (await import("./xz.ts")).unxz,
};

/** The kind of a file; a document whose parts are in a zip is no archive. */
async function kindOf(head: Uint8Array, path: string): Promise<ContainerKind | null> {
  const kind = containerOf(head);
  return kind === "zip" && await isDocument(path) ? null : kind;
}

async function isDocument(path: string): Promise<boolean> {
  const { documentInZip } = await import("./zip.ts");
  return await documentInZip(path) !== null;
}

function refuseForeign(head: Uint8Array, name: string): void {
  const foreign = foreignContainerOf(head);
  if (foreign === null) return;
  throw new AppError(
    "INVALID",
    `Cannot read ${name}: it is ${foreign}, which is not read; ` +
      "gzip, zstd, bzip2, xz, zip and tar are",
  );
}

/** What systems put beside files. */
function isJunk(path: string): boolean {
  const parts = path.split("/");
  const name = parts[parts.length - 1];
  return parts.some((part) => part === "__MACOSX" || part.startsWith(".")) ||
    /^(thumbs\.db|desktop\.ini|icon\r)$/i.test(name);
}

/** A member's path as a label: it leads nowhere, whatever it says. */
function plainPath(path: string): string {
  const parts = path.replaceAll("\\", "/").split("/")
    .filter((part) => part !== "" && part !== "." && part !== "..");
  // deno-lint-ignore no-control-regex
  return parts.join("/").replace(/[\x00-\x1f\x7f]/g, "_") || "member";
}
