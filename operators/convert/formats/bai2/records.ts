/** @module Logical records of BAI2: a line and the lines, of type 88, that continue it. */
import { AppError } from "../../../../src/model/errors.ts";
import type { Line } from "../lines.ts";

/** One record. */
export interface Bai2Record {
  type: string;
  /** Behind the type; for 16 the text is in the last one, with its commas and slashes. */
  fields: string[];
  /** Physical lines of it: control records count these. */
  lines: number;
  offset: number;
  bytes: number;
  raw: string;
}

/** The records of these lines. Throws CORRUPT for a line that is none. */
export function* recordsOf(lines: Iterable<Line>, name: string): Generator<Bai2Record> {
  let parts: Line[] = [];
  for (const line of lines) {
    if (line.text.trim() === "") continue;
    if (!/^(01|02|03|16|49|88|98|99)(,|\/)/.test(line.text)) throw noRecord(name, line);
    if (line.text.startsWith("88")) {
      if (parts.length === 0) throw noRecord(name, line);
      parts.push(line);
      continue;
    }
    if (parts.length > 0) yield joined(parts);
    parts = [line];
  }
  if (parts.length > 0) yield joined(parts);
}

function joined(parts: readonly Line[]): Bai2Record {
  const type = parts[0].text.slice(0, 2);
  const isText = type === "16";
  // A line of fields ends with a slash; a text goes on without one, over its line's end.
  const bodies = parts.map(({ text }) => text.slice(3).trimEnd());
  let body = bodies[0];
  for (const next of bodies.slice(1)) {
    body = body.endsWith("/")
      ? `${body.slice(0, -1)},${next}`
      : `${body}${isText ? " " : ""}${next}`;
  }
  const last = parts.at(-1)!;
  return {
    type,
    fields: body.replace(/\/$/, "").split(","),
    lines: parts.length,
    offset: parts[0].offset,
    bytes: last.offset + last.bytes - parts[0].offset,
    raw: parts.map(({ text }) => text).join("\n"),
  };
}

function noRecord(name: string, { text, offset }: Line): AppError {
  return new AppError(
    "CORRUPT",
    `Cannot read ${name} as BAI2: at byte ${offset} is no record (01, 02, 03, 16, 49, 88, 98, 99) ` +
      `but ${JSON.stringify(text.slice(0, 60))}`,
  );
}

/** How money is available: a type, and what it takes of the fields that follow. */
export interface Funds {
  type: string | null;
  /** As JSON: value date and time, or amounts by days; null for none. */
  detail: string | null;
  /** Index of the field behind it. */
  next: number;
}

/** Read a funds type at `at`. A text: what is wrong with it. */
export function fundsAt(fields: readonly string[], at: number): Funds | string {
  const type = fields[at]?.trim() ?? "";
  if (type === "" || /^[012Z]$/.test(type)) {
    return { type: type || null, detail: null, next: at + 1 };
  }
  if (type === "V") {
    const [date, time] = fields.slice(at + 1, at + 3);
    const detail = { value_date: isoDate(date ?? ""), value_time: time || null };
    if (detail.value_date === null) return `its value date is ${JSON.stringify(date ?? "")}`;
    return { type, detail: JSON.stringify(detail), next: at + 3 };
  }
  if (type === "S") {
    const detail = JSON.stringify(fields.slice(at + 1, at + 4));
    return { type, detail, next: at + 4 };
  }
  if (type === "D") {
    const pairs = Number(fields[at + 1]);
    if (!Number.isInteger(pairs) || pairs < 0 || pairs > 99) {
      return "its funds have no count of days";
    }
    const next = at + 2 + 2 * pairs;
    if (next > fields.length) return `its funds end before ${pairs} pairs of days and amounts`;
    return { type, detail: JSON.stringify(fields.slice(at + 2, next)), next };
  }
  return `there is no funds type ${JSON.stringify(type)}`;
}

/** `260105` as `2026-01-05`; null for no day. */
export function isoDate(text: string): string | null {
  const match = text.trim().match(/^(\d{2})(\d{2})(\d{2})$/);
  if (!match) return null;
  const [year, month, day] = match.slice(1).map(Number);
  const date = new Date(Date.UTC(2000 + year, month - 1, day));
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal ? date.toISOString().slice(0, 10) : null;
}

/** Amount in units of the currency, from one in its minor units; null for no whole number. */
export function amountOf(text: string, currency: string): string | null {
  const match = text.trim().match(/^([+-]?)(\d{1,18})$/);
  if (!match) return null;
  const scale = minorDigits(currency);
  const digits = match[2].padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale).replace(/^0+(?=\d)/, "");
  const text_ = scale === 0 ? whole : `${whole}.${digits.slice(-scale)}`;
  return match[1] === "-" ? `-${text_}` : text_;
}

/** Digits of a currency's minor unit by ISO 4217. */
function minorDigits(currency: string): number {
  try {
    const format = new Intl.NumberFormat("en", { style: "currency", currency });
    return format.resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}
