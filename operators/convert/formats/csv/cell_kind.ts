/** @module What a cell's text looks like: what dialects, headers and ragged records are judged by. */

/** Kinds from the most telling to the least. */
export type CellKind =
  | "empty"
  | "integer"
  | "number"
  | "money"
  | "percent"
  | "date"
  | "time"
  | "stamp"
  | "boolean"
  | "url"
  | "email"
  | "uuid"
  | "code"
  | "text"
  | "odd";

const month = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?";
const day = "(?:\\d{4}([-/.])\\d{1,2}\\1\\d{1,2}|\\d{1,2}([-/.])\\d{1,2}\\2(?:\\d{4}|\\d{2})|" +
  `\\d{1,2}[- ]${month}[- ,]*\\d{2,4}|${month} \\d{1,2},? \\d{4}|\\d{4}-\\d{2}|${month}[- ]\\d{2,4})`;
const clock = "\\d{1,2}:\\d{2}(?::\\d{2}(?:[.,]\\d{1,9})?)?(?: ?[ap]m)?";
const zone = "(?: ?(?:Z|UTC|GMT|[+-]\\d{2}:?\\d{2}))?";
const sign = "[€$£¥₹₽]|(?:USD|EUR|GBP|JPY|CHF|CAD|AUD)";

const integer = /^[+-]?\d+$/;
const number =
  /^[+-]?(?:\d+[.,]?\d*|[.,]\d+|\d{1,3}(?:[.,' \u00a0]\d{3})+(?:[.,]\d+)?)(?:[eE][+-]?\d+)?$/;
const accounting = /^\((?:\d[\d.,]*)\)$/;
const money = new RegExp(
  `^[+-]?(?:${sign}) ?[+-]?\\d[\\d.,' ]*$|^[+-]?\\d[\\d.,' ]* ?(?:${sign})$`,
);
const percent = /^[+-]?\d+(?:[.,]\d+)? ?%$/;
const date = new RegExp(`^${day}$`, "i");
const time = new RegExp(`^${clock}$`, "i");
const stamp = new RegExp(`^${day}[T ,]+${clock}${zone}$`, "i");
const boolean = /^(?:true|false|yes|no|y|n|t|f)$/i;
const url = /^(?:https?|s?ftp|mailto|file):\S+$|^www\.\S+$/i;
const email = /^[^\s@,;|]+@[^\s@,;|]+\.[^\s@,;|]+$/;
const uuid = /^\{?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\}?$/i;
const code = /^[\p{L}\p{N}_][\p{L}\p{N}_.:+*/&#()'-]{0,60}$/u;
const text = /^[\p{L}\p{N}\p{P}\p{S}\p{Zs}\n\r\u200b]+$/u;

/** The kind of a text; white space around it does not count. */
export function cellKind(cell: string): CellKind {
  const x = cell.trim();
  if (x === "") return "empty";
  if (x.length > 400) return "text";
  const first = x.charCodeAt(0);
  // Figures begin with a digit or a sign, and most cells are figures or words.
  if (first < 65 || first > 122) {
    if (integer.test(x)) return "integer";
    if (number.test(x) || accounting.test(x)) return "number";
    if (time.test(x)) return "time";
    if (percent.test(x)) return "percent";
  }
  if (date.test(x)) return "date";
  if (stamp.test(x)) return "stamp";
  if (money.test(x)) return "money";
  if (boolean.test(x)) return "boolean";
  if (url.test(x)) return "url";
  if (email.test(x)) return "email";
  if (uuid.test(x)) return "uuid";
  if (code.test(x)) return "code";
  return text.test(x) ? "text" : "odd";
}

const figures: ReadonlySet<CellKind> = new Set(
  ["integer", "number", "money", "percent", "date", "time", "stamp", "uuid"] as const,
);

/** Is it a kind that no name of a column is of? */
export function isFigure(kind: CellKind): boolean {
  return figures.has(kind);
}

/** Could a column of `kind` hold this text as well? */
export function fits(cell: string, kind: CellKind): boolean {
  const own = cellKind(cell);
  if (own === kind) return true;
  switch (kind) {
    case "number":
    case "money":
    case "percent":
      return own === "integer" || own === "number";
    case "integer":
    case "date":
    case "time":
    case "stamp":
    case "uuid":
    case "url":
    case "email":
    case "boolean":
      return false;
    case "code":
      return own === "integer" || own === "boolean" || own === "number";
    default:
      return true;
  }
}
