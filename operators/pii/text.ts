/**
 * @module Personal data in a text: numbers with their checks, addresses of machines and mail, and
 * what only the words beside it make one.
 */
import {
  isCardNumber,
  isFigi,
  isIban,
  isIsin,
  isLei,
  isLuhn,
} from "../convert/inference/check_digits.ts";
import type { PiiClass, PiiSpan } from "./classes.ts";
import { findAddresses, findNames } from "./names_in_text.ts";
import { nationalIds } from "./national_ids.ts";

interface Rule {
  rule: string;
  kind: PiiClass;
  pattern: RegExp;
  /** 0: it is none. */
  score(match: string, text: string, at: number): number;
  /** Words near it that make it surer by {@link CONTEXT_SCORE}. */
  words?: RegExp;
}

/** Spans that are less sure are none. */
const SCORE_MIN = 0.4;
const CONTEXT_SCORE = 0.5;
/** What only looks like a name or an address must be surer. */
const SURE = 0.5;
/** How far before and behind a candidate words are looked for. */
const BEFORE_CHARS = 60;
const AFTER_CHARS = 12;

const octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const phoneWords =
  /\b(?:phone|telephone|tel|mobile|cell|fax|call|calling|rang|rings?|dial(?:led|ed)?|voicemail|desk|sms|text(?:ing)?|messages? to|message on|whatsapp|contact|reach|answering at|hotline|handy|telefon|t[ée]l[ée]phone|m[óo]vil|portable)\b/i;
const notPhone =
  /\b(?:order|invoice|amount|total|price|isin|cusip|ssn|security number|licen[cs]e|account|acct|iban|card|zip|postal|ticket|case|ref(?:erence)?|serial|volume|qty|id)\b[^.?!\n]{0,12}$/i;

