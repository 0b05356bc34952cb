/** @module A file's bytes through `convert`: types, rows and what was refused. */
import { assertEquals } from "@std/assert";
import { convertFiles } from "../../operators/convert/convert_files.ts";
import type { Format, ReadOptions, RowSource } from "../../operators/convert/formats/format.ts";
import { ConvertParams } from "../../operators/convert/params.ts";
import type { RefusedRow } from "../../operators/table/quarantine.ts";
import { rowsOfFiles } from "../../operators/table/rows.ts";
import type { EngineValue } from "../../src/contract/child.ts";
import { accountingGap, type RowAccounting } from "../../src/model/data.ts";
import { tableContext } from "./table_context.ts";

/** What came of a file. */
export interface ConvertedTable {
  format: string;
  types: Record<string, string>;
  rows: Record<string, EngineValue>[];
  refused: RefusedRow[];
  accounting: RowAccounting;
}

/**
 * Rows and refusals of a staging format, without an engine: quick enough for a file cut at each of its
 * bytes. Errors are thrown as the format throws them.
 */
export async function readAlone(
  format: Format,
  bytes: Uint8Array,
  options: Partial<ReadOptions> = {},
): Promise<{ rows: number; refused: RefusedRow[]; source: RowSource }> {
  const dir = await Deno.makeTempDir();
  try {
    const path = `${dir}/input`;
    await Deno.writeFile(path, bytes);
    const refused: RefusedRow[] = [];
    let next = 0;
    const source = await format.read({
      file: { path, name: "input", bytes: bytes.length, isAsCollected: true },
      options: { skipLines: 0, nullTokens: [], pointers: [], knownColumns: [], ...options },
      engine: { run: () => Promise.reject(new Error("no engine")) },
      signal: new AbortController().signal,
      tempPath: (extension) => `${dir}/${next++}.${extension}`,
      refuse: (row) => Promise.resolve(void refused.push(row)),
      isCareful: true,
    });
    return { rows: source.declaredRows!, refused, source };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Converts files of one test; dispose it. */
export interface Converter extends AsyncDisposable {
  table(
    content: string | Uint8Array,
    options?: Partial<ConvertParams> & { file?: string },
  ): Promise<ConvertedTable>;
}

/** A converter with an engine of its own. */
export async function converter(): Promise<Converter> {
  const context = await tableContext();
  let next = 0;
  return {
    async table(content, { file = "file", ...params } = {}) {
      const workDir = `${context.root}/work/${next++}`;
      await Deno.mkdir(workDir);
      const path = `${workDir}/input`;
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(path, bytes);
      const raw = { path, name: file, key: file, source: "test", labels: {} };
      const environment = {
        engine: context.ctx.engine,
        workDir,
        signal: new AbortController().signal,
      };
      const converted = await convertFiles([raw], ConvertParams.parse(params), environment);
      const { schema, quarantine, accounting, formats } = converted;
      await quarantine.close();
      assertEquals(accountingGap(accounting), 0, JSON.stringify(accounting));
      const refused = quarantine.rows === 0 ? "" : await Deno.readTextFile(quarantine.path);
      const relation = await rowsOfFiles(
        environment,
        { schema, provenance: converted.files.map(({ provenance }) => provenance) },
        converted.files.map(({ path }) => path),
      );
      const { columns, rows } = await context.ctx.engine.run(
        `SELECT * EXCLUDE (_tw_source, _tw_file, _tw_row, _tw_offset) FROM (${relation}) ORDER BY _tw_row`,
        { rowsMax: 100_000 },
      );
      const names = columns.map(({ name }) => name);
      return {
        format: formats[0],
        types: Object.fromEntries(schema.columns.map(({ name, type }) => [name, type])),
        rows: rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]]))),
        refused: refused.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line)),
        accounting,
      };
    },
    [Symbol.asyncDispose]: async () => await context[Symbol.asyncDispose](),
  };
}
