/** @module How likely a text is one that people write: which letters follow which, in bits. */
import model from "./encoding_model.json" with { type: "json" };

/** Bits a sign costs on average past which a text is hardly one. */
export const unlikely = 14;
/** What no language of the encoding has. */
const UNKNOWN_BITS = 17;
/** Control characters, private signs, drawings: what nobody writes into data. */
const NEVER_BITS = 24;
const SYMBOL_BITS = 9;
const UNSEEN_BITS = 5;
const OTHER_BITS = 4;
const symbols = new Set(
  "€£¥§©®™°±²³¹·«»‘’‚“”„–—…•×÷µ¼½¾ªº¿¡¢¬¶†‡‰‹›№–―、。「」（）・％，：；？！～．￥　",
);

const western = "da de es fi fr ga is it nl pt sv nb ca";
const central = "cs hu pl ro sk hr sl sq bs sr-Latn";
const cyrillic = "ru uk bg be mk sr";

/** Languages by what follows the encoding's name. */
const languages: readonly [RegExp, string][] = [
  [/^(windows-1252|iso-8859-15|macintosh|cp437|cp850)$/, western],
  [/^(windows-1250|iso-8859-(2|16)|cp852)$/, `${central} de`],
  [/^(windows-1251|koi8|iso-8859-5|ibm866|x-mac-cyrillic|cp855)/, cyrillic],
  [/^(windows-1253|iso-8859-7|cp737)$/, "el"],
  [/^(windows-1254|cp857)$/, "tr az fr de"],
  [/^(windows-1255|iso-8859-8|cp862)/, "he"],
  [/^(windows-1256|iso-8859-6|cp864)$/, "ar fa fr"],
  [/^(windows-1257|iso-8859-(4|10|13)|cp775)$/, "lt lv et de"],
  [/^windows-1258$/, "vi"],
  [/^windows-874$/, "th"],
  [/^iso-8859-3$/, "mt"],
  [/^gb/, "zh"],
  [/^big5$/, "zh-Hant"],
  [/^(shift_jis|euc-jp)$/, "ja"],
  [/^euc-kr$/, "ko"],
];

type Bits = ReadonlyMap<string, number>;
const tables = new Map<string, Bits>();

/** Bits that the text's signs beyond ASCII cost in the likeliest languages of the encoding. */
export function bitsOf(text: string, encoding: string): number {
  const names = languages.find(([pattern]) => pattern.test(encoding))?.[1] ?? western;
  const known = names.split(" ");
  if (known[0] in model.signs) return signBits(text, tableOf(known[0]));
  const lines = text.split("\n").map(lettersOf);
  const bits = known.map(tableOf).map((table) => lines.map((line) => pairBits(line, table)));
  const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
  const [main] = bits.toSorted((a, b) => sum(a) - sum(b));
  // Names of other languages are in every file: a line may be in another one, at a price.
  return sum(
    lines.map((_, i) => Math.min(main[i], OTHER_BITS + Math.min(...bits.map((of) => of[i])))),
  );
}

function tableOf(language: string): Bits {
  const known = tables.get(language);
  if (known) return known;
  const isSigns = language in model.signs;
  const levels = isSigns
    ? model.signs[language as keyof typeof model.signs]
    : model.pairs[language as keyof typeof model.pairs];
  const bits = new Map<string, number>();
  const width = isSigns ? 1 : 2;
  const shares = new Map<string, number>();
  for (const [level, features] of levels.entries()) {
    for (let at = 0; at < features.length; at += width) {
      const feature = features.slice(at, at + width);
      bits.set(feature, level);
      const last = feature.slice(-1);
      if (!isSigns) shares.set(last, (shares.get(last) ?? 0) + 2 ** -level);
    }
  }
  for (const [letter, share] of shares) bits.set(letter, -Math.log2(share));
  tables.set(language, bits);
  return bits;
}