const rules: readonly Rule[] = [
  {
    rule: "email",
    kind: "email",
    pattern:
      /(?<![\p{L}\p{N}_.+-])[\p{L}\p{N}_!#$%&'*+/=?^`{|}~-]+(?:\.[\p{L}\p{N}_!#$%&'*+/=?^`{|}~-]+)*@(?:[\p{L}\d](?:[\p{L}\d-]*[\p{L}\d])?\.)+\p{L}{2,}/gu,
    score: () => 0.95,
  },
  {
    rule: "url",
    kind: "url",
    pattern: /(?:\b(?:https?|ftp):\/\/|(?<![\w@.-])www\.)[^\s<>"'(),]+[^\s<>"'(),.;:!?]/gi,
    score: () => 0.9,
  },
  {
    rule: "ipv4",
    kind: "ip",
    pattern: new RegExp(`(?<![\\w.])${octet}(?:\\.${octet}){3}(?![\\w]|\\.\\d)`, "g"),
    score: (match, text, at) =>
      match === "0.0.0.0" || /\bv(?:er(?:sion)?)?[.: ]{0,3}$/i.test(text.slice(0, at)) ? 0 : 0.7,
  },
  {
    rule: "ipv6",
    kind: "ip",
    pattern: /(?<![\w:])(?:[\da-f]{0,4}:){2,7}[\da-f]{0,4}(?![\w:])/gi,
    score: (match) => isIpv6(match) ? 0.8 : 0,
  },
  {
    rule: "iban",
    kind: "iban",
    pattern: /(?<![A-Z\d])[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){2,7}(?: ?[A-Z\d]{1,3})?(?![A-Z\d])/gi,
    score: (match) => isIban(match) ? 0.98 : 0,
  },
  {
    rule: "card",
    kind: "card",
    pattern: /(?<![\w.,-])\d(?:[ -]?\d){11,18}(?![\w-]|[.,]\d)/g,
    // Of unknown issuers, or twelve digits: with a word beside it only.
    score: (match) => {
      const digits = match.replace(/\D/g, "");
      if (!isLuhn(digits)) return 0;
      return isCardNumber(digits) && digits.length > 12 ? 0.7 : 0.2;
    },
    words:
      /\b(?:card|charged?|declined|billed|credit|debit|visa|mastercard|amex|maestro|diners|discover|jcb|cc|pan|kreditkarte)\b/i,
  },
  ...nationalIds.map(({ rule, kind, pattern, test, score, words }): Rule => ({
    rule,
    kind,
    pattern,
    score: (match) => test === undefined || test(match) ? score : 0,
    words,
  })),
  {
    rule: "phone",
    kind: "phone",
    pattern:
      /(?<![\w.,/#$€£-])(?:\+|00)?\(?\d{1,4}\)?(?:[ .\-/]?\(?\d{1,4}\)?){1,6}(?: ?(?:x|ext\.?) ?\d{1,6})?(?![\w%]|[.,:/-]\d)/gi,
    score: phoneScore,
    words: phoneWords,
  },
  {
    rule: "age",
    kind: "age",
    pattern:
      /(?<![\w.-])(?:[1-9]|[1-9]\d|1[01]\d)(?=(?:[ -]years?[ -]old|[ -]y\/?o\b| years? of age))/gi,
    score: () => 0.8,
  },
  {
    rule: "age",
    kind: "age",
    pattern: /(?<=\b(?:aged?|just turned|when (?:he|she) was|turned) )\d{1,3}(?![\w/-]|[.,]\d)/gi,
    score: () => 0.7,
  },
  {
    rule: "birth_date",
    kind: "birth_date",
    pattern:
      /(?<=\b(?:born(?: on)?|birth(?:day|date)?|date of birth|dob|d\.o\.b\.?)[ :,]{1,4}(?:is |was )?)(?:\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}\.? \p{L}{3,9} \d{4}|\p{L}{3,9} \d{1,2}, \d{4})/giu,
    score: () => 0.85,
  },
  {
    rule: "postcode",
    kind: "postcode",
    pattern:
      /(?<=\b(?:zip|zip code|postcode|postal code|plz)[ :]{1,3}(?:is )?)(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|\d{3,6}(?:[ -]?(?:\d{2,4}|[A-Z]{2}))?)(?!\w)/gi,
    score: () => 0.8,
  },
  {
    rule: "account",
    kind: "account",
    pattern:
      /(?<=\b(?:account|acct|a\/c)(?: (?:number|no\.?|#))?[ :#]{1,3}(?:is )?)\d{6,17}(?!\w)/gi,
    score: () => 0.6,
  },
];

/** Spans of personal data, in their order, none over another. */
export function findPii(text: string): PiiSpan[] {
  if (text.length < 2) return [];
  const found: PiiSpan[] = [];
  for (const { rule, kind, pattern, score, words } of rules) {
    for (const match of text.matchAll(pattern)) {
      const start = match.index;
      const end = start + match[0].length;
      const own = score(match[0], text, start);
      if (own === 0) continue;
      const near = words !== undefined && words.test(around(text, start, end));
      const sure = Math.min(0.99, own + (near ? CONTEXT_SCORE : 0));
      if (sure >= SCORE_MIN) found.push({ kind, start, end, score: sure, rule });
    }
  }
  found.push(...[...findNames(text), ...findAddresses(text)].filter(({ score }) => score >= SURE));
  return withoutOverlaps(found.filter((span) => !isSecurityCode(text.slice(span.start, span.end))));
}

/** The best span of those that overlap; of equal ones the longer. */
export function withoutOverlaps(spans: readonly PiiSpan[]): PiiSpan[] {
  const kept: PiiSpan[] = [];
  const ranked = [...spans].sort((a, b) =>
    b.score - a.score || (b.end - b.start) - (a.end - a.start)
  );
  for (const span of ranked) {
    if (kept.every(({ start, end }) => span.end <= start || span.start >= end)) kept.push(span);
  }
  return kept.sort((a, b) => a.start - b.start);
}

function around(text: string, start: number, end: number): string {
  const before = text.slice(Math.max(0, start - BEFORE_CHARS), start);
  return `${before} ${text.slice(end, end + AFTER_CHARS)}`;
}

/** Codes of securities and parties are public. */
function isSecurityCode(text: string): boolean {
  return isIsin(text) || isLei(text) || isFigi(text);
}

function isIpv6(text: string): boolean {
  const groups = text.split(":");
  const empty = text.includes("::");
  if (text.split("::").length > 2 || (!empty && groups.length !== 8)) return false;
  return groups.length <= 8 && groups.filter((group) => group !== "").length >= 3;
}

const grouped: readonly [RegExp, number][] = [
  [/^(?:\+|00)[1-9][\d() .\-/]{8,}/, 0.6],
  [/^\(\d{2,4}\) ?\d{3,4}[ .-]?\d{3,4}/, 0.6],
  [/^\d{3}[-.]\d{3}[-.]\d{4}(?: ?x|$| ?ext)/i, 0.6],
  [/^0\d{1,4}[ .-]\d{2,4}(?:[ .-]\d{2,4}){1,3}$/, 0.45],
  [/^0\d{2,4}[ -]\d{6,8}$/, 0.4],
  [/^\d{2}(?:[-.]\d{2}){3}$/, 0.4],
  [/^\d{2,3} \d{2,3} \d{2,3}(?: \d{2,3})?$/, 0.25],
  [/^\d{3,4} \d{4}$/, 0.2],
  [/^\d{2} \d{6,7}$/, 0.2],
];

function phoneScore(match: string, text: string, at: number): number {
  const digits = match.replace(/(?:x|ext).*$/i, "").replace(/\D/g, "").length;
  if (digits < 7 || digits > 15) return 0;
  if ((match.match(/\(/g)?.length ?? 0) !== (match.match(/\)/g)?.length ?? 0)) return 0;
  if (/^(?:19|20)\d\d[-/. ]\d{1,2}[-/. ]\d{1,2}/.test(match)) return 0;
  if (/^\d{1,2}[-/. ]\d{1,2}[-/. ](?:19|20)\d\d/.test(match)) return 0;
  const before = text.slice(Math.max(0, at - 40), at);
  if (notPhone.test(before)) return 0;
  const form = grouped.find(([pattern]) => pattern.test(match));
  if (form) return form[1];
  return /^\d+\.\d+$/.test(match) ? 0 : 0.05;
}
