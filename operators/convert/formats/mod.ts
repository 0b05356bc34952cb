/** @module Every format, most telling first. */
import { bai2 } from "./bai2/mod.ts";
import { bloomberg } from "./bloomberg/mod.ts";
import { arrow, arrowStream } from "./arrow/mod.ts";
import { avro } from "./avro/mod.ts";
import { csv, tsv } from "./csv/mod.ts";
import type { Format, WritableFormat } from "./format.ts";
import { fix } from "./fix/mod.ts";
import { fixedWidth } from "./fixed_width/mod.ts";
import { itch } from "./itch/mod.ts";
import { json, ndjson } from "./json/mod.ts";
import type { FormatName, TargetName } from "./names.ts";
import { messagepack } from "./messagepack/mod.ts";
import { nacha } from "./nacha/mod.ts";
import { orc } from "./orc/mod.ts";
import { parquet } from "./parquet/mod.ts";
import { sqlite } from "./sqlite/mod.ts";
import { protobuf } from "./protobuf/mod.ts";
import { swiftMt } from "./swift_mt/mod.ts";
import { ods, xls, xlsx } from "./workbook/mod.ts";
import { xml } from "./xml/mod.ts";
import { yaml } from "./yaml/mod.ts";
import { iso20022 } from "./iso20022/mod.ts";
import { html } from "./html/mod.ts";
import { sdmx } from "./sdmx/mod.ts";
import { xbrl } from "./xbrl/mod.ts";
import { qif } from "./qif/mod.ts";
import { ofx } from "./ofx/mod.ts";

/** Formats by order of precedence. */
export const formats: readonly Format[] = [
  parquet,
  avro,
  arrow,
  arrowStream,
  orc,
  messagepack,
  sqlite,
  protobuf,
  ods,
  xlsx,
  xls,
  swiftMt,
  fix,
  itch,
  bai2,
  nacha,
  bloomberg,
  xml,
  iso20022,
  yaml,
  sdmx,
  html,
  xbrl,
  ofx,
  qif,
  ndjson,
  json,
  fixedWidth,
  tsv,
  csv,
];

/** The format of this name. */
export function formatNamed(name: FormatName): Format {
  return formats.find((format) => format.name === name)!;
}

/** The format to write. */
export function targetNamed(name: TargetName): WritableFormat {
  return formatNamed(name) as WritableFormat;
}

/** Does the name end as one of the format's usually do? A compression's ending is looked through. */
export function hasExtension({ extensions }: Pick<Format, "extensions">, name: string): boolean {
  const plain = name.toLowerCase().replace(/\.(gz|gzip|zst|bz2|xz)$/, "");
  return extensions.some((extension) => plain.endsWith(`.${extension}`));
}
