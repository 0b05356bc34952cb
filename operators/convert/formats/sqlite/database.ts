/** @module A SQLite file of others, opened so that nothing in it can do more than be read. */
import { Buffer } from "node:buffer";
import { DatabaseSync } from "node:sqlite";
import { AppError, messageOf } from "../../../../src/model/errors.ts";
import type { ReadCall } from "../format.ts";
import { sqliteMagic } from "./magic.ts";

const HEADER_BYTES = 100;
/** Offsets in the header. */
const at = { pageSize: 16, writeVersion: 18, changes: 24, pages: 28, validFor: 92 } as const;
/** Of SQLite's own memory. */
const HEAP_BYTES_MAX = 512 * 1024 * 1024;
/** Of one value. */
const VALUE_BYTES_MAX = 256 * 1024 * 1024;

/** What the file is not, or what is wrong with it. */
export function sqliteError(call: Pick<ReadCall, "file">, why: string, cause?: unknown): AppError {
  return new AppError("CORRUPT", `Cannot read ${call.file.name} as SQLite: ${why}`, { cause });
}

/** Open the file. Throws CORRUPT for one that is damaged or encrypted, INVALID for half of one. */
export async function openDatabase(call: ReadCall): Promise<DatabaseSync> {
  const header = await readHeader(call);
  await refuseLeftovers(call);
  // The write-ahead log's files would be made beside the original.
  const path = header[at.writeVersion] === 2 ? await withoutLog(call) : call.file.path;
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    for (const pragma of ["trusted_schema = OFF", "query_only = ON", "cell_size_check = ON"]) {
      database.exec(`PRAGMA ${pragma}`);
    }
    database.exec(`PRAGMA mmap_size = 0; PRAGMA hard_heap_limit = ${HEAP_BYTES_MAX}`);
    const { limits } = database as unknown as { limits: { length: number } };
    limits.length = VALUE_BYTES_MAX;
    return database;
  } catch (error) {
    database.close();
    throw sqliteError(call, messageOf(error), error);
  }
}

async function readHeader(call: ReadCall): Promise<Buffer> {
  using file = await Deno.open(call.file.path);
  const header = Buffer.alloc(HEADER_BYTES);
  const read = await file.read(header) ?? 0;
  const begin = header.toString("latin1", 0, Math.min(read, sqliteMagic.length));
  if (!sqliteMagic.startsWith(begin) || begin === "") {
    throw sqliteError(
      call,
      `at byte 0, it does not begin as such a file; it is encrypted (decrypt it first) or another`,
    );
  }
  if (read < HEADER_BYTES) throw sqliteError(call, `it is cut off at byte ${read}, in its header`);
  checkLength(call, header);
  return header;
}

/** The header counts pages; it is right when written by the last writer. */
function checkLength(call: ReadCall, header: Buffer): void {
  const stored = header.readUInt16BE(at.pageSize);
  const pageSize = stored === 1 ? 65_536 : stored;
  if (pageSize < 512 || (pageSize & (pageSize - 1)) !== 0) {
    throw sqliteError(call, `at byte ${at.pageSize}, pages of ${pageSize} bytes can be none`);
  }
  const pages = header.readUInt32BE(at.pages);
  const isKnown = header.readUInt32BE(at.changes) === header.readUInt32BE(at.validFor);
  const { bytes } = call.file;
  if (isKnown && pages * pageSize > bytes) {
    throw sqliteError(
      call,
      `it is cut off at byte ${bytes}: its ${pages} pages of ${pageSize} bytes end at ` +
        `${pages * pageSize}`,
    );
  }
}

/** What lies beside a file holds changes that belong to it; alone, the file would be wrong. */
async function refuseLeftovers({ file }: ReadCall): Promise<void> {
  for (const [ending, what] of [["-wal", "write-ahead log"], ["-journal", "rollback journal"]]) {
    const size = await Deno.stat(`${file.path}${ending}`).then(({ size }) => size, () => 0);
    if (size === 0) continue;
    throw new AppError(
      "INVALID",
      `Cannot read ${file.name} as SQLite: beside it lies its ${what} of ${size} bytes, so it is ` +
        `in use or was not closed; take a copy with "VACUUM INTO" or ".backup", or close it`,
    );
  }
}

/** A copy that says it has no log, which it has not. */
async function withoutLog(call: ReadCall): Promise<string> {
  const path = call.tempPath("sqlite");
  await Deno.copyFile(call.file.path, path);
  using file = await Deno.open(path, { write: true });
  await file.seek(at.writeVersion, Deno.SeekMode.Start);
  await file.write(Uint8Array.of(1, 1));
  return path;
}

/** Options of {@link rowsOf}. */
export interface RowsOptions {
  /** Integers are bigints: exact. */
  isExact: boolean;
}

/** Rows of a query, as arrays. */
export function rowsOf(
  database: DatabaseSync,
  sql: string,
  { isExact }: RowsOptions,
): Iterable<unknown[]> {
  const statement = database.prepare(sql);
  // As of Node 24, whose types are not here yet.
  (statement as unknown as { setReturnArrays(is: boolean): void }).setReturnArrays(true);
  statement.setReadBigInts(isExact);
  return statement.iterate() as Iterable<unknown> as Iterable<unknown[]>;
}
