/** @module Small workbooks, put together part by part and record by record. */
import { TextReader, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";

/** A zip of these parts, in this order. */
export async function zipOf(
  parts: Readonly<Record<string, string | Uint8Array>>,
): Promise<Uint8Array> {
  const zip = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
  for (const [name, content] of Object.entries(parts)) {
    const reader = typeof content === "string"
      ? new TextReader(content)
      : new Uint8ArrayReader(content);
    await zip.add(name, reader, { lastModDate: new Date(Date.UTC(2026, 0, 1)) });
  }
  return await zip.close();
}

/** A sheet of a workbook that is made. */
export interface SheetParts {
  name: string;
  /** What is in `sheetData`. */
  rows: string;
  state?: string;
}

/** What an xlsx is made of. */
export interface XlsxParts {
  sheets: SheetParts[];
  /** What is in `sst`. */
  strings?: string;
  /** Codes of number formats; the n-th is that of style n + 1. Style 0 is General. */
  formats?: string[];
  is1904?: boolean;
}

const main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/** An xlsx. */
export function xlsxOf({ sheets, strings, formats = [], is1904 = false }: XlsxParts) {
  const related = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${office}/${type}" Target="${target}"/>`;
  return zipOf({
    "[Content_Types].xml":
      '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    "_rels/.rels": `<Relationships>${
      related("r1", "officeDocument", "xl/workbook.xml")
    }</Relationships>`,
    "xl/workbook.xml":
      `<workbook ${main} xmlns:r="${office}"><workbookPr date1904="${is1904}"/><sheets>${
        sheets.map(({ name, state }, i) =>
          `<sheet name="${name}" sheetId="${i + 1}" r:id="s${i}"${
            state ? ` state="${state}"` : ""
          }/>`
        ).join("")
      }</sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": `<Relationships>${
      sheets.map((_, i) => related(`s${i}`, "worksheet", `worksheets/sheet${i + 1}.xml`)).join("")
    }${related("t", "styles", "styles.xml")}${
      related("u", "sharedStrings", "/xl/sharedStrings.xml")
    }</Relationships>`,
    "xl/styles.xml": `<styleSheet ${main}><numFmts>${
      formats.map((code, i) => `<numFmt numFmtId="${164 + i}" formatCode="${code}"/>`).join("")
    }</numFmts><cellXfs><xf numFmtId="0"/>${
      formats.map((_, i) => `<xf numFmtId="${164 + i}"/>`).join("")
    }</cellXfs></styleSheet>`,
    "xl/sharedStrings.xml": `<sst ${main}>${strings ?? ""}</sst>`,
    ...Object.fromEntries(
      sheets.map(({ rows }, i) => [
        `xl/worksheets/sheet${i + 1}.xml`,
        `<worksheet ${main}><sheetData>${rows}</sheetData></worksheet>`,
      ]),
    ),
  });
}

/** An ODS with these tables as they stand in its content. */
export function odsOf(tables: string, more: Readonly<Record<string, string>> = {}) {
  const names = ["office", "table", "text", "style", "calcext"].map((name) =>
    `xmlns:${name}="urn:oasis:names:tc:opendocument:xmlns:${name}:1.0"`
  ).join(" ");
  return zipOf({
    mimetype: "application/vnd.oasis.opendocument.spreadsheet",
    "content.xml": `<office:document-content ${names}><office:body><office:spreadsheet>${tables}` +
      `</office:spreadsheet></office:body></office:document-content>`,
    ...more,
  });
}

/** Bytes of values, little-endian: `[value, bytes]` for integers, texts as UTF-16. */
export function packed(...values: ([number, 1 | 2 | 4] | number[] | string | Float64Array)[]) {
  return values.flatMap((value) => {
    if (typeof value === "string") {
      return [...value].flatMap((
        letter,
      ) => [letter.charCodeAt(0) & 255, letter.charCodeAt(0) >> 8]);
    }
    if (value instanceof Float64Array) return [...new Uint8Array(value.buffer)];
    if (value.length !== 2) return value as number[];
    return Array.from({ length: value[1] }, (_, i) => (value[0] >>> (8 * i)) & 255);
  });
}

/** A record of xls. */
export function xlsRecord(type: number, bytes: readonly number[] = []): number[] {
  return [...packed([type, 2], [bytes.length, 2]), ...bytes];
}

const SECTOR = 512;
const [END, FREE, FAT] = [0xfffffffe, 0xffffffff, 0xfffffffd];

/** A compound file with one stream, which is padded to be a large one. */
export function compoundOf(name: string, content: readonly number[]): Uint8Array {
  const bytes = Math.max(4096, content.length);
  const sectors = Math.ceil(bytes / SECTOR);
  const file = new Uint8Array((3 + sectors) * SECTOR);
  const view = new DataView(file.buffer);
  file.set([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]);
  view.setUint16(30, 9, true);
  for (const [at, value] of [[44, 1], [48, 1], [56, 4096], [60, END], [68, END], [76, 0]]) {
    view.setUint32(at, value, true);
  }
  for (let at = 80; at < SECTOR; at += 4) view.setUint32(at, FREE, true);
  const fat = [
    FAT,
    END,
    ...Array.from({ length: sectors }, (_, i) => i === sectors - 1 ? END : i + 3),
  ];
  for (let i = 0; i < SECTOR / 4; i++) view.setUint32(SECTOR + 4 * i, fat[i] ?? FREE, true);
  const entry = (at: number, label: string, { type, start, bytes }: {
    type: number;
    start: number;
    bytes: number;
  }) => {
    file.set(packed(label), at);
    view.setUint16(at + 64, 2 * label.length + 2, true);
    file[at + 66] = type;
    view.setUint32(at + 116, start, true);
    view.setUint32(at + 120, bytes, true);
  };
  entry(2 * SECTOR, "Root Entry", { type: 5, start: END, bytes: 0 });
  entry(2 * SECTOR + 128, name, { type: 2, start: 2, bytes });
  file.set(content, 3 * SECTOR);
  return file;
}
