/** @module Reads a format's rows without the work around it: a call for its reader, and damaged files. */
import { join } from "node:path";
import { type AppError, hasCode } from "../../src/model/errors.ts";
import type { Format, ReadOptions, RowSource } from "../../operators/convert/formats/format.ts";
import type { RefusedRow } from "../../operators/table/quarantine.ts";
import { ConvertParams } from "../../operators/convert/params.ts";
import { convertFiles, readOptions } from "../../operators/convert/convert_files.ts";
import { rowsOfFiles } from "../../operators/table/rows.ts";
import type { TableContext } from "./table_context.ts";

/** What reading came to. */
export type ReadOutcome = { rows: number; refused: RefusedRow[]; source: RowSource };

/** Read bytes with a format alone: rows and refused ones. Files go into `dir`. */
export async function readWith(
  format: Format,
  bytes: Uint8Array | string,
  { dir, params = {}, name = "file" }: {
    dir: string;
    params?: Record<string, unknown>;
    name?: string;
  },
): Promise<ReadOutcome> {
  const work = await Deno.makeTempDir({ dir });
  const path = join(work, "file");
  const content = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  await Deno.writeFile(path, content);
  const refused: RefusedRow[] = [];
  let next = 0;
  const source = await format.read({
    file: { path, name, bytes: content.length, isAsCollected: true },
    options: readOptions(ConvertParams.parse(params)) as ReadOptions,
    engine: { run: () => Promise.reject(new Error("no engine here")) } as never,
    signal: new AbortController().signal,
    tempPath: (extension) => join(work, `${next++}.${extension}`),
    refuse: (row) => Promise.resolve(void refused.push(row)),
    isCareful: true,
  });
  return { rows: source.declaredRows ?? -1, refused, source };
}

/** A file that cannot be read says so as CORRUPT or INVALID; anything else is thrown on. */
export async function errorOf(read: Promise<unknown>): Promise<AppError | null> {
  try {
    await read;
    return null;
  } catch (error) {
    if (hasCode(error, "CORRUPT") || hasCode(error, "INVALID")) return error as AppError;
    throw error;
  }
}

/** Outcomes of a file that ends after each of its bytes, and of one with single bits flipped. */
export async function damage(
  format: Format,
  text: string,
  { flips = 300, ...options }: {
    dir: string;
    params?: Record<string, unknown>;
    flips?: number;
  },
): Promise<{ cut: (ReadOutcome | AppError)[]; flipped: (ReadOutcome | AppError)[] }> {
  const bytes = new TextEncoder().encode(text);
  const outcome = async (part: Uint8Array): Promise<ReadOutcome | AppError> => {
    const read = readWith(format, part, options);
    return await errorOf(read) ?? await read;
  };
  const cut = [];
  for (let length = 0; length < bytes.length; length++) {
    cut.push(await outcome(bytes.subarray(0, length)));
  }
  const flipped = [];
  for (let i = 0; i < flips; i++) {
    const damaged = bytes.slice();
    // A fixed walk over bits of all of the file.
    const bit = (i * 7919) % (8 * bytes.length);
    damaged[bit >> 3] ^= 1 << (bit & 7);
    flipped.push(await outcome(damaged));
  }
  return { cut, flipped };
}

/** A whole conversion: columns, rows as texts, refused rows; what comes in is accounted for. */
export async function convertedTexts(
  { engine, ctx, root }: TableContext,
  content: string | Uint8Array,
  { name = "file", params = {} }: { name?: string; params?: Record<string, unknown> } = {},
) {
  const dir = await Deno.makeTempDir({ dir: join(root, "objects") });
  const path = join(dir, "file");
  await Deno.writeFile(
    path,
    typeof content === "string" ? new TextEncoder().encode(content) : content,
  );
  const raw = { path, name, key: name, source: "test", labels: {} };
  const converted = await convertFiles([raw], ConvertParams.parse(params), {
    engine,
    workDir: ctx.workDir,
    signal: ctx.signal,
  });
  const { accounting, schema, quarantine } = converted;
  if (accounting.in !== accounting.out + accounting.quarantined + accounting.filtered) {
    throw new Error(`Rows are not accounted for: ${JSON.stringify(accounting)}`);
  }
  const relation = await rowsOfFiles(
    { engine, workDir: ctx.workDir } as never,
    { schema, provenance: converted.files.map((file) => file.provenance) },
    converted.files.map((file) => file.path),
  );
  const texts = schema.columns.map(({ name }) => `"${name.replaceAll('"', '""')}"::VARCHAR`);
  const { rows } = await engine.run(`SELECT ${texts.join(", ")} FROM (${relation})`, {
    rowsMax: 1000,
  });
  await quarantine.close();
  return {
    columns: schema.columns.map((column) => column.name),
    types: schema.columns.map((column) => column.type),
    rows: rows as (string | null)[][],
    accounting,
    reasons: { ...quarantine.reasons },
    format: converted.formats[0],
  };
}
