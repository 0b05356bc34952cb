/** @module Values of cells as texts. */
import { plainDigits, plainNumber } from "../plain_number.ts";
import { type CellKind, cellKind, type CellText } from "./book.ts";
import { serialText, type TimeParts } from "./serials.ts";

/** A value and what it is. */
export interface CellValue {
  text: CellText;
  kind: CellKind;
}

/** Digits that a double tells apart from all others of as many. */
const EXACT_DIGITS = 15;

/**
 * A number as the shortest digits of the double that it stands for. Whole numbers that other programs
 * wrote with more digits than a double has keep them.
 */
export function numberText(stored: string): string | null {
  const text = stored.trim();
  if (!/^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text)) return null;
  if (/^-?\d+$/.test(text)) return text.replace(/^(-?)0+(?=\d)/, "$1");
  const digits = text.replace(/[eE].*$/, "").replace(/\D/g, "").replace(/^0+/, "");
  if (digits.length > EXACT_DIGITS) return plainNumber(Number(text));
  const plain = plainDigits(text.replace(/^\+/, "").replace(/^(-?)\./, "$10."));
  return plain.endsWith(".") ? plain.slice(0, -1) : plain;
}

/** A number of a cell: a time where its format shows one. */
export function numberValue(
  number: number,
  parts: TimeParts | null,
  is1904: boolean,
): CellValue {
  const time = parts === null ? null : serialText(number, parts, is1904);
  return time === null
    ? { text: plainNumber(number), kind: cellKind.number }
    : { text: time, kind: cellKind.time };
}

/** Names of errors by their code, in all binary workbooks. */
export const errorNames: Readonly<Record<number, string>> = {
  0x00: "#NULL!",
  0x07: "#DIV/0!",
  0x0f: "#VALUE!",
  0x17: "#REF!",
  0x1d: "#NAME?",
  0x24: "#NUM!",
  0x2a: "#N/A",
  0x2b: "#GETTING_DATA",
};

/** `_x000D_` and the like stand for signs that XML cannot hold. */
export function withSigns(text: string): string {
  if (!text.includes("_x")) return text;
  return text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
}

/** A text as the program shows it: blanks around it count only where the file says so. */
export function spacedText(text: string, space: string | null): string {
  return space === "preserve" ? text : text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
}
