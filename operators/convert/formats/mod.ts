/** @module Every format, most telling first. */
import { AppError } from "../../../src/model/errors.ts";
import { csv, tsv } from "./csv/mod.ts";
import type { Format, WritableFormat } from "./format.ts";
import { json, ndjson } from "./json/mod.ts";
import { type FormatName, formatNames, type TargetName } from "./names.ts";
import { orc } from "./orc/mod.ts";
import { parquet } from "./parquet/mod.ts";
import { swiftMt } from "./swift_mt/mod.ts";

/** Formats by order of precedence. */
export const formats: readonly Format[] = [parquet, orc, swiftMt, ndjson, json, tsv, csv];

/** The format of this name. */
export function formatNamed(name: FormatName): Format {
  return formats.find((format) => format.name === name)!;
}

/** The format to write. */
export function targetNamed(name: TargetName): WritableFormat {
  return formatNamed(name) as WritableFormat;
}

/** The format that first bytes and name speak for. Throws INVALID when none does. */
export function recogniseFormat(head: Uint8Array, name: string): Format {
  const sure = formats.map((format) => ({ format, sure: format.recognise(head, name) }));
  const best = sure.toSorted((a, b) => b.sure - a.sure)[0];
  if (best.sure > 0) return best.format;
  throw new AppError(
    "INVALID",
    `Cannot tell the format of ${name}: its first bytes are those of none of ` +
      `${formatNames.join(", ")}; name it with "format" if it is one of them`,
  );
}

/** Does the name end as one of the format's usually do? A compression's ending is looked through. */
export function hasExtension({ extensions }: Pick<Format, "extensions">, name: string): boolean {
  const plain = name.toLowerCase().replace(/\.(gz|gzip)$/, "");
  return extensions.some((extension) => plain.endsWith(`.${extension}`));
}
