/** @module Codes that carry their own proof: check digits of securities, parties, accounts, cards. */
import { countryCodes, currencyCodes } from "./codes.ts";

const countries: ReadonlySet<string> = new Set(countryCodes);
const currencies: ReadonlySet<string> = new Set(currencyCodes);

/** 0-9 as they are, A-Z as 10-35. */
function valueOf(sign: string): number {
  return parseInt(sign, 36);
}

/** Luhn's sum over digits, from the right, every second one doubled. */
export function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    let digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    if (i % 2 === 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 === 0;
}

/** The number that letters and digits spell, modulo 97 (ISO 7064). */
function modulo97(text: string): number {
  let rest = 0;
  for (const sign of text) {
    const value = valueOf(sign);
    rest = (value > 9 ? rest * 100 + value : rest * 10 + value) % 97;
  }
  return rest;
}

/** ISO 6166: a country, nine signs, a check digit. */
export function isIsin(text: string): boolean {
  if (!/^[A-Z]{2}[A-Z\d]{9}\d$/.test(text) || !countries.has(text.slice(0, 2))) return false;
  return isLuhn([...text].map(valueOf).join(""));
}

/** Nine signs of CUSIP, the last one a check digit. */
export function isCusip(text: string): boolean {
  if (!/^[\dA-Z*@#]{8}\d$/.test(text)) return false;
  let sum = 0;
  for (let i = 0; i < 8; i++) {
    const special = "*@#".indexOf(text[i]);
    let value = special >= 0 ? 36 + special : valueOf(text[i]);
    if (i % 2 === 1) value *= 2;
    sum += Math.floor(value / 10) + value % 10;
  }
  return (10 - sum % 10) % 10 === Number(text[8]);
}

/** Seven signs of the London exchange without vowels, the last one a check digit. */
export function isSedol(text: string): boolean {
  if (!/^[\dB-DF-HJ-NP-TV-Z]{6}\d$/.test(text)) return false;
  const weights = [1, 3, 1, 7, 3, 9];
  const sum = weights.reduce((total, weight, i) => total + weight * valueOf(text[i]), 0);
  return (10 - sum % 10) % 10 === Number(text[6]);
}

/** Twelve signs of FIGI: two consonants, G, eight signs, a check digit. */
export function isFigi(text: string): boolean {
  if (!/^[B-DF-HJ-NP-TV-Z]{2}G[\dB-DF-HJ-NP-TV-Z]{8}\d$/.test(text)) return false;
  if (/^(?:BS|BM|GG|GB|GH|KY|VG)/.test(text)) return false;
  let sum = 0;
  for (let i = 0; i < 11; i++) {
    const value = valueOf(text[i]) * (i % 2 === 1 ? 2 : 1);
    sum += Math.floor(value / 10) + value % 10;
  }
  return (10 - sum % 10) % 10 === Number(text[11]);
}

/** ISO 17442: eighteen signs and two check digits. */
export function isLei(text: string): boolean {
  return /^[A-Z\d]{18}\d{2}$/.test(text) && modulo97(text) === 1;
}

/** Lengths by country (ISO 13616); others are taken with 15 to 34 signs. */
// deno-fmt-ignore
const ibanLengths: Readonly<Record<string, number>> = {
  AD: 24, AE: 23, AL: 28, AT: 20, AZ: 28, BA: 20, BE: 16, BG: 22, BH: 22, BR: 29, BY: 28, CH: 21,
  CR: 22, CY: 28, CZ: 24, DE: 22, DK: 18, DO: 28, EE: 20, EG: 29, ES: 24, FI: 18, FO: 18, FR: 27,
  GB: 22, GE: 22, GI: 23, GL: 18, GR: 27, GT: 28, HR: 21, HU: 28, IE: 22, IL: 23, IQ: 23, IS: 26,
  IT: 27, JO: 30, KW: 30, KZ: 20, LB: 28, LC: 32, LI: 21, LT: 20, LU: 20, LV: 21, MC: 27, MD: 24,
  ME: 22, MK: 19, MR: 27, MT: 31, MU: 30, NL: 18, NO: 15, PK: 24, PL: 28, PS: 29, PT: 25, QA: 29,
  RO: 24, RS: 22, SA: 24, SC: 31, SE: 24, SI: 19, SK: 24, SM: 27, TN: 24, TR: 26, UA: 29, VA: 22,
  VG: 24, XK: 20,
};

/** ISO 13616, with or without spaces. */
export function isIban(text: string): boolean {
  const iban = text.replaceAll(" ", "").toUpperCase();
  if (!/^[A-Z]{2}\d{2}[A-Z\d]{11,30}$/.test(iban)) return false;
  const length = ibanLengths[iban.slice(0, 2)];
  if (length === undefined ? !countries.has(iban.slice(0, 2)) : iban.length !== length) {
    return false;
  }
  return modulo97(iban.slice(4) + iban.slice(0, 4)) === 1;
}

/** ISO 9362: four letters, a country, a place, and maybe a branch. */
export function isBic(text: string): boolean {
  return /^[A-Z]{6}[A-Z\d]{2}(?:[A-Z\d]{3})?$/.test(text) && countries.has(text.slice(4, 6));
}

/** ISO 4217. */
export function isCurrency(text: string): boolean {
  return currencies.has(text);
}

/** A payment card's number: an issuer's range, its length, and Luhn's digit. */
export function isCardNumber(text: string): boolean {
  const digits = text.replace(/[ -]/g, "");
  if (!/^\d{12,19}$/.test(digits)) return false;
  const isIssued = /^4(?:\d{12}|\d{15}|\d{18})$/.test(digits) ||
    /^(?:5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12})$/.test(digits) ||
    /^3[47]\d{13}$/.test(digits) ||
    /^3(?:0[0-59]\d{11}|[689]\d{12})(?:\d{2,5})?$/.test(digits) ||
    /^(?:6011|65\d\d|64[4-9]\d|622\d)\d{12}(?:\d{3})?$/.test(digits) ||
    /^35(?:2[89]|[3-8]\d)\d{12}(?:\d{3})?$/.test(digits) ||
    /^(?:2131|1800)\d{11}$/.test(digits) ||
    /^(?:50[0-9]{2}|5[6-8]\d\d|6[0-9]{3})\d{8,15}$/.test(digits) ||
    /^62\d{14,17}$/.test(digits);
  return isIssued && isLuhn(digits);
}
