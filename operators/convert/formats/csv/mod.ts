/** @module Delimited text: CSV and TSV. */
import { AppError } from "../../../../src/model/errors.ts";
import { columnType, textOfColumn, ZONED_NS } from "../../../table/column_type.ts";
import { ident } from "../../../table/sql.ts";
import {
  type Format,
  isMarkup,
  type ReadCall,
  type RowSource,
  type WriteColumn,
} from "../format.ts";
import { detectDialect, type Dialect } from "./dialect.ts";
import { footerOf, rowCountOf } from "./footer.ts";
import { carefulSource, fastSource } from "./read.ts";
import { type FileSample, sampleFile } from "./sample.ts";
import type { Table } from "./table.ts";
import { recogniseDelimited } from "./recognise.ts";

/** Comma-separated values, or with another delimiter that is told or found. */
export const csv: Format = delimited({
  name: "csv",
  extensions: ["csv", "txt"],
  mediaType: "text/csv",
  delimiter: ",",
});

/** Tab-separated values. */
export const tsv: Format = delimited({
  name: "tsv",
  extensions: ["tsv", "tab"],
  mediaType: "text/tab-separated-values",
  delimiter: "\t",
});

function delimited(
  { name, extensions, mediaType, delimiter }:
    & Pick<Format, "name" | "extensions" | "mediaType">
    & { delimiter: string },
): Format {
  return {
    name,
    extensions,
    mediaType,
    content: "text",
    keepsBadBytes: true,
    recognise: (head, fileName) => recogniseDelimited(head, fileName, { extensions, delimiter }),
    read: (call) =>
      readDelimited({
        ...call,
        options: name === "tsv"
          ? { ...call.options, delimiter: call.options.delimiter ?? "\t" }
          : call.options,
      }),
    write: (relation, columns) => ({
      sql: `SELECT ${columns.map(written).join(", ")} FROM (${relation})`,
      to: { format: "text", text: { delimiter, header: true } },
    }),
  };
}

function written({ name, type }: WriteColumn): string {
  const column = ident(name);
  const isOwn = columnType(type).name === ZONED_NS;
  return isOwn ? `${textOfColumn(column, type)} AS ${column}` : column;
}

async function readDelimited(call: ReadCall): Promise<RowSource> {
  const { file } = call;
  const sample = await sampleFile(file.path);
  if (isMarkup(sample.headBytes)) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${file.name} as delimited text: it begins like XML or HTML, ` +
        `${JSON.stringify(sample.head.slice(0, 40))}`,
    );
  }
  const table = tableOf(call, sample);
  if (!call.isCareful) {
    const source = await fastSource(call, table);
    if (source) return source;
  }
  return await carefulSource(call, table);
}

function tableOf(call: ReadCall, sample: FileSample): Table {
  const { file, options } = call;
  if (sample.isCut && !/[\r\n]/.test(sample.head)) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${file.name} as delimited text: its first line, from byte 0 on, is longer than ` +
        `${sample.headBytes.length} bytes, so where its columns end cannot be told`,
    );
  }
  const { escape, comment, headerRows, footer: footerOption } = options.csv ?? {};
  const hints = { ...options, escape, comment, headerRows };
  const dialect = detectDialect(sample, hints);
  if (dialect === null) {
    throw new AppError("CORRUPT", `Cannot read ${file.name} as delimited text: it has no line`);
  }
  const footer = footerOption === "none" ? null : footerOf(bodyOf(sample, dialect), dialect);
  return {
    dialect,
    state: sample.state,
    records: sample.head,
    footer,
    rowCount: footer && rowCountOf(footer.text, dialect),
    end: footer ? file.bytes - new TextEncoder().encode(footer.text).length : null,
  };
}

/** The end of the file; of a small one, all that is behind its header. */
function bodyOf({ tail, head, isCut }: FileSample, dialect: Dialect): string {
  if (isCut) return tail;
  const lines = dialect.skipLines + dialect.headerLines;
  let at = 0;
  for (let i = 0; i < lines && at < head.length; i++) {
    const end = head.slice(at).search(/\r\n|\n|\r/);
    if (end < 0) return "";
    at += end + (head.startsWith("\r\n", at + end) ? 2 : 1);
  }
  return head.slice(at);
}
