/** @module Read options that one format has, under the format's name. */
import { z } from "zod";
import { HtmlParams } from "./html/params.ts";
import { Iso20022Params } from "./iso20022/params.ts";
import { Bai2Params } from "./bai2/params.ts";
import { FixedWidthParams } from "./fixed_width/params.ts";
import { FixParams } from "./fix/params.ts";
import { SqliteParams } from "./sqlite/params.ts";
import { JsonParams } from "./json/params.ts";
import { ProtobufParams } from "./protobuf/params.ts";
import { SwiftMtParams } from "./swift_mt/params.ts";
import { WorkbookParams } from "./workbook/params.ts";

/** Options by format. */
export const FormatOptions = z.object({
  html: HtmlParams.optional().meta({ doc: "Which table of a page" }),
  iso20022: Iso20022Params.optional().meta({ doc: "How ISO 20022 messages become rows" }),
  bai2: Bai2Params.optional().meta({ doc: "How BAI2 becomes rows" }),
  fixed_width: FixedWidthParams.optional().meta({ doc: "Columns of fixed-width text" }),
  fix: FixParams.optional().meta({ doc: "How FIX messages are read" }),
  workbook: WorkbookParams.optional().meta({ doc: "Which rows of a workbook: xlsx, xls, ods" }),
  sqlite: SqliteParams.optional().meta({ doc: "Which rows of a SQLite file" }),
  json: JsonParams.optional().meta({ doc: "How a JSON or YAML document becomes rows" }),
  protobuf: ProtobufParams.optional().meta({
    doc: "Schema and message type of Protocol Buffers, which their bytes do not say",
  }),
  swift_mt: SwiftMtParams.optional().meta({ doc: "How SWIFT MT messages become rows" }),
});
/** See {@link FormatOptions}. */
export type FormatOptions = z.infer<typeof FormatOptions>;
