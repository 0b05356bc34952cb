/** @module Rows of the sheets of an OpenDocument spreadsheet. */
import { type CellKind, cellKind, columnsMax, type SheetRow, WorkbookError } from "./book.ts";
import { numberText } from "./cells.ts";
import { mark, XmlScanner } from "./xml_scanner.ts";

/** Called with what is found, sheet by sheet. */
export interface OdsVisitor {
  sheet(name: string, style: string): void;
  row(row: SheetRow): void;
}

/** Rows of a sheet, as many as the program itself has. */
const ROWS_MAX = 1_048_576;
/** Cells that repetitions may make: what a file says in a few bytes would fill the disk. */
const REPEATED_MAX = 20_000_000;

/** Takes the content's bytes. */
export class OdsReader {
  readonly #visitor: OdsVisitor;
  readonly #scanner = new XmlScanner();
  #row: SheetRow = { number: 0, cells: [], kinds: [] };
  #next = 1;
  #column = 0;
  #rowRepeats = 1;
  #repeated = 0;
  /** Of the open cell. */
  #cell: { repeats: number; value: string | null; kind: CellKind } | null = null;
  #text: string | null = null;
  #paragraphs = 0;
  /** Depth of marks in notes and pictures, whose texts are none of the cell. */
  #aside = 0;
  #tables = 0;

  constructor(visitor: OdsVisitor) {
    this.#visitor = visitor;
  }

