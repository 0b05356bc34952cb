/** @module Columns of numbers: whole, decimal, with exponents, money, percentages. */
import { currencyCodes, currencySigns } from "./codes.ts";
import { type Found, type NumberMarks, plainReading, type TextCounts } from "./reading.ts";

/** What helps to read numbers beside their own column. */
export interface Hints {
  /** Formats of dates that the author gave: others that say day and month in digits are none. */
  formats?: readonly string[];
  /** Marks that the author gave. */
  marks?: Partial<NumberMarks>;
  /** Between the columns of the file: with a comma there, a comma in a number parts thousands. */
  delimiter?: string;
}

const plainNumber = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/;
const phoneLike = /^\+\d{7,}$/;

/** What a column of numbers is; null when a text is none. */
export function findNumbers(texts: TextCounts, hints: Hints): Found | null {
  if (hints.marks?.decimalMark !== ",") {
    const plain = plainNumbers(texts);
    if (plain) return plain;
  }
  return markedNumbers(texts, hints);
}

function plainNumbers(texts: TextCounts): Found | null {
  const figures = new Figures();
  for (const text of texts.keys()) {
    const trimmed = text.trim();
    if (!plainNumber.test(trimmed) || phoneLike.test(trimmed)) return null;
    figures.add(trimmed);
  }
  const type = figures.type();
  return type === null ? null : { type, reading: plainReading, certainty: 1 };
}

/** Digits that a column's type must hold. */
class Figures {
  #whole = 0;
  #fraction = 0;
  #hasExponents = false;
  #fitsDouble = true;

