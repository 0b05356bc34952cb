/** @module Workbooks of Office Open XML: xlsx, xlsm and, in their own binary form, xlsb. */
import { type Sheet, type SheetRow, type Workbook, WorkbookError } from "./book.ts";
import { spacedText, withSigns } from "./cells.ts";
import { builtInParts, partsOfCode } from "./number_formats.ts";
import { Package, utf8Chunks } from "./package.ts";
import type { TimeParts } from "./serials.ts";
import { SharedStrings } from "./shared_strings.ts";
import { SheetReader } from "./xlsx_sheet.ts";
import { openXlsb } from "./xlsb.ts";
import { mark } from "./xml_scanner.ts";

/** A part that another refers to. */
export interface Related {
  path: string;
  /** The last word of its type. */
  type: string;
}

/** Open a workbook. Throws WorkbookError. */
export async function openXlsx(path: string): Promise<Workbook> {
  const parts = await Package.open(path);
  try {
    const root = await relatedTo(parts, "");
    const book = [...root.values()].find(({ type }) => type === "officeDocument")?.path ??
      "xl/workbook.xml";
    const related = await relatedTo(parts, book);
    if (/\.bin$/i.test(book)) return await openXlsb(parts, book, related);
    if (!parts.has(book)) throw new WorkbookError(`it has no workbook: no part ${book}`);
    return await openXml(parts, book, related);
  } catch (error) {
    await parts[Symbol.asyncDispose]();
    throw error;
  }
}

async function openXml(
  parts: Package,
  book: string,
  related: ReadonlyMap<string, Related>,
): Promise<Workbook> {
  const listed: { name: string; id: string; isHidden: boolean }[] = [];
  let is1904 = false;
  await parts.scan(book, (scanner, found) => {
    if (found !== mark.open) return;
    if (scanner.is("workbookPr")) {
      is1904 = /^(1|true)$/.test(scanner.attribute("date1904") ?? "");
    } else if (scanner.is("sheet")) {
      listed.push({
        name: withSigns(scanner.attribute("name") ?? ""),
        id: scanner.attribute("id") ?? "",
        isHidden: /hidden/i.test(scanner.attribute("state") ?? ""),
      });
    }
  });
  const partOf = (type: string, otherwise: string) =>
    [...related.values()].find((part) => part.type === type)?.path ?? otherwise;
  const stringsPath = partOf("sharedStrings", "xl/sharedStrings.xml");
  const stylesPath = partOf("styles", "xl/styles.xml");
  // Read when a sheet is: only then is it known that there is one to read.
  let context: Promise<ConstructorParameters<typeof SheetReader>[0]> | null = null;
  const contextOf = () =>
    context ??= (async () => ({
      strings: await readStrings(parts, stringsPath),
      styles: await readStyles(parts, stylesPath),
      is1904,
    }))();
  const sheets = listed.flatMap(({ name, id, isHidden }): Sheet[] => {
    const part = related.get(id);
    if (part?.type !== "worksheet" || !parts.has(part.path)) return [];
    return [{
      name,
      isHidden,
      weight: parts.bytesOf(part.path),
      rows: (signal) => rowsOf(parts, part.path, { contextOf, signal }),
    }];
  });
  return { sheets, [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose]() };
}

async function* rowsOf(
  parts: Package,
  path: string,
  { contextOf, signal }: {
    contextOf(): Promise<ConstructorParameters<typeof SheetReader>[0]>;
    signal: AbortSignal;
  },
): AsyncGenerator<SheetRow[]> {
  const reader = new SheetReader(await contextOf());
  for await (const chunk of utf8Chunks(parts.stream(path))) {
    signal.throwIfAborted();
    // What follows the rows is still unpacked, so that damage in it is seen.
    if (!reader.isDone) yield reader.feed(chunk);
  }
  if (!reader.isDone) yield reader.feed(new Uint8Array(0));
}

/** Parts by the id that a part calls them by. */
export async function relatedTo(parts: Package, path: string): Promise<Map<string, Related>> {
  const at = path.lastIndexOf("/") + 1;
  const folder = path.slice(0, at);
  const related = new Map<string, Related>();
  await parts.scan(`${folder}_rels/${path.slice(at)}.rels`, (scanner, found) => {
    if (found !== mark.open || !scanner.is("Relationship")) return;
    const target = (scanner.attribute("Target") ?? "").replaceAll("\\", "/");
    const type = (scanner.attribute("Type") ?? "").replace(/^.*\//, "");
    related.set(scanner.attribute("Id") ?? "", { path: resolve(folder, target), type });
  });
  return related;
}

function resolve(folder: string, target: string): string {
  if (target.startsWith("/")) return target.slice(1);
  const steps: string[] = [];
  for (const step of `${folder}${target}`.split("/")) {
    if (step === "..") steps.pop();
    else if (step !== "." && step !== "") steps.push(step);
  }
  return steps.join("/");
}

/** Texts with their formats left out, and without the pronunciation beside them. */
async function readStrings(parts: Package, path: string): Promise<SharedStrings> {
  const strings = new SharedStrings();
  let text = "";
  let piece: string | null = null;
  let space: string | null = null;
  let phonetics = 0;
  await parts.scan(path, (scanner, found) => {
    if (found === mark.text) {
      if (piece !== null) piece += scanner.text();
    } else if (scanner.is("t")) {
      if (found === mark.close && piece !== null) text += spacedText(piece, space);
      const isOpen = found === mark.open && !scanner.isEmpty && phonetics === 0;
      piece = isOpen ? "" : null;
      space = isOpen ? scanner.attribute("space") : null;
    } else if (scanner.is("rPh")) {
      if (!scanner.isEmpty) phonetics += found === mark.open ? 1 : -1;
    } else if (scanner.is("si")) {
      if (found === mark.close || scanner.isEmpty) strings.add(withSigns(text));
      text = "";
    }
  });
  return strings;
}

async function readStyles(parts: Package, path: string): Promise<(TimeParts | null)[]> {
  const codes = new Map<number, TimeParts | null>();
  const styles: (TimeParts | null)[] = [];
  let isInCells = false;
  await parts.scan(path, (scanner, found) => {
    if (found === mark.text) return;
    if (scanner.is("cellXfs")) isInCells = found === mark.open && !scanner.isEmpty;
    if (found === mark.close) return;
    if (scanner.is("numFmt")) {
      const code = scanner.attribute("formatCode") ?? "";
      codes.set(Number(scanner.attribute("numFmtId")), partsOfCode(code));
    } else if (isInCells && scanner.is("xf")) {
      const id = Number(scanner.attribute("numFmtId") ?? 0);
      styles.push(codes.has(id) ? codes.get(id)! : builtInParts(id));
    }
  });
  return styles;
}
