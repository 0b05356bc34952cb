/** @module ORC: read in TypeScript, a stripe at a time. */
import { AppError } from "../../../../src/model/errors.ts";
import type { Format, ReadCall, RowSource } from "../format.ts";
import { TableStage } from "../staging.ts";
import { OrcError } from "./orc_error.ts";
import { OrcFile } from "./reader.ts";
import { Misfit, type WiderTypes } from "./types.ts";

const MAGIC = "ORC";

/** Apache ORC. */
export const orc: Format = {
  name: "orc",
  extensions: ["orc"],
  mediaType: "application/vnd.apache.orc",
  content: "binary",
  recognise(head, name) {
    const isNamed = /\.orc$/i.test(name);
    if (new TextDecoder().decode(head.subarray(0, 3)) !== MAGIC) return isNamed ? 0.3 : 0;
    // A text may begin with these letters as well; what follows them in a file is no text.
    return isNamed || head.subarray(0, 512).some((byte) => byte < 9) ? 1 : 0.5;
  },
  read: readOrc,
};

async function readOrc(call: ReadCall): Promise<RowSource> {
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
