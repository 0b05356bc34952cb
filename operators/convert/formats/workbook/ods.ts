/** @module OpenDocument spreadsheets. */
import { LockedError, type Sheet, type SheetRow, type Workbook, WorkbookError } from "./book.ts";
import { OdsReader } from "./ods_reader.ts";
import { Package, utf8Chunks } from "./package.ts";
import { mark, XmlScanner } from "./xml_scanner.ts";

const CONTENT = "content.xml";

/** Open a workbook. Throws WorkbookError, and LockedError for one behind a password. */
export async function openOds(path: string): Promise<Workbook> {
  const parts = await Package.open(path);
  try {
    await refuseLocked(parts);
    if (!parts.has(CONTENT)) throw new WorkbookError(`it has no part ${CONTENT}`);
    const hidden = await hiddenStyles(parts);
    const found: { name: string; style: string; cells: number }[] = [];
    const reader = new OdsReader({
      sheet: (name, style) => found.push({ name, style, cells: 0 }),
      row: ({ kinds }) => found.at(-1)!.cells += kinds.reduce((sum: number) => sum + 1, 0),
    });
    await feedAll(parts, reader);
    const sheets = found.map(({ name, style, cells }, at): Sheet => ({
      name,
      isHidden: hidden.has(style),
      weight: cells,
      rows: (signal) => rowsOf(parts, at, signal),
    }));
    return { sheets, [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose]() };
  } catch (error) {
    await parts[Symbol.asyncDispose]();
    throw error;
  }
}

async function feedAll(parts: Package, reader: OdsReader): Promise<void> {
  for await (const chunk of utf8Chunks(parts.stream(CONTENT))) reader.feed(chunk);
  reader.feed(new Uint8Array(0));
}

async function* rowsOf(
  parts: Package,
  wanted: number,
  signal: AbortSignal,
): AsyncGenerator<SheetRow[]> {
  let at = -1;
  let rows: SheetRow[] = [];
  const reader = new OdsReader({
    sheet: () => at++,
    row: (row) => at === wanted && rows.push(row),
  });
  for await (const chunk of utf8Chunks(parts.stream(CONTENT))) {
    signal.throwIfAborted();
    reader.feed(chunk);
    yield rows;
    rows = [];
  }
}

async function refuseLocked(parts: Package): Promise<void> {
  let isLocked = false;
  await parts.scan("META-INF/manifest.xml", (scanner, found) => {
    if (found === mark.open && scanner.is("encryption-data")) isLocked = true;
  });
  if (isLocked) throw new LockedError("it is behind a password: save it without one");
}

/** Styles of tables that are not shown. They stand before the sheets. */
async function hiddenStyles(parts: Package): Promise<Set<string>> {
  const hidden = new Set<string>();
  const scanner = new XmlScanner();
  let style = "";
  for await (const chunk of utf8Chunks(parts.stream(CONTENT))) {
    scanner.feed(chunk);
    for (let found = scanner.next(); found !== mark.more; found = scanner.next()) {
      if (found !== mark.open) continue;
      if (scanner.is("spreadsheet")) return hidden;
      if (scanner.is("style")) style = scanner.attribute("name") ?? "";
      if (scanner.is("table-properties") && scanner.attribute("display") === "false") {
        hidden.add(style);
      }
    }
  }
  return hidden;
}
