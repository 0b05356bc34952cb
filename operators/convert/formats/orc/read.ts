/** @module ORC: read in TypeScript, a stripe at a time. */
import { AppError } from "../../../../src/model/errors.ts";
import type { ReadCall, RowSource } from "../format.ts";
import { TableStage } from "../staging.ts";
import { OrcError } from "./orc_error.ts";
import { OrcFile } from "./reader.ts";
import { Misfit, type WiderTypes } from "./types.ts";

/** Read the stripes of a file. */
export async function readOrc(call: ReadCall): Promise<RowSource> {
  using file = await Deno.open(call.file.path);
  try {
    return stageRows(call, new OrcFile(file));
  } catch (error) {
    if (!(error instanceof OrcError)) throw error;
    const { message, offset } = error;
    throw new AppError(
      "CORRUPT",
      `Cannot read ${call.file.name} as ORC: at byte ${offset}, ${message}`,
      { cause: error },
    );
  }
}

/** Begins anew with another type where a value does not fit that of its column. */
function stageRows(call: ReadCall, orc: OrcFile): RowSource {
  const wider: WiderTypes = new Map();
  while (true) {
    const stage = new TableStage(call, orc.columns(wider), { isPositioned: false });
    try {
      for (const { columns, rows } of orc.batches(wider)) stage.addColumns(columns, rows);
      const source = stage.finish();
      return call.isCareful ? source.numbered! : source;
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      wider.set(error.column, error.wider);
    }
  }
}