  add(number: string): void {
    const match = number.match(/^[+-]?(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/)!;
    const [, whole, fraction = "", exponent] = match;
    const power = Number(exponent ?? 0);
    if (exponent !== undefined) this.#hasExponents = true;
    this.#whole = Math.max(this.#whole, whole.length + power, 1);
    this.#fraction = Math.max(this.#fraction, fraction.length - power);
    const digits = (whole + fraction).replace(/^0+|0+$/g, "");
    if (digits.length > 15 && digits !== shortestDigits(Number(number))) this.#fitsDouble = false;
    if (!Number.isFinite(Number(number))) this.#fitsDouble = false;
  }

  type(): string | null {
    const digits = this.#whole + this.#fraction;
    if (this.#hasExponents) {
      if (this.#fitsDouble) return "DOUBLE";
      return digits <= 38 ? `DECIMAL(38,${this.#fraction})` : null;
    }
    if (this.#fraction === 0 && this.#whole <= 18) return "BIGINT";
    if (digits > 38) return null;
    return `DECIMAL(${digits <= 18 ? 18 : 38},${this.#fraction})`;
  }
}

function shortestDigits(value: number): string {
  return Math.abs(value).toExponential().replace(/e.*$/, "").replace(".", "")
    .replace(/^0+|0+$/g, "");
}

const unitText = [...currencySigns, ...currencyCodes]
  .sort((a, b) => b.length - a.length)
  .map((sign) => sign.replace(/[$.]/g, "\\$&")).join("|");
const minus = "[-\\u2212\\u2013]";
const marked = new RegExp(
  `^(?:(${unitText})?\\s*(\\())?\\s*([+]|${minus})?\\s*(${unitText})?\\s*(${minus})?\\s*` +
    `(\\d[\\d.,'’ \\u00a0\\u202f]*|[.,]\\d+)(?<! )\\s*(${unitText}|%)?\\s*(-)?(\\))?$`,
);

/** Marks in the order of how usual they are. */
const allMarks: readonly NumberMarks[] = [
  { decimalMark: ".", thousandsMark: "" },
  { decimalMark: ".", thousandsMark: "," },
  { decimalMark: ",", thousandsMark: "" },
  { decimalMark: ",", thousandsMark: "." },
  { decimalMark: ".", thousandsMark: " " },
  { decimalMark: ",", thousandsMark: " " },
  { decimalMark: ".", thousandsMark: "'" },
  { decimalMark: ",", thousandsMark: "'" },
];

/** The body of a number under some marks, as a pattern. Groups of two are India's. */
export function bodyPattern({ decimalMark, thousandsMark }: NumberMarks): string {
  const point = decimalMark === "." ? "\\." : ",";
  const group = thousandsMark === " "
    ? "[ \\x{a0}\\x{202f}]"
    : thousandsMark === "'"
    ? "['\\x{2019}]"
    : thousandsMark === "."
    ? "\\."
    : ",";
  const grouped = `|[1-9]\\d{0,2}(?:${group}\\d{3})+` +
    (thousandsMark === "," ? "|[1-9]\\d?(?:,\\d{2})+,\\d{3}" : "");
  return `(?:(?:0|[1-9]\\d*${thousandsMark === "" ? "" : grouped})(?:${point}\\d*)?|${point}\\d+)`;
}

const bodies = allMarks.map((marks) =>
  new RegExp(`^${bodyPattern(marks).replace(/\\x\{(\w+)\}/g, "\\u{$1}")}$`, "u")
);

interface MarkedNumber {
  body: string;
  unit: string;
}

function markedNumber(text: string): MarkedNumber | null {
  const match = text.trim().match(marked);
  if (!match) return null;
  const [, outer, open, sign, next, inner, body, after, trailing, close] = match;
  if (outer !== undefined && next !== undefined) return null;
  const before = outer ?? next;
  if ((open === undefined) !== (close === undefined)) return null;
  const signs = [open, sign, inner, trailing].filter((one) => one !== undefined).length;
  if (signs > 1 || (before !== undefined && after !== undefined)) return null;
  if (sign === "+" && phoneLike.test(text.trim())) return null;
  return { body, unit: before ?? after ?? "" };
}

function markedNumbers(texts: TextCounts, hints: Hints): Found | null {
  const numbers: MarkedNumber[] = [];
  for (const text of texts.keys()) {
    const number = markedNumber(text);
    if (!number) return null;
    numbers.push(number);
  }
  const units = [...new Set(numbers.map(({ unit }) => unit))].filter((unit) => unit !== "");
  const fits = fittingMarks(numbers, hints);
  if (fits.length === 0) return null;
  if (units.length > 1) {
    return refused(`numbers in several units: ${units.slice(0, 5).join(", ")}`);
  }
  const chosen = chooseMarks(fits, numbers, hints);
  if (chosen === null) {
    return refused("1,234 may be a thousand or one and a fraction: say decimalMark");
  }
  const figures = new Figures();
  for (const { body } of numbers) figures.add(plainBody(body, chosen.marks));
  const type = figures.type();
  if (type === null) return null;
  return {
    type,
    reading: { kind: "number", marks: chosen.marks, units },
    certainty: chosen.certainty,
    ...(units.length === 1 ? { unit: units[0] } : {}),
  };
}

function refused(note: string): Found {
  return { type: "VARCHAR", reading: plainReading, certainty: 0.5, notes: [note] };
}

function fittingMarks(numbers: readonly MarkedNumber[], { marks }: Hints): NumberMarks[] {
  return allMarks.filter((candidate, i) =>
    (marks?.decimalMark === undefined || candidate.decimalMark === marks.decimalMark) &&
    (marks?.thousandsMark === undefined || candidate.thousandsMark === marks.thousandsMark) &&
    numbers.every(({ body }) => bodies[i].test(body))
  );
}

function chooseMarks(
  fits: readonly NumberMarks[],
  numbers: readonly MarkedNumber[],
  { delimiter }: Hints,
): { marks: NumberMarks; certainty: number } | null {
  const [first] = fits;
  const rival = fits.find(({ decimalMark }) => decimalMark !== first.decimalMark);
  const hasComma = numbers.some(({ body }) => body.includes(","));
  if (!rival || !hasComma || first.thousandsMark !== ",") return { marks: first, certainty: 1 };
  // Each comma may part thousands or be the decimal mark. Smaller numbers without one say thousands.
  const bare = numbers.filter(({ body }) => /^\d{1,3}$/.test(body)).length;
  const isMissed = numbers.some(({ body }) => /^\d{4,}$/.test(body));
  if (bare > 0 && !isMissed) return { marks: first, certainty: 0.9 };
  return delimiter === "," ? { marks: first, certainty: 0.8 } : null;
}

function plainBody(body: string, { decimalMark, thousandsMark }: NumberMarks): string {
  const joined = thousandsMark === "" ? body : body.split(groupSign(thousandsMark)).join("");
  return decimalMark === "," ? joined.replace(",", ".") : joined;
}

function groupSign(mark: NumberMarks["thousandsMark"]): string | RegExp {
  return mark === " " ? /[ \u00a0\u202f]/ : mark === "'" ? /['’]/ : mark;
}

/** A whole text in SQL's regular expressions, for numbers in these marks and units. */
export function numberPattern(marks: NumberMarks, units: readonly string[]): string {
  const unit = units.length === 0
    ? ""
    : `(?:${units.map((sign) => sign.replace(/[$.%]/g, "\\$&")).join("|")})?`;
  const sign = "[-+\\x{2212}\\x{2013}]?";
  const body = bodyPattern(marks);
  return `\\s*(?:${sign}\\s*${unit}\\s*${sign}\\s*${body}\\s*${unit}\\s*-?` +
    `|${unit}\\s*\\(\\s*${unit}\\s*${body}\\s*${unit}\\s*\\))\\s*`;
}