  /** An empty piece is the end. */
  feed(chunk: Uint8Array): void {
    const scanner = this.#scanner;
    scanner.feed(chunk);
    for (let found = scanner.next(); found !== mark.more; found = scanner.next()) {
      if (found === mark.text) this.#addText();
      else if (this.#aside > 0) this.#leave(found === mark.open);
      else if (found === mark.open) this.#open();
      else this.#close();
    }
    if (chunk.length === 0 && this.#tables > 0) throw new WorkbookError("a sheet is cut off");
  }

  #leave(isOpen: boolean): void {
    if (!isOpen) this.#aside--;
    else if (!this.#scanner.isEmpty) this.#aside++;
  }

  #open(): void {
    const scanner = this.#scanner;
    if (scanner.is("table")) this.#openTable();
    else if (this.#tables !== 1) return;
    else if (scanner.is("table-row")) this.#openRow();
    else if (scanner.is("table-cell") || scanner.is("covered-table-cell")) this.#openCell();
    else if (this.#cell === null) return;
    else if (scanner.is("p")) {
      if (this.#paragraphs++ > 0) this.#add("\n");
    } else if (scanner.is("s")) this.#add(" ".repeat(this.#count("c")));
    else if (scanner.is("tab")) this.#add("\t");
    else if (scanner.is("line-break")) this.#add("\n");
    else if (!scanner.isEmpty && /^(annotation|frame|g|shapes|detective)$/.test(this.#name())) {
      this.#aside = 1;
    }
  }

  #close(): void {
    const scanner = this.#scanner;
    if (scanner.is("table")) this.#tables--;
    else if (this.#tables !== 1) return;
    else if (scanner.is("table-cell") || scanner.is("covered-table-cell")) this.#endCell();
    else if (scanner.is("table-row")) this.#endRow();
  }

  #openTable(): void {
    if (this.#scanner.isEmpty) return;
    // A table in a cell is none of the sheets.
    if (++this.#tables > 1) return;
    this.#next = 1;
    this.#repeated = 0;
    const attribute = (name: string) => this.#scanner.attribute(name) ?? "";
    this.#visitor.sheet(attribute("name"), attribute("style-name"));
  }

  #openRow(): void {
    this.#rowRepeats = this.#count("number-rows-repeated");
    this.#row = { number: this.#next, cells: [], kinds: [] };
    this.#column = 0;
    if (this.#scanner.isEmpty) this.#endRow();
  }

  #endRow(): void {
    const { cells, kinds } = this.#row;
    if (cells.length > 0) {
      if (this.#next + this.#rowRepeats - 1 > ROWS_MAX) {
        throw new WorkbookError(`a sheet has more than ${ROWS_MAX} rows`);
      }
      this.#countRepeated(cells.length * (this.#rowRepeats - 1));
      for (let i = 0; i < this.#rowRepeats; i++) {
        this.#visitor.row({ number: this.#next + i, cells, kinds });
      }
    }
    this.#next += this.#rowRepeats;
  }

  #openCell(): void {
    const scanner = this.#scanner;
    const repeats = this.#count("number-columns-repeated");
    this.#text = null;
    this.#paragraphs = 0;
    this.#cell = { repeats, ...this.#valueOf(scanner.attribute("value-type") ?? "") };
    if (scanner.isEmpty) this.#endCell();
  }

  #valueOf(type: string): { value: string | null; kind: CellKind } {
    const scanner = this.#scanner;
    switch (type) {
      case "float":
      case "percentage":
      case "currency":
        return { value: numberText(scanner.attribute("value") ?? ""), kind: cellKind.number };
      case "boolean":
        return { value: scanner.attribute("boolean-value"), kind: cellKind.boolean };
      case "date":
        return { value: plainTime(scanner.attribute("date-value")), kind: cellKind.time };
      case "time":
        return { value: clockText(scanner.attribute("time-value")), kind: cellKind.time };
      case "error":
        return { value: null, kind: cellKind.error };
      case "string":
        return { value: scanner.attribute("string-value"), kind: cellKind.text };
      default:
        return { value: null, kind: cellKind.none };
    }
  }

  #endCell(): void {
    if (this.#cell === null) return;
    const { repeats, value, kind } = this.#cell;
    this.#cell = null;
    const isError = kind === cellKind.number && /^(#[A-Z/0]+[!?A]|Err:\d+)$/.test(this.#text ?? "");
    const text = isError ? this.#text : value ?? this.#text;
    if (text !== null && (text !== "" || kind === cellKind.text)) {
      if (this.#column + repeats > columnsMax) {
        throw new WorkbookError(`row ${this.#next} has more than ${columnsMax} columns`);
      }
      this.#countRepeated(repeats - 1);
      const known = value === null && kind !== cellKind.error ? cellKind.text : kind;
      for (let i = 0; i < repeats; i++) {
        this.#row.cells[this.#column + i] = text;
        this.#row.kinds[this.#column + i] = isError ? cellKind.error : known;
      }
    }
    this.#column += repeats;
  }

  #addText(): void {
    if (this.#cell === null || this.#paragraphs === 0 || this.#aside > 0) return;
    const text = this.#scanner.text();
    // Between paragraphs there are only blanks.
    if (text.trim() !== "" || !text.includes("\n")) this.#add(text.replace(/\s*\n\s*/g, " "));
  }

  #add(text: string): void {
    this.#text = (this.#text ?? "") + text;
  }

  #count(name: string): number {
    const count = Number(this.#scanner.attribute(name) ?? 1);
    return Number.isSafeInteger(count) && count > 0 ? count : 1;
  }

  #countRepeated(cells: number): void {
    this.#repeated += cells;
    if (this.#repeated <= REPEATED_MAX) return;
    throw new WorkbookError(
      `row ${this.#next} repeats cells until a sheet has more than ${REPEATED_MAX} of them`,
    );
  }

  #name(): string {
    const { bytes, nameStart, nameEnd } = this.#scanner;
    return new TextDecoder().decode(bytes.subarray(nameStart, nameEnd));
  }
}

function plainTime(text: string | null): string | null {
  return text === null ? null : text.trim().replace("T", " ");
}

/** `PT12H30M15.5S` as `12:30:15.5`. */
function clockText(text: string | null): string | null {
  const match = text?.trim().match(/^(-?)P(?:(\d+)D)?T(\d+)H(\d+)M(\d+)(?:[.,](\d+))?S$/);
  if (!match) return text;
  const [, sign, days = "0", hours, minutes, seconds, fraction = ""] = match;
  const digits = fraction.replace(/0+$/, "");
  const two = (value: number | string) => String(value).padStart(2, "0");
  return `${sign}${two(Number(days) * 24 + Number(hours))}:${two(minutes)}:${two(seconds)}` +
    `${digits === "" ? "" : `.${digits}`}`;
}
