/** @module Rows of a sheet of Office Open XML. */
import {
  type CellKind,
  cellKind,
  type CellText,
  columnsMax,
  type SheetRow,
  WorkbookError,
} from "./book.ts";
import { numberText, spacedText, withSigns } from "./cells.ts";
import { serialText, type TimeParts } from "./serials.ts";
import type { SharedStrings } from "./shared_strings.ts";
import { mark, XmlScanner } from "./xml_scanner.ts";

/** What cells refer to. */
export interface SheetContext {
  strings: SharedStrings;
  /** By number of a cell's style: what it shows of a number. */
  styles: readonly (TimeParts | null)[];
  is1904: boolean;
}

const [ZERO, NINE, POINT, MINUS] = new TextEncoder().encode("09.-");

/** Takes the sheet's bytes and gives its rows. */
export class SheetReader {
  readonly #context: SheetContext;
  readonly #scanner = new XmlScanner();
  #rows: SheetRow[] = [];
  #row: SheetRow | null = null;
  #number = 0;
  #column = -1;
  /** Of the open cell. */
  #type = "";
  #style = 0;
  #isText = false;
  #isInline = false;
  #phonetics = 0;
  /** Texts of an inline cell; null outside of one. */
  #inline: string | null = null;
  #space: string | null = null;
  /** A text that is one piece of the bytes, or the pieces as a string. */
  #piece: Uint8Array | null = null;
  #text: string | null = null;
  #isInData = false;
  /** The data is over; what follows are its marks and pictures. */
  isDone = false;

  constructor(context: SheetContext) {
    this.#context = context;
  }

  /** Rows that end in this piece; an empty piece is the end. */
  feed(chunk: Uint8Array): SheetRow[] {
    const scanner = this.#scanner;
    scanner.feed(chunk);
    this.#rows = [];
    for (let found = scanner.next(); found !== mark.more; found = scanner.next()) {
      if (found === mark.text) this.#addText();
      else if (found === mark.open) this.#open();
      else this.#close();
      if (this.isDone) break;
    }
    if (chunk.length === 0 && this.#isInData && !this.isDone) {
      throw new WorkbookError("a sheet is cut off in its rows");
    }
    return this.#rows;
  }

