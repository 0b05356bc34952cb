/** @module Dates and amounts of OFX. */

/** A value that is none. */
export class OfxValueError extends Error {}

/**
 * `20260102120000.123[-5:EST]` as `2026-01-02T12:00:00.123-05:00`; without a zone none is made up, and
 * a date alone stays one.
 */
export function dateOf(text: string | null): string | null {
  if (text === null) return null;
  const match =
    /^(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})(?:(\d{2})(\.\d{1,9})?)?)?\s*(?:\[([+-]?\d{1,2})(?:[.:](\d{1,2}))?(?::[^\]]*)?\])?$/
      .exec(text.trim());
  if (!match) throw new OfxValueError(`${JSON.stringify(text)} is no date of OFX`);
  const [, year, month, day, hour, minute, second = "00", fraction = "", zone, part] = match;
  const date = `${year}-${month}-${day}`;
  const isDate = !Number.isNaN(Date.parse(`${date}T00:00:00Z`)) &&
    new Date(`${date}T00:00:00Z`).getUTCDate() === Number(day);
  const isTime = hour === undefined ||
    (Number(hour) < 24 && Number(minute) < 60 && Number(second) < 61);
  if (!isDate || !isTime) throw new OfxValueError(`${JSON.stringify(text)} is no date of OFX`);
  if (hour === undefined) return date;
  return `${date}T${hour}:${minute}:${second}${fraction}${offsetOf(zone, part)}`;
}

/** `-5`, or `-3.30` for half an hour more. */
function offsetOf(hours: string | undefined, minutes = "0"): string {
  if (hours === undefined) return "";
  const sign = hours.startsWith("-") ? "-" : "+";
  const whole = hours.replace(/[+-]/, "").padStart(2, "0");
  return `${sign}${whole}:${minutes.padEnd(2, "0")}`;
}

/** An amount with a point, whichever mark it has. */
export function amountOf(text: string | null): string | null {
  if (text === null) return null;
  const plain = text.trim().replace(/^\+/, "");
  if (!/^-?(\d+([.,]\d*)?|[.,]\d+)$/.test(plain)) {
    throw new OfxValueError(`${JSON.stringify(text)} is no amount of OFX`);
  }
  return plain.replace(",", ".").replace(/^(-?)\./, "$10.").replace(/\.$/, "");
}
