/** @module Parquet. */
import { AppError, messageOf } from "../../../../src/model/errors.ts";
import { ident, literal } from "../../../table/sql.ts";
import type { Format, ReadCall, RowSource } from "../format.ts";

const MAGIC = "PAR1";

/** Parquet, read and written by the engine. */
export const parquet: Format = {
  name: "parquet",
  extensions: ["parquet", "pq"],
  mediaType: "application/vnd.apache.parquet",
  content: "binary",
  recognise(head, name) {
    const isNamed = /\.(parquet|pq)$/i.test(name);
    return new TextDecoder().decode(head.subarray(0, 4)) === MAGIC ? 1 : isNamed ? 0.3 : 0;
  },
  read: readParquet,
  write: (relation, columns) => ({
    sql: `SELECT ${columns.map(({ name }) => ident(name)).join(", ")} FROM (${relation})`,
    to: { format: "parquet", compression: "zstd" },
  }),
};

async function readParquet({ file, engine, isCareful }: ReadCall): Promise<RowSource> {
  const path = literal(file.path);
  const corrupt = (error: unknown) =>
    new AppError(
      "CORRUPT",
      `Cannot read ${file.name} as Parquet: ${messageOf(error).split("\n")[0]}; ` +
        `it is cut off, damaged or of another format`,
      { cause: error },
    );
  await checkEnds(file.path).catch((error) => {
    throw corrupt(error);
  });
  const { columns } = await engine.run(`SELECT * FROM read_parquet(${path})`).catch((error) => {
    throw corrupt(error);
  });
  const { rows } = await engine.run(`SELECT num_rows FROM parquet_file_metadata(${path})`, {
    rowsMax: 1,
  });
  const selected = columns.map(({ name }, i) => `${ident(name)} AS c${i}`).join(", ");
  const source: RowSource = {
    columns,
    relation: `SELECT ${selected} FROM read_parquet(${path})`,
    position: "implied",
    leftOut: () => Promise.resolve(0),
    declaredRows: Number(rows[0][0]),
    isTyped: true,
    hasNulls: false,
  };
  const nowhere = ["_tw_offset", "_tw_at", "_tw_bytes"].map((name) => `NULL::BIGINT AS ${name}`);
  const numbered: RowSource = {
    ...source,
    relation: `SELECT ${selected}, file_row_number + 1 AS _tw_row, ${nowhere.join(", ")} ` +
      `FROM read_parquet(${path}, file_row_number = true)`,
    position: "carried",
  };
  return isCareful ? numbered : { ...source, numbered };
}

/** A Parquet file ends as it begins; one that was cut off does not. */
async function checkEnds(path: string): Promise<void> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const magicAt = async (offset: number) => {
    const bytes = new Uint8Array(4);
    await file.seek(offset, Deno.SeekMode.Start);
    await file.read(bytes);
    return new TextDecoder().decode(bytes);
  };
  if (size < 12 || await magicAt(0) !== MAGIC) throw new Error(`it does not begin with ${MAGIC}`);
  if (await magicAt(size - 4) !== MAGIC) throw new Error(`it does not end with ${MAGIC}`);
}