  #open(): void {
    const scanner = this.#scanner;
    const length = scanner.nameEnd - scanner.nameStart;
    if (length === 1) return this.#openShort();
    if (!this.#isInData) {
      if (scanner.is("sheetData")) {
        this.#isInData = true;
        if (scanner.isEmpty) this.isDone = true;
      }
    } else if (scanner.is("row")) {
      const number = Number(scanner.attribute("r") ?? NaN);
      this.#number = Number.isSafeInteger(number) ? number : this.#number + 1;
      this.#column = -1;
      this.#row = { number: this.#number, cells: [], kinds: [] };
      if (scanner.isEmpty) this.#row = null;
    } else if (scanner.is("is")) this.#isInline = !scanner.isEmpty;
    else if (scanner.is("rPh") && !scanner.isEmpty) this.#phonetics++;
  }

  #openShort(): void {
    const scanner = this.#scanner;
    if (this.#row === null) return;
    if (scanner.is("c")) {
      this.#openCell();
      if (scanner.isEmpty) this.#type = "";
    } else if (scanner.is("v") || (scanner.is("t") && this.#isInline && this.#phonetics === 0)) {
      this.#isText = !scanner.isEmpty;
      this.#piece = null;
      this.#text = "";
      this.#space = scanner.is("t") ? scanner.attribute("space") : null;
    }
  }

  #openCell(): void {
    const { bytes, start, end } = this.#scanner;
    this.#type = "n";
    this.#style = 0;
    this.#piece = this.#text = this.#inline = null;
    this.#isInline = false;
    let column = this.#column + 1;
    for (let i = start; i < end; i++) {
      if (bytes[i] !== 61) continue;
      const name = bytes[i - 1];
      const isWhole = bytes[i - 2] <= 32;
      const quote = bytes[i + 1];
      const from = i + 2;
      const to = bytes.indexOf(quote, from);
      if (to < 0 || to > end) break;
      if (isWhole && name === 114) column = columnOf(bytes, from, to) ?? column;
      else if (isWhole && name === 115) this.#style = integerOf(bytes, from, to);
      else if (isWhole && name === 116) this.#type = typeOf(bytes, from, to);
      i = to;
    }
    if (column >= columnsMax) {
      throw new WorkbookError(`row ${this.#number} has a column ${column + 1}`);
    }
    this.#column = column;
  }

  #close(): void {
    const scanner = this.#scanner;
    if (scanner.is("c")) this.#endCell();
    else if (scanner.is("v")) this.#isText = false;
    else if (scanner.is("t") && this.#isText) {
      this.#isText = false;
      this.#inline = (this.#inline ?? "") + spacedText(this.#asText(), this.#space);
    } else if (scanner.is("row")) {
      if (this.#row !== null && this.#row.kinds.length > 0) this.#rows.push(this.#row);
      this.#row = null;
    } else if (scanner.is("sheetData")) this.isDone = true;
    else if (scanner.is("is")) this.#isInline = false;
    else if (scanner.is("rPh")) this.#phonetics--;
  }

  #addText(): void {
    if (!this.#isText) return;
    const scanner = this.#scanner;
    const { bytes, start, end } = scanner;
    const isPlain = scanner.isLiteral || !hasEntity(bytes, start, end);
    if (isPlain && this.#piece === null && (this.#text === null || this.#text === "")) {
      this.#piece = bytes.subarray(start, end);
      this.#text = null;
      return;
    }
    this.#text = this.#asText() + scanner.text();
    this.#piece = null;
  }

  #asText(): string {
    return this.#piece === null ? this.#text ?? "" : new TextDecoder().decode(this.#piece);
  }

  #endCell(): void {
    if (this.#row === null || (this.#piece === null && this.#text === null)) return;
    const column = this.#column;
    switch (this.#type) {
      case "s":
        return this.#setShared(column);
      case "inlineStr":
        return this.#set(column, withSigns(this.#inline ?? this.#asText()), cellKind.text);
      case "str":
        return this.#set(column, withSigns(this.#asText()), cellKind.text);
      case "b":
        return this.#set(
          column,
          /^(1|true)$/i.test(this.#asText()) ? "true" : "false",
          cellKind.boolean,
        );
      case "e":
        return this.#set(column, this.#asText(), cellKind.error);
      case "d":
        return this.#set(column, isoTime(this.#asText()), cellKind.time);
      case "":
        return;
      default:
        return this.#setNumber(column);
    }
  }

  #set(column: number, text: CellText, kind: CellKind): void {
    const { cells, kinds } = this.#row!;
    cells[column] = text;
    kinds[column] = kind;
  }

  #setShared(column: number): void {
    const piece = this.#piece;
    const isShort = piece !== null && isDigits(piece);
    const index = isShort ? integerOf(piece, 0, piece.length) : this.#wholeOf(this.#asText());
    if (index === null) return;
    const shared = this.#context.strings.get(index);
    if (shared === null) {
      throw new WorkbookError(
        `row ${this.#number}, column ${column + 1} refers to the shared text ${index} of ` +
          `${this.#context.strings.count}`,
      );
    }
    this.#set(column, shared, cellKind.text);
  }

  #wholeOf(text: string): number | null {
    return text.trim() === "" ? null : Number(text);
  }

  #setNumber(column: number): void {
    const parts = this.#context.styles[this.#style] ?? null;
    if (parts === null && this.#piece !== null && isShort(this.#piece)) {
      return this.#set(column, this.#piece, cellKind.number);
    }
    if (parts !== null && this.#piece !== null && isDigits(this.#piece)) {
      const day = integerOf(this.#piece, 0, this.#piece.length);
      const time = serialText(day, parts, this.#context.is1904);
      if (time !== null) return this.#set(column, time, cellKind.time);
    }
    const text = this.#asText();
    if (text.trim() === "") return;
    const number = numberText(text);
    if (number === null) return this.#set(column, text, cellKind.text);
    const time = parts === null ? null : serialText(Number(number), parts, this.#context.is1904);
    if (time === null) this.#set(column, number, cellKind.number);
    else this.#set(column, time, cellKind.time);
  }
}

/** A number that stands as the shortest text that it has: up to 15 digits, no exponent. */
function isShort(bytes: Uint8Array): boolean {
  const { length } = bytes;
  const from = bytes[0] === MINUS ? 1 : 0;
  if (length > 15 || length === from) return false;
  let points = 0;
  for (let i = from; i < length; i++) {
    const byte = bytes[i];
    if (byte === POINT && i > from && i < length - 1) points++;
    else if (byte < ZERO || byte > NINE) return false;
  }
  return points <= 1 && (bytes[from] !== ZERO || length === from + 1 || bytes[from + 1] === POINT);
}

/** The column of a reference like `BC12`, from 0. */
function columnOf(bytes: Uint8Array, from: number, to: number): number | null {
  let column = 0;
  let i = from;
  for (; i < to; i++) {
    const letter = bytes[i] & 0xdf;
    if (letter < 65 || letter > 90) break;
    column = column * 26 + letter - 64;
    if (column > columnsMax) return column - 1;
  }
  return i === from ? null : column - 1;
}

/** A whole number that a double has. */
function isDigits(bytes: Uint8Array): boolean {
  if (bytes.length === 0 || bytes.length > 15) return false;
  for (let i = 0; i < bytes.length; i++) if (bytes[i] < ZERO || bytes[i] > NINE) return false;
  return true;
}

function integerOf(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = value * 10 + bytes[i] - ZERO;
  return value;
}

/** Names of types that are used most are no new strings. */
function typeOf(bytes: Uint8Array, from: number, to: number): string {
  if (to - from === 1 && bytes[from] === 115) return "s";
  return String.fromCharCode(...bytes.subarray(from, Math.min(to, from + 16)));
}

function hasEntity(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] === 38) return true;
  return false;
}

function isoTime(text: string): string {
  return text.trim().replace(/^(\d{4}-\d{2}-\d{2})T/, "$1 ").replace(/ 00:00:00(?:\.0+)?$/, "");
}
