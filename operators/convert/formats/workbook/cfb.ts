/** @module Streams of a compound file, in which old Office documents and locked new ones are. */
import { WorkbookError } from "./book.ts";

/** First bytes of every compound file. */
export const compoundMagic = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1] as const;

/** The last sector numbers are marks. */
const SECTOR_MAX = 0xfffffffa;
const ENTRY_BYTES = 128;
const MINI_BYTES = 64;
/** A workbook's stream is held in memory; Excel's own have at most 65,536 rows a sheet. */
const STREAM_BYTES_MAX = 512 * 1024 * 1024;

interface Entry {
  name: string;
  start: number;
  bytes: number;
  type: number;
}

/** A compound file. */
export class CompoundFile {
  readonly #file: Deno.FsFile;
  readonly #size: number;
  readonly #sectorBytes: number;
  readonly #fat: Uint32Array;
  readonly #miniFat: Uint32Array;
  readonly #miniStart: number;
  readonly #miniStreamBytes: number;
  readonly #miniCutoff: number;
  readonly #entries: Entry[];

  /** Throws WorkbookError where it is none. */
  constructor(file: Deno.FsFile) {
    this.#file = file;
    this.#size = file.statSync().size;
    if (this.#size < 512) throw new WorkbookError(`it is cut off at byte ${this.#size}`);
    const header = new DataView(this.#read(0, 512).buffer);
    if (compoundMagic.some((byte, i) => header.getUint8(i) !== byte)) {
      throw new WorkbookError("at byte 0, it does not begin as a compound file");
    }
    const shift = header.getUint16(30, true);
    if (shift !== 9 && shift !== 12) {
      throw new WorkbookError(`at byte 30, sectors of 2^${shift} bytes`);
    }
    this.#sectorBytes = 1 << shift;
    this.#miniCutoff = header.getUint32(56, true);
    this.#fat = this.#readFat(header);
    const directory = this.#chain(header.getUint32(48, true), this.#fat, "its directory");
    this.#entries = entriesOf(this.#join(directory));
    const root = this.#entries.find(({ type }) => type === 5);
    this.#miniStart = root?.start ?? SECTOR_MAX;
    this.#miniStreamBytes = root?.bytes ?? 0;
    const mini = this.#chain(header.getUint32(60, true), this.#fat, "its small sectors");
    this.#miniFat = words(this.#join(mini));
  }

  /** The stream of one of these names, in whatever case; null when there is none. */
  stream(...names: readonly string[]): Uint8Array | null {
    for (const name of names) {
      const entry = this.#entries.find((entry) =>
        entry.type === 2 && entry.name.toLowerCase() === name.toLowerCase()
      );
      if (entry) return this.#content(entry);
    }
    return null;
  }

  #content({ name, start, bytes }: Entry): Uint8Array {
    if (bytes > STREAM_BYTES_MAX) {
      throw new WorkbookError(`its stream ${name} of ${bytes} bytes is over ${STREAM_BYTES_MAX}`);
    }
    if (bytes >= this.#miniCutoff) {
      return this.#join(this.#chain(start, this.#fat, name)).subarray(0, bytes);
    }
    const all = this.#join(this.#chain(this.#miniStart, this.#fat, "its small streams"))
      .subarray(0, this.#miniStreamBytes);
    const sectors = this.#chain(start, this.#miniFat, name);
    const content = new Uint8Array(sectors.length * MINI_BYTES);
    sectors.forEach((sector, i) =>
      content.set(all.subarray(sector * MINI_BYTES, (sector + 1) * MINI_BYTES), i * MINI_BYTES)
    );
    return content.subarray(0, bytes);
  }

  #readFat(header: DataView): Uint32Array {
    const sectors: number[] = [];
    for (let i = 0; i < 109; i++) sectors.push(header.getUint32(76 + 4 * i, true));
    let next = header.getUint32(68, true);
    const most = Math.ceil(this.#size / this.#sectorBytes);
    for (let i = 0; next < SECTOR_MAX && i < most; i++) {
      const more = words(this.#sector(next));
      sectors.push(...more.subarray(0, -1));
      next = more[more.length - 1];
    }
    const used = sectors.filter((sector) => sector < SECTOR_MAX).slice(0, most);
    return words(this.#join(used));
  }

  /** Sectors one behind the other; one that comes again is a circle. */
  #chain(start: number, fat: Uint32Array, what: string): number[] {
    const sectors: number[] = [];
    for (let sector = start; sector < SECTOR_MAX; sector = fat[sector]) {
      if (sector >= fat.length || sectors.length > fat.length) {
        throw new WorkbookError(`the sectors of ${what} go astray at sector ${sector}`);
      }
      sectors.push(sector);
    }
    return sectors;
  }

  #join(sectors: readonly number[]): Uint8Array {
    const total = sectors.length * this.#sectorBytes;
    if (total > STREAM_BYTES_MAX + this.#sectorBytes) {
      throw new WorkbookError(`a stream of ${total} bytes is over ${STREAM_BYTES_MAX}`);
    }
    const all = new Uint8Array(total);
    sectors.forEach((sector, i) => all.set(this.#sector(sector), i * this.#sectorBytes));
    return all;
  }

  /** The last sector of a file may be cut short by programs that do not pad it. */
  #sector(sector: number): Uint8Array {
    const offset = (sector + 1) * this.#sectorBytes;
    if (offset >= this.#size) {
      throw new WorkbookError(`it is cut off at byte ${this.#size}: a sector lies at ${offset}`);
    }
    return this.#read(offset, this.#sectorBytes);
  }

  #read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    for (let at = 0; at < length;) {
      const read = this.#file.readSync(bytes.subarray(at));
      if (read === null) break;
      at += read;
    }
    return bytes;
  }
}

function entriesOf(directory: Uint8Array): Entry[] {
  const entries: Entry[] = [];
  const view = new DataView(directory.buffer, directory.byteOffset, directory.length);
  for (let at = 0; at + ENTRY_BYTES <= directory.length; at += ENTRY_BYTES) {
    const length = Math.min(64, view.getUint16(at + 64, true));
    const name = new TextDecoder("utf-16le").decode(directory.subarray(at, at + length))
      .replace(/\0.*$/s, "");
    entries.push({
      name,
      type: directory[at + 66],
      start: view.getUint32(at + 116, true),
      bytes: view.getUint32(at + 120, true),
    });
  }
  return entries;
}

function words(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Uint32Array.from({ length: bytes.length >> 2 }, (_, i) => view.getUint32(4 * i, true));
}
