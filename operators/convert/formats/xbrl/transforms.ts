/** @module Inline XBRL's formats: what is shown, as the value that it stands for. */
import { monthNames } from "../../month_names.ts";

/** A format that is none of those that are known. */
export class UnknownFormat extends Error {}

/** A shown text that its format does not take. */
export class NotOfFormat extends Error {}

/** Value by format, named without prefix, dashes and case: registries 1 to 5 name one thing alike. */
const formats: Readonly<Record<string, (text: string) => string>> = {
  numdotdecimal: (text) => number(text.replace(/[,\s\u00a0]/g, "")),
  numcommadecimal: (text) => number(text.replace(/[.\s\u00a0]/g, "").replace(",", ".")),
  numcommadot: (text) => number(text.replace(/,/g, "")),
  numspacedot: (text) => number(text.replace(/[\s\u00a0]/g, "")),
  numspacecomma: (text) => number(text.replace(/[\s\u00a0]/g, "").replace(",", ".")),
  numdotcomma: (text) => number(text.replace(/\./g, "").replace(",", ".")),
  numcomma: (text) => number(text.replace(",", ".")),
  numdotdecimalin: (text) => number(text.replace(/[,\s\u00a0]/g, "")),
  numdotdecimalapos: (text) => number(text.replace(/['\u2019,\s\u00a0]/g, "")),
  numcommadecimalapos: (text) => number(text.replace(/['\u2019.\s\u00a0]/g, "").replace(",", ".")),
  numunitdecimal: (text) => unitDecimal(text),
  numwordsen: (text) => numberOfWords(text),
  numdash: (text) => dash(text),
  zerodash: (text) => dash(text),
  fixedzero: () => "0",
  nocontent: () => "",
  fixedempty: () => "",
  booleanfalse: () => "false",
  fixedfalse: () => "false",
  booleantrue: () => "true",
  fixedtrue: () => "true",
  dateslashus: (text) => parts(text, "mdy"),
  datedotus: (text) => parts(text, "mdy"),
  datemonthdayyear: (text) => parts(text, "mdy"),
  dateslasheu: (text) => parts(text, "dmy"),
  datedoteu: (text) => parts(text, "dmy"),
  datedaymonthyear: (text) => parts(text, "dmy"),
  dateyearmonthday: (text) => parts(text, "ymd"),
  datelongus: (text) => parts(text, "mdy"),
  dateshortus: (text) => parts(text, "mdy"),
  datelonguk: (text) => parts(text, "dmy"),
  dateshortuk: (text) => parts(text, "dmy"),
  datemonthdayyearen: (text) => parts(text, "mdy"),
  datemonthnamedayyearen: (text) => parts(text, "mdy"),
  datedaymonthyearen: (text) => parts(text, "dmy"),
  datedaymonthnameyearen: (text) => parts(text, "dmy"),
  dateyearmonthnamedayen: (text) => parts(text, "ymd"),
  datemonthday: (text) => parts(text, "md"),
  datemonthdayen: (text) => parts(text, "md"),
  datemonthnamedayen: (text) => parts(text, "md"),
  datedaymonth: (text) => parts(text, "dm"),
  datedaymonthen: (text) => parts(text, "dm"),
  datedaymonthnameen: (text) => parts(text, "dm"),
  datemonthyear: (text) => parts(text, "my"),
  datemonthyearen: (text) => parts(text, "my"),
  datemonthnameyearen: (text) => parts(text, "my"),
  dateyearmonth: (text) => parts(text, "ym"),
  dateyearmonthen: (text) => parts(text, "ym"),
  dateyearmonthnameen: (text) => parts(text, "ym"),
};

/** The value of a shown text. Throws {@link UnknownFormat} and {@link NotOfFormat}. */
export function transformed(text: string, format: string): string {
  const name = format.slice(format.indexOf(":") + 1).replaceAll("-", "").toLowerCase();
  if (!Object.hasOwn(formats, name)) throw new UnknownFormat(format);
  const trimmed = text.replace(/^[\s\u00a0]+|[\s\u00a0]+$/g, "");
  try {
    return formats[name](trimmed);
  } catch (error) {
    if (error instanceof NotOfFormat) {
      throw new NotOfFormat(`its text ${JSON.stringify(trimmed)} is none of the format ${format}`);
    }
    throw error;
  }
}

/** The number times ten to the `scale`, digit by digit; negative when `sign` says so. */
export function scaled(text: string, scale: string | null, sign: string | null): string {
  const digits = number(text);
  const shift = scale === null ? 0 : Number(scale);
  if (!Number.isInteger(shift) || Math.abs(shift) > 1000) {
    throw new NotOfFormat(`its scale ${scale} is no whole number`);
  }
  const match = /^([+-]?)(\d*)\.?(\d*)$/.exec(digits)!;
  const minus = (match[1] === "-") !== (sign === "-") ? "-" : "";
  const all = match[2] + match[3];
  const point = match[2].length + shift;
  const padded = point <= 0 ? "0".repeat(1 - point) + all : all.padEnd(point, "0");
  const at = Math.max(point, 1);
  const whole = padded.slice(0, at).replace(/^0+(?=\d)/, "");
  const fraction = padded.slice(at);
  return `${minus}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}

function number(text: string): string {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text)) {
    throw new NotOfFormat(`its text ${JSON.stringify(text)} is no number`);
  }
  return text;
}

function dash(text: string): string {
  if (!/^[-\u2010-\u2015\u2212]*$/.test(text)) throw new NotOfFormat();
  return "0";
}

/** `12 dollars 5 cents`: whole and hundredths. */
function unitDecimal(text: string): string {
  const match = /^\D*([\d,.\s\u00a0]+)\D+(\d{1,2})\D*$/.exec(text);
  if (!match) throw new NotOfFormat();
  return `${match[1].replace(/\D/g, "")}.${match[2].padStart(2, "0")}`;
}

/** Year, month and day in an order, by figures or English names, as ISO 8601. */
function parts(text: string, order: string): string {
  const found =
    text.match(/\d+|[a-z]{3,}/gi)?.filter((part) => !/^(st|nd|rd|th|of)$/i.test(part)) ??
      [];
  if (found.length !== order.length) throw new NotOfFormat();
  const by: Record<string, string> = {};
  for (const [i, part] of [...order].entries()) by[part] = found[i];
  const month = by.m === undefined ? null : monthOf(by.m);
  const day = by.d === undefined ? null : twoDigits(by.d, 31);
  const year = by.y === undefined ? null : yearOf(by.y);
  if (year === null) return `--${month}-${day}`;
  return day === null ? `${year}-${month}` : `${year}-${month}-${day}`;
}

function monthOf(text: string): string {
  if (/^\d+$/.test(text)) return twoDigits(text, 12);
  const index = monthNames.findIndex((month) => month.startsWith(text.toLowerCase()));
  if (index < 0) throw new NotOfFormat();
  return String(index + 1).padStart(2, "0");
}

function twoDigits(text: string, max: number): string {
  const value = Number(text);
  if (!(value >= 1 && value <= max)) throw new NotOfFormat();
  return String(value).padStart(2, "0");
}

function yearOf(text: string): string {
  if (/^\d{4}$/.test(text)) return text;
  if (/^\d{2}$/.test(text)) return `20${text}`;
  throw new NotOfFormat();
}

const words: Readonly<Record<string, number>> = Object.fromEntries(
  ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen " +
    "sixteen seventeen eighteen nineteen").split(" ").map((word, i) => [word, i] as const)
    .concat(
      "twenty thirty forty fifty sixty seventy eighty ninety".split(" ")
        .map((word, i) => [word, 10 * (i + 2)] as const),
    ),
);

function numberOfWords(text: string): string {
  if (/^(no|none|nil)$/i.test(text)) return "0";
  let total = 0n;
  let part = 0n;
  const found = text.toLowerCase().split(/[\s,\-\u00a0]+/).filter((word) => word && word !== "and");
  if (found.length === 0) throw new NotOfFormat();
  for (const word of found) {
    if (Object.hasOwn(words, word)) part += BigInt(words[word]);
    else if (word === "hundred") part *= 100n;
    else {
      const scale = ["thousand", "million", "billion", "trillion"].indexOf(word);
      if (scale < 0) throw new NotOfFormat();
      total += part * 1000n ** BigInt(scale + 1);
      part = 0n;
    }
  }
  return String(total + part);
}
