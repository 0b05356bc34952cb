/** @module Values inside of SWIFT MT fields: dates, amounts, balances, statement lines. */

/** An amount without its sign, as plain decimal text: `1234,5` is `1234.5`. Null for another text. */
export function amountOf(text: string): string | null {
  const match = text.match(/^(\d{1,15})(?:,(\d*))?$/);
  if (!match || match[0].length > 16) return null;
  const whole = match[1].replace(/^0+(?=\d)/, "");
  return match[2] ? `${whole}.${match[2]}` : whole;
}

/** Days since 1970-01-01 of `YYMMDD`; years from 80 are those of the last century. Null for no date. */
export function dateOf(text: string): number | null {
  const match = text.match(/^(\d{2})(\d{2})(\d{2})$/);
  if (!match) return null;
  const [year, month, day] = match.slice(1).map(Number);
  return daysOf(year + (year < 80 ? 2000 : 1900), month, day);
}

/** The booking day, `MMDD`, that is nearest to the value day. */
export function entryDateOf(text: string, valueDay: number): number | null {
  const [month, day] = [Number(text.slice(0, 2)), Number(text.slice(2, 4))];
  const year = new Date(valueDay * 86_400_000).getUTCFullYear();
  const days = [year - 1, year, year + 1].map((each) => daysOf(each, month, day))
    .filter((each) => each !== null);
  if (days.length === 0) return null;
  return days.reduce((a, b) => Math.abs(b - valueDay) < Math.abs(a - valueDay) ? b : a);
}

function daysOf(year: number, month: number, day: number): number | null {
  const date = new Date(Date.UTC(year, month - 1, day));
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return isReal ? date.getTime() / 86_400_000 : null;
}

/** A balance of fields 60, 62, 64 and 65. */
export interface Balance {
  /** Signed: a debit is negative. */
  amount: string;
  currency: string;
  /** Days since 1970-01-01. */
  date: number;
}

/** Read `C240312USD17376,67`. Null for another text. */
export function balanceOf(text: string): Balance | null {
  const match = text.trim().match(/^(C|D)(\d{6})([A-Z]{3})([\d,]+)$/);
  if (!match) return null;
  const [, mark, day, currency, digits] = match;
  const date = dateOf(day);
  const amount = amountOf(digits);
  if (date === null || amount === null) return null;
  return { amount: signed(amount, mark === "D"), currency, date };
}

/** A statement line, field 61. */
export interface Entry {
  valueDate: number;
  entryDate: number | null;
  mark: string;
  fundsCode: string | null;
  /** Signed: what leaves the account is negative. */
  amount: string;
  transactionType: string | null;
  customerReference: string | null;
  bankReference: string | null;
  details: string | null;
}

const ENTRY = new RegExp(
  "^(\\d{6})(\\d{4}|\\s{4})?(R[CD]|E[CD]|[CD])([A-Z])?[ \\n]?([\\d,]{1,16})" +
    "([A-Z][A-Z0-9 ]{3})?((?:(?!//)[^\\n])*)(?://([^\\n]*))?(?:\\n(.*))?$",
  "s",
);

/** Read field 61. A text: what is wrong with it. */
export function entryOf(text: string): Entry | string {
  const match = text.trimEnd().match(ENTRY);
  if (!match) {
    return "it is not a value date, a mark (C, D, RC, RD), an amount and a transaction type";
  }
  const [, value, entry, mark, fundsCode, digits, type, customer, bank, details] = match;
  const valueDate = dateOf(value);
  if (valueDate === null) return `its value date ${value} is no day`;
  const isDated = entry !== undefined && entry.trim() !== "";
  const entryDate = isDated ? entryDateOf(entry, valueDate) : null;
  if (isDated && entryDate === null) return `its entry date ${entry} is no day`;
  const amount = amountOf(digits);
  if (amount === null) return `its amount ${digits} is no number`;
  return {
    valueDate,
    entryDate,
    mark,
    fundsCode: fundsCode ?? null,
    // A reversal of a credit leaves the account, one of a debit comes back to it.
    amount: signed(amount, mark === "D" || mark === "RC" || mark === "ED"),
    transactionType: type ?? null,
    customerReference: orNull(customer),
    bankReference: orNull(bank),
    details: orNull(details),
  };
}

/** `/TAG/text` and `?20text` as a JSON object; null for texts without such parts. */
export function partsOf(text: string): string | null {
  const marked = text.replaceAll("\n", "").match(/^(\d{3})\?(?=\d{2})/);
  const parts: Record<string, string> = Object.create(null);
  if (marked) {
    parts.code = marked[1];
    for (const part of text.replaceAll("\n", "").slice(4).split("?")) {
      const [id, value] = [part.slice(0, 2), part.slice(2)];
      parts[id] = (parts[id] ?? "") + value;
    }
    return JSON.stringify(parts);
  }
  const tagged = [
    ...text.matchAll(/(?:^|\n|(?<=\S )|(?<=.))\/([A-Z]{2,8})\/((?:(?!\/[A-Z]{2,8}\/).)*)/gs),
  ];
  if (!text.startsWith("/") || tagged.length === 0) return null;
  for (const [, id, value] of tagged) parts[id] = (parts[id] ?? "") + value.replaceAll("\n", "");
  return JSON.stringify(parts);
}

/** Sum of signed decimal texts, exactly; null when the digits are too many to matter. */
export function sumOf(amounts: readonly string[]): string {
  const scale = Math.max(0, ...amounts.map((text) => text.split(".")[1]?.length ?? 0));
  const total = amounts.reduce((sum, text) => sum + unscaled(text, scale), 0n);
  return textOf(total, scale);
}

function unscaled(text: string, scale: number): bigint {
  const [whole, fraction = ""] = text.replace("-", "").split(".");
  const value = BigInt(whole + fraction.padEnd(scale, "0"));
  return text.startsWith("-") ? -value : value;
}

function textOf(value: bigint, scale: number): string {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, "0");
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
  return value < 0n ? `-${text}` : text;
}

/** Are two decimal texts the same number? */
export function equalAmounts(a: string, b: string): boolean {
  const difference = sumOf([a, b.startsWith("-") ? b.slice(1) : `-${b}`]);
  return /^-?0*\.?0*$/.test(difference);
}

function signed(amount: string, isNegative: boolean): string {
  return isNegative && !/^0*\.?0*$/.test(amount) ? `-${amount}` : amount;
}

function orNull(text: string | undefined): string | null {
  return text === undefined || text.trim() === "" ? null : text;
}
