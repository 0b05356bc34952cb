/** @module Tables of HTML pages: the one that is named, or the largest of data. */
import { AppError } from "../../../../src/model/errors.ts";
import type { ReadCall, RowSource } from "../format.ts";
import { TextStage } from "../text_stage.ts";
import { columnNames, Grid, type GridRow, headerRows, TooManySpans } from "./grid.ts";
import { HtmlPage, type OpenTable, type PageSink } from "./page.ts";
import { HtmlParams } from "./params.ts";

const CHUNK_BYTES = 256 * 1024;
/** First rows of a table, by which its header is told. */
const FIRST_ROWS = 12;
const TABLES_MAX = 20_000;

/** A table as a first pass finds it. */
interface FoundTable extends OpenTable {
  first: GridRow[];
  rows: number;
  width: number;
  /** Cells with text. */
  filled: number;
}

/** Read a table of a page. */
export async function readHtml(call: ReadCall): Promise<RowSource> {
  const { table: wanted } = HtmlParams.parse(call.options.html ?? {});
  const { tables, title } = await findTables(call);
  const table = wanted === undefined
    ? largest(tables, call, title)
    : named(tables, wanted, call.file.name);
  const header = headerRows(table.first, call.options.header);
  const head = table.first.slice(0, header);
  const stage = new TextStage(call, columnNames(head, table.width));
  const repeated = new Set(head.map(({ texts }) => JSON.stringify(texts)));
  let seen = 0;
  let row = 0;
  await follow(call, {
    tableEnded() {},
    row: gridRows((open, grid) => {
      if (open.number !== table.number || ++seen <= header) return;
      // A header that long tables say again is none of their rows.
      if (grid.isHeader && repeated.has(JSON.stringify(grid.texts))) return;
      stage.add(grid.texts, {
        row: ++row,
        offset: grid.offset,
        bytes: Math.max(0, grid.endOffset - grid.offset),
      });
    }),
  });
  return stage.finish();
}

async function findTables(call: ReadCall): Promise<{ tables: FoundTable[]; title: string }> {
  const found = new Map<number, FoundTable>();
  const page = await follow(call, {
    row: gridRows((open, row) => {
      let table = found.get(open.number);
      if (table === undefined) {
        if (found.size >= TABLES_MAX) {
          throw corrupt(call.file.name, `it has more than ${TABLES_MAX} tables`);
        }
        table = { ...open, first: [], rows: 0, width: 0, filled: 0 };
        found.set(open.number, table);
      }
      table.rows++;
      table.width = Math.max(table.width, row.texts.length);
      for (const text of row.texts) if (text) table.filled++;
      if (table.first.length < FIRST_ROWS) table.first.push(row);
    }),
    tableEnded: (open) => Object.assign(found.get(open.number) ?? {}, open),
  });
  const tables = [...found.values()].toSorted((a, b) => a.number - b.number);
  return { tables, title: page.title.replace(/\s+/g, " ").trim() };
}

function gridRows(take: (table: OpenTable, row: GridRow) => void): PageSink["row"] {
  const grids = new Map<number, Grid>();
  return (table, row) => {
    let grid = grids.get(table.number);
    if (grid === undefined) grids.set(table.number, grid = new Grid());
    take(table, grid.row(row));
  };
}

/** Read the page; throws CORRUPT when it is cut. */
async function follow({ file, signal }: ReadCall, sink: PageSink): Promise<HtmlPage> {
  using input = await Deno.open(file.path);
  const page = new HtmlPage(sink);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const chunk = new Uint8Array(CHUNK_BYTES);
  let bytes = 0;
  try {
    for (let read = await input.read(chunk); read !== null; read = await input.read(chunk)) {
      signal.throwIfAborted();
      page.write(decoder.decode(chunk.subarray(0, read), { stream: true }), read);
      bytes += read;
    }
    page.write(decoder.decode(), 0);
  } catch (error) {
    if (error instanceof TooManySpans) {
      throw corrupt(
        file.name,
        `spans of its cells stand for too many others, behind byte ${bytes}`,
      );
    }
    if (!(error instanceof TypeError)) throw error;
    throw corrupt(file.name, `its bytes are not UTF-8, behind byte ${bytes}`);
  }
  const why = page.end();
  if (why !== null) throw corrupt(file.name, `${why}, at byte ${bytes}`);
  return page;
}

function largest(tables: FoundTable[], { file }: ReadCall, title: string): FoundTable {
  const data = tables.filter((table) => table.rows >= 2 && (table.width >= 2 || table.inner === 0));
  const [best] = data.filter((table) => table.inner === 0 || table.rows > 20)
    .concat(data).toSorted((a, b) => weight(b) - weight(a));
  if (best !== undefined) return best;
  const what = tables.length === 0 ? "has no table" : "has no table of data";
  const titled = title === "" ? "" : `, and is titled ${JSON.stringify(title)}`;
  throw corrupt(
    file.name,
    `the page ${what}${titled}; a source may have answered with an error, or with a page for people`,
  );
}

/** Tables that only lay a page out hold others. */
function weight({ filled, inner }: FoundTable): number {
  return inner > 0 ? filled / 1000 : filled;
}

function named(tables: FoundTable[], wanted: string | number, name: string): FoundTable {
  const found = typeof wanted === "number"
    ? tables.filter(({ number }) => number === wanted)
    : tables.filter(({ id, caption }) => id === wanted || caption === wanted);
  if (found.length === 0 && typeof wanted === "string") {
    found.push(
      ...tables.filter(({ first, inner }) =>
        inner === 0 && first.some(({ texts }) => texts.includes(wanted))
      ),
    );
  }
  if (found.length === 1) return found[0];
  const list = tables.slice(0, 12).map(({ number, id, caption, rows, width }) =>
    `${number}${id ? ` #${id}` : ""}${caption ? ` "${caption}"` : ""} (${rows} × ${width})`
  );
  throw new AppError(
    "INVALID",
    `Cannot read ${name}: ${found.length === 0 ? "no table" : "more than one table"} is ` +
      `${JSON.stringify(wanted)}; the page has ${list.join(", ") || "none"}`,
  );
}

function corrupt(name: string, why: string): AppError {
  return new AppError("CORRUPT", `Cannot read ${name} as HTML: ${why}`);
}
