/** @module Read options that one format has, under the format's name. */
import { z } from "zod";
import { Bai2Params } from "./bai2/params.ts";
import { FixParams } from "./fix/params.ts";
import { SqliteParams } from "./sqlite/params.ts";
import { ProtobufParams } from "./protobuf/params.ts";
import { SwiftMtParams } from "./swift_mt/params.ts";

/** Options by format. */
export const FormatOptions = z.object({
  bai2: Bai2Params.optional().meta({ doc: "How BAI2 becomes rows" }),
  fix: FixParams.optional().meta({ doc: "How FIX messages are read" }),
  sqlite: SqliteParams.optional().meta({ doc: "Which rows of a SQLite file" }),
  protobuf: ProtobufParams.optional().meta({
    doc: "Schema and message type of Protocol Buffers, which their bytes do not say",
  }),
  swift_mt: SwiftMtParams.optional().meta({ doc: "How SWIFT MT messages become rows" }),
});
/** See {@link FormatOptions}. */
export type FormatOptions = z.infer<typeof FormatOptions>;
