/** @module Numbers that states give to people, each with its own check where it has one. */
import { isLuhn } from "../convert/inference/check_digits.ts";
import type { PiiClass } from "./classes.ts";

/** A number of one country. */
export interface NationalId {
  rule: string;
  kind: PiiClass;
  /** Finds candidates in a text; global. */
  pattern: RegExp;
  /** Is the candidate one, as far as its digits tell? */
  test?(digits: string): boolean;
  /** How sure it is without a word beside it: low where any number would do. */
  score: number;
  /** Words that stand beside it or name its column. */
  words: RegExp;
}

const bare = (text: string) => text.replace(/[^\dA-Za-z]/g, "").toUpperCase();
const digitsOf = (text: string) => [...bare(text)].map(Number);
const weighted = (digits: readonly number[], weights: readonly number[]) =>
  weights.reduce((sum, weight, i) => sum + weight * digits[i], 0);

/** Numbers by country; see {@link NationalId}. */
export const nationalIds: readonly NationalId[] = [
  {
    rule: "us_ssn",
    kind: "national_id",
    pattern: /(?<![\w-])(?!000|666|9\d\d)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])/g,
    score: 0.6,
    words: /\b(?:ssn|social security|soc sec)\b/i,
  },
  {
    rule: "us_ssn",
    kind: "national_id",
    pattern: /(?<![\w-])(?!000|666|9\d\d)\d{3}(?!00)\d{2}(?!0000)\d{4}(?![\w-])/g,
    score: 0.05,
    words: /\b(?:ssn|social security|soc sec)\b/i,
  },
  {
    rule: "us_itin",
    kind: "tax_id",
    pattern: /(?<![\w-])9\d{2}([- ])(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\1\d{4}(?![\w-])/g,
    score: 0.5,
    words: /\b(?:itin|taxpayer|tax id|tin)\b/i,
  },
  {
    rule: "uk_nino",
    kind: "national_id",
    pattern:
      /(?<!\w)(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)/gi,
    score: 0.6,
    words: /\b(?:nino|national insurance|ni (?:no|number))\b/i,
  },
  {
    rule: "uk_nhs",
    kind: "national_id",
    pattern: /(?<![\w-])\d{3}([- ]?)\d{3}\1\d{4}(?![\w-])/g,
    test: isNhs,
    score: 0.1,
    words: /\bnhs\b/i,
  },
  {
    rule: "de_tax_id",
    kind: "tax_id",
    pattern: /(?<![\w-])[1-9]\d ?\d{3} ?\d{3} ?\d{3}(?![\w-])/g,
    test: isGermanTaxId,
    score: 0.3,
    words: /\b(?:steuer-?id\w*|steuer(?:identifikations)?nummer|idnr|tin|tax id)\b/i,
  },
  {
    rule: "fr_nir",
    kind: "national_id",
    pattern:
      /(?<![\w-])[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?![\w-])/gi,
    test: isFrenchNir,
    score: 0.8,
    words: /\b(?:nir|insee|s[ée]curit[ée] sociale|num[ée]ro de s[ée]cu)\b/i,
  },
  {
    rule: "it_fiscal_code",
    kind: "national_id",
    pattern: /(?<!\w)[A-Z]{6}[\dLMNP-V]{2}[A-EHLMPR-T][\dLMNP-V]{2}[A-Z][\dLMNP-V]{3}[A-Z](?!\w)/gi,
    test: isFiscalCode,
    score: 0.9,
    words: /\b(?:codice fiscale|fiscal code|cf)\b/i,
  },
  {
    rule: "es_dni",
    kind: "national_id",
    pattern: /(?<!\w)(?:\d{8}|[XYZ]\d{7})-?[A-HJ-NP-TV-Z](?!\w)/gi,
    test: isDni,
    score: 0.6,
    words: /\b(?:dni|nif|nie|documento nacional)\b/i,
  },
  {
    rule: "nl_bsn",
    kind: "national_id",
    pattern: /(?<![\w-])\d{9}(?![\w-])/g,
    test: (text) => {
      const digits = digitsOf(text);
      return weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0 && /[1-9]/.test(text);
    },
    score: 0.05,
    words: /\b(?:bsn|burgerservicenummer|sofi)\b/i,
  },
  {
    rule: "be_national_number",
    kind: "national_id",
    pattern: /(?<!\w)\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}(?!\w)/g,
    score: 0.7,
    words: /\b(?:rijksregister\w*|registre national|national number)\b/i,
  },
  {
    rule: "pl_pesel",
    kind: "national_id",
    pattern: /(?<![\w-])\d{11}(?![\w-])/g,
    test: (text) => {
      const digits = digitsOf(text);
      const sum = weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]);
      const month = Number(text.slice(2, 4)) % 20;
      return (10 - sum % 10) % 10 === digits[10] && month >= 1 && month <= 12;
    },
    score: 0.1,
    words: /\bpesel\b/i,
  },
  {
    rule: "se_personnummer",
    kind: "national_id",
    pattern:
      /(?<![\w-])(?:19|20)?\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]|[67]\d|8\d|9[01])[-+]\d{4}(?![\w-])/g,
    test: (text) => isLuhn(bare(text).slice(-10)),
    score: 0.7,
    words: /\b(?:personnummer|personal identity)\b/i,
  },
  {
    rule: "fi_hetu",
    kind: "national_id",
    pattern: /(?<!\w)(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d{2}[-+A-FU-Y]\d{3}[\dA-Y](?!\w)/g,
    test: (text) =>
      "0123456789ABCDEFHJKLMNPRSTUVWXY"[
        Number(text.slice(0, 6) + text.slice(7, 10)) % 31
      ] === text[10],
    score: 0.8,
    words: /\b(?:hetu|henkil[öo]tunnus)\b/i,
  },
  {
    rule: "ch_ahv",
    kind: "national_id",
    pattern: /(?<![\w.])756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}(?!\w)/g,
    test: (text) => {
      const digits = digitsOf(text);
      const sum = weighted(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]);
      return (10 - sum % 10) % 10 === digits[12];
    },
    score: 0.9,
    words: /\b(?:ahv|avs)\b/i,
  },
  {
    rule: "br_cpf",
    kind: "national_id",
    pattern: /(?<!\w)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\w)/g,
    test: isCpf,
    score: 0.9,
    words: /\bcpf\b/i,
  },
  {
    rule: "ca_sin",
    kind: "national_id",
    pattern: /(?<![\w.-]|\d )[1-79]\d{2}([- ])\d{3}\1\d{3}(?![\w-]| \d)/g,
    test: (text) => isLuhn(bare(text)),
    score: 0.4,
    words: /\b(?:sin|social insurance)\b/i,
  },
  {
    rule: "in_aadhaar",
    kind: "national_id",
    pattern: /(?<![\w-])[2-9]\d{3} \d{4} \d{4}(?![\w-]| \d)/g,
    test: (text) => isVerhoeff(bare(text)),
    score: 0.5,
    words: /\b(?:aadhaar|aadhar|uidai)\b/i,
  },
  {
    rule: "in_pan",
    kind: "tax_id",
    pattern: /(?<!\w)[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z](?!\w)/g,
    score: 0.4,
    words: /\b(?:pan|permanent account)\b/i,
  },
  {
    rule: "passport",
    kind: "passport",
    pattern: /(?<![\w-])(?:[A-Z]{1,2}\d{6,8}|\d{9}|[A-Z]\d{2}[A-Z]{2}\d{4})(?![\w-])/gi,
    score: 0.02,
    words: /\bpass?port\b|\breisepass\b|\bpasaporte\b/i,
  },
  {
    rule: "driver_license",
    kind: "driver_license",
    pattern:
      /(?<![\w-])(?:[A-Z]{0,3}\d{4,14}|\d{3,4}-\d{2,3}-\d{3,4}|[A-Z]\d{3,4}(?:-\d{3,4}){2,3})(?![\w-])/gi,
    score: 0.02,
    words:
      /\b(?:driv(?:er|ing)(?:'s|s)? licen[cs]e|licen[cs]e (?:no|number)|f[üu]hrerschein|dl)\b/i,
  },
];

function isNhs(text: string): boolean {
  const digits = digitsOf(text);
  const check = 11 - weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
  return check !== 10 && check % 11 === digits[9];
}

function isGermanTaxId(text: string): boolean {
  const digits = digitsOf(text);
  const counts = new Map<number, number>();
  for (const digit of digits.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const repeated = [...counts.values()].filter((count) => count > 1);
  if (repeated.length !== 1 || repeated[0] > 3) return false;
  let product = 10;
  for (const digit of digits.slice(0, 10)) {
    const sum = (digit + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === digits[10];
}

function isFrenchNir(text: string): boolean {
  const plain = bare(text).replace("2A", "19").replace("2B", "18");
  return /^\d{15}$/.test(plain) &&
    97n - BigInt(plain.slice(0, 13)) % 97n === BigInt(plain.slice(13));
}

const oddValues = [
  1,
  0,
  5,
  7,
  9,
  13,
  15,
  17,
  19,
  21,
  2,
  4,
  18,
  20,
  11,
  3,
  6,
  8,
  12,
  14,
  16,
  10,
  22,
  25,
  24,
  23,
];

function isFiscalCode(text: string): boolean {
  const code = text.toUpperCase();
  let sum = 0;
  for (let i = 0; i < 15; i++) {
    const value = parseInt(code[i], 36);
    const index = value > 9 ? value - 10 : value;
    sum += i % 2 === 0 ? oddValues[index] : index;
  }
  return code.charCodeAt(15) - 65 === sum % 26;
}

function isDni(text: string): boolean {
  const plain = bare(text);
  const number = Number(
    "XYZ".includes(plain[0]) ? "XYZ".indexOf(plain[0]) + plain.slice(1, -1) : plain.slice(0, -1),
  );
  return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] === plain.at(-1);
}

function isCpf(text: string): boolean {
  const digits = digitsOf(text);
  if (digits.every((digit) => digit === digits[0])) return false;
  const check = (length: number) => {
    const sum = weighted(digits, Array.from({ length }, (_, i) => length + 1 - i));
    return sum * 10 % 11 % 10;
  };
  return check(9) === digits[9] && check(10) === digits[10];
}

function isVerhoeff(text: string): boolean {
  const times = (a: number, b: number): number => {
    if (a < 5 && b < 5) return (a + b) % 5;
    if (a < 5) return 5 + (a + b) % 5;
    if (b < 5) return 5 + (a - b + 5) % 5;
    return (a - b + 5) % 5;
  };
  const shift = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
  let check = 0;
  [...text].reverse().forEach((digit, i) => {
    let value = Number(digit);
    for (let k = 0; k < i % 8; k++) value = shift[value];
    check = times(check, value);
  });
  return check === 0;
}
