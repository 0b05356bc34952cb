/** @module Follows a page and tells of its tables: rows of cells, with spans still as they stand. */
import { Parser } from "htmlparser2";

/** A cell. */
export interface HtmlCell {
  text: string;
  isHeader: boolean;
  columns: number;
  rows: number;
}

/** A row as it stands. */
export interface HtmlRow {
  cells: HtmlCell[];
  section: "head" | "body" | "foot";
  offset: number;
  endOffset: number;
}

/** A table that is being read. */
export interface OpenTable {
  /** On the page, from 1, by where tables begin. */
  number: number;
  id: string | null;
  caption: string | null;
  /** Tables in its cells. */
  inner: number;
}

/** What a page is told to. */
export interface PageSink {
  row(table: OpenTable, row: HtmlRow): void;
  tableEnded(table: OpenTable): void;
}

interface TableState {
  table: OpenTable;
  section: HtmlRow["section"];
  row: HtmlRow | null;
  cell: HtmlCell | null;
  isCaption: boolean;
}

/** Cells and rows that one cell spans, at most: as the standard of HTML has it. */
const COLSPAN_MAX = 1000;
const ROWSPAN_MAX = 65_534;

const unread = new Set(["script", "style", "template", "noscript", "head", "select", "textarea"]);
const blocks = new Set(["p", "div", "li", "ul", "ol", "tr", "td", "th", "h1", "h2", "h3", "h4"]);
const voids = new Set(["br", "img", "input", "hr", "wbr", "col", "meta", "link", "area", "base"]);

/** Reads a page. */
export class HtmlPage {
  readonly #sink: PageSink;
  readonly #parser: Parser;
  readonly #tables: TableState[] = [];
  readonly #hidden: string[] = [];
  #count = 0;
  /** Where the chunk begins, in characters and bytes. */
  #chunk = "";
  #chunkChars = 0;
  #chunkBytes = 0;
  #isTitle = false;
  #tail = "";
  /** End tags that stand in the page; others are implied. */
  readonly #said = new Set<string>();
  title = "";

