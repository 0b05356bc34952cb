/** @module Workbooks: xlsx with its kin, xls and ODS. */
import type { Format } from "../format.ts";
import { compoundMagic } from "./cfb.ts";

/** Office Open XML: xlsx, xlsm and xlsb. */
export const xlsx: Format = workbook({
  name: "xlsx",
  extensions: ["xlsx", "xlsm", "xlsb", "xltx", "xltm"],
  mediaType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  recognise: (head) => isZip(head) && has(head, /\[Content_Types\]\.xml|xl\/|_rels\/\.rels/),
});

/** Excel 5 to 2003. */
export const xls: Format = workbook({
  name: "xls",
  extensions: ["xls", "xlt"],
  mediaType: "application/vnd.ms-excel",
  // New workbooks with a password are compound files as well, and say so when they are opened.
  recognise: (head) => compoundMagic.every((byte, i) => head[i] === byte),
});

/** OpenDocument spreadsheets. */
export const ods: Format = workbook({
  name: "ods",
  extensions: ["ods", "ots"],
  mediaType: "application/vnd.oasis.opendocument.spreadsheet",
  recognise: (head) =>
    isZip(head) && has(head, /application\/vnd\.oasis\.opendocument|content\.xml/),
});

function workbook(
  { recognise, ...format }:
    & Pick<Format, "name" | "extensions" | "mediaType">
    & { recognise(head: Uint8Array): boolean },
): Format {
  return {
    ...format,
    content: "binary",
    recognise(head, name) {
      if (recognise(head)) return 1;
      return format.extensions.some((extension) => name.toLowerCase().endsWith(`.${extension}`))
        ? 0.3
        : 0;
    },
    read: async (call) => await (await import("./read.ts")).readWorkbook(call, format.name),
  };
}

function isZip(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4;
}

function has(head: Uint8Array, name: RegExp): boolean {
  return name.test(new TextDecoder("latin1").decode(head));
}