function signBits(text: string, table: Bits): number {
  let bits = 0;
  let before = "";
  for (const sign of text) {
    const isAscii = sign.charCodeAt(0) < 0x80;
    if (!isAscii) {
      bits += table.get(sign) ?? otherBits(sign, /\p{Script=Han}|\p{Script=Hangul}/u.test(sign));
    }
    // Half a character that is taken for a whole one eats a letter of its word.
    if (isAscii !== (before.charCodeAt(0) < 0x80) && /[a-z]/.test(isAscii ? sign : before)) {
      bits += 5;
    }
    before = sign;
  }
  return bits;
}

/** Rare characters of a script of thousands are still of the script. */
function otherBits(sign: string, isOfScript: boolean): number {
  if (symbols.has(sign)) return SYMBOL_BITS;
  if (/[\p{C}\u2320-\u25ff]/u.test(sign)) return NEVER_BITS;
  return isOfScript ? 15 : UNKNOWN_BITS;
}

/** A letter beyond ASCII between its neighbours, and what it costs in any language. */
interface Letter {
  sign: string;
  before: string;
  after: string;
  bits: number;
}

/** Letters of a text, and the bits of all its other signs. */
function lettersOf(text: string): { letters: Letter[]; otherBits: number } {
  const lower = plain(text);
  const letters: Letter[] = [];
  let others = 0;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) < 0x80) continue;
    const sign = lower[i];
    if (sign === " " || !isLetter(sign)) {
      others += otherBits(text[i], false) + glueBits(text, lower, i);
      continue;
    }
    letters.push({
      sign,
      before: (lower[i - 1] ?? " ") + sign,
      after: sign + (lower[i + 1] ?? " "),
      bits: caseBits(text, i) + mixedBits(lower, i),
    });
  }
  return { letters, otherBits: others };
}

function pairBits({ letters, otherBits }: ReturnType<typeof lettersOf>, table: Bits): number {
  let bits = otherBits;
  for (const { sign, before, after, bits: own } of letters) {
    // A pair that was not seen, of a letter that was.
    const alone = Math.min(UNKNOWN_BITS, (table.get(sign) ?? UNKNOWN_BITS) + UNSEEN_BITS);
    bits += ((table.get(before) ?? alone) + (table.get(after) ?? alone)) / 2 + own;
  }
  return bits;
}

/** A symbol within a word, which an apostrophe may be. */
function glueBits(text: string, lower: string, at: number): number {
  if (/[’‘ʼ·\u00ad\u00a0]/.test(text[at])) return 0;
  return isLetter(lower[at - 1] ?? " ") && isLetter(lower[at + 1] ?? " ") ? 6 : 0;
}

/** A letter of another script in a word of Latin ones. */
function mixedBits(lower: string, at: number): number {
  const isBeside = /[a-z]/.test((lower[at - 1] ?? " ") + (lower[at + 1] ?? " "));
  return isBeside && !/[\p{Script=Latin}\p{M}]/u.test(lower[at]) ? 6 : 0;
}

/** A capital within a word is rare, in a word of capitals it is not. */
function caseBits(text: string, at: number): number {
  const isUpper = text[at] !== text[at].toLowerCase();
  const isInWord = /\p{L}$/u.test(text.slice(Math.max(0, at - 1), at));
  if (isUpper && isInWord && /^\p{Ll}/u.test(text.slice(at + 1, at + 2))) return 8;
  if (!isUpper) return /\p{Lu}\p{Lu}$/u.test(text.slice(Math.max(0, at - 2), at)) ? 4 : 0;
  return /\p{Ll}$/u.test(text.slice(Math.max(0, at - 1), at)) ? 8 : 1;
}

/** As the model was trained: the same length as the text. */
function plain(text: string): string {
  let out = "";
  for (let i = 0; i < text.length; i++) {
    const lower = text[i].toLowerCase();
    const one = lower.length === 1 ? lower : text[i];
    out += one >= "0" && one <= "9" ? "0" : isLetter(one) ? one : " ";
  }
  return out;
}

function isLetter(sign: string): boolean {
  const code = sign.charCodeAt(0);
  if (code < 0x80) return code >= 97 && code <= 122;
  return /[\p{L}\p{M}]/u.test(sign);
}