  constructor(sink: PageSink) {
    this.#sink = sink;
    this.#parser = new Parser({
      onopentag: (name, attributes) => this.#open(name, attributes),
      ontext: (text) => this.#text(text),
      onclosetag: (name, isImplied) => {
        if (!isImplied) this.#said.add(name);
        this.#close(name);
      },
    }, { decodeEntities: true });
  }

  /** `bytes`: how many the text was. */
  write(text: string, bytes: number): void {
    this.#chunk = text;
    this.#parser.write(text);
    this.#chunkChars += text.length;
    this.#chunkBytes += bytes;
    this.#tail = (this.#tail + text).slice(-4096);
  }

  /** Why the page is not whole; null when it is. */
  end(): string | null {
    const open = this.#tables.at(-1);
    const isInTag = this.#tail.lastIndexOf("<") > this.#tail.lastIndexOf(">") &&
      /<[a-z/!][^<]*$/i.test(this.#tail);
    // Who ends its head ends the page as well; pages made small leave out either.
    const isCut = this.#said.has("head") && !this.#said.has("body") && !this.#said.has("html");
    this.#parser.end();
    if (open) return `it ends within its table ${open.table.number}`;
    if (isInTag) return "it ends within a tag";
    return isCut ? "it ends before </body> and </html>" : null;
  }

  #offset(): number {
    const at = Math.max(0, this.#parser.startIndex - this.#chunkChars);
    return this.#chunkBytes + utf8Bytes(this.#chunk, Math.min(at, this.#chunk.length));
  }

  #open(name: string, attributes: Record<string, string>): void {
    if (name === "title") this.#isTitle = true;
    if (this.#hidden.length > 0 || isHidden(name, attributes)) {
      if (!voids.has(name)) this.#hidden.push(name);
      return;
    }
    if (name === "table") return this.#beginTable(attributes);
    const state = this.#tables.at(-1);
    if (state === undefined) return;
    if (name === "thead" || name === "tbody" || name === "tfoot") {
      this.#endRow(state);
      state.section = name.slice(1) as HtmlRow["section"];
    } else if (name === "tr") this.#beginRow(state);
    else if (name === "td" || name === "th") this.#beginCell(state, name, attributes);
    else if (name === "caption") state.isCaption = true;
    else if (name === "br") this.#text("\n", true);
    else if (blocks.has(name)) this.#text(" ");
  }

  #beginTable({ id }: Record<string, string>): void {
    for (const { table } of this.#tables) table.inner++;
    this.#tables.push({
      table: { number: ++this.#count, id: id ?? null, caption: null, inner: 0 },
      section: "body",
      row: null,
      cell: null,
      isCaption: false,
    });
  }

  #beginRow(state: TableState): void {
    this.#endRow(state);
    state.isCaption = false;
    state.row = { cells: [], section: state.section, offset: this.#offset(), endOffset: 0 };
  }

  #beginCell(state: TableState, name: string, attributes: Record<string, string>): void {
    if (state.row === null) this.#beginRow(state);
    state.cell = {
      text: "",
      isHeader: name === "th",
      columns: spanOf(attributes.colspan, COLSPAN_MAX),
      rows: spanOf(attributes.rowspan, ROWSPAN_MAX),
    };
    state.row!.cells.push(state.cell);
  }

  #text(text: string, isBreak = false): void {
    if (this.#isTitle) this.title = (this.title + text).slice(0, 200);
    if (this.#hidden.length > 0) return;
    const plain = isBreak ? "\x0b" : text;
    // A cell has also what tables in it say.
    for (const { cell, isCaption, table } of this.#tables) {
      if (cell) cell.text += plain;
      else if (isCaption) table.caption = (table.caption ?? "") + plain;
    }
  }

  #close(name: string): void {
    if (name === "title") this.#isTitle = false;
    if (this.#hidden.length > 0) {
      const at = this.#hidden.lastIndexOf(name);
      if (at >= 0) this.#hidden.length = at;
      return;
    }
    const state = this.#tables.at(-1);
    if (state === undefined) return;
    if (name === "td" || name === "th") state.cell = null;
    else if (name === "tr") this.#endRow(state);
    else if (name === "caption") state.isCaption = false;
    else if (name === "thead" || name === "tbody" || name === "tfoot") {
      this.#endRow(state);
      state.section = "body";
    } else if (name === "table") {
      this.#endRow(state);
      this.#tables.pop();
      const { table } = state;
      if (table.caption !== null) table.caption = plainText(table.caption);
      this.#sink.tableEnded(table);
    } else if (blocks.has(name)) this.#text(" ");
  }

  #endRow(state: TableState): void {
    const { row } = state;
    state.row = null;
    state.cell = null;
    if (row === null || row.cells.length === 0) return;
    row.endOffset = this.#offset();
    for (const cell of row.cells) cell.text = plainText(cell.text);
    this.#sink.row(state.table, row);
  }
}

/** As a browser shows it: runs of blanks are one, breaks are line ends. */
export function plainText(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[ \t\r\n\f]+/g, " ").replace(/ ?\x0b ?/g, "\n")
    .replace(/^[ \n\u00a0]+|[ \n\u00a0]+$/g, "");
}

function isHidden(name: string, attributes: Record<string, string>): boolean {
  if (name === "title") return false;
  if (unread.has(name)) return name !== "head";
  return "hidden" in attributes || /display\s*:\s*none/i.test(attributes.style ?? "");
}

function spanOf(text: string | undefined, max: number): number {
  const span = /^\s*(\d{1,7})/.exec(text ?? "");
  return span ? Math.min(Math.max(Number(span[1]), 1), max) : 1;
}

function utf8Bytes(text: string, to: number): number {
  let bytes = 0;
  for (let i = 0; i < to; i++) {
    const code = text.charCodeAt(i);
    bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 2 : 3;
  }
  return bytes;
}
