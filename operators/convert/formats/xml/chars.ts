/** @module Characters as XML sorts them (1.0 fifth edition, and 1.1). */

const NAME_START = 1;
const NAME = 2;
const BLANK = 4;
/** Where a run of text ends or has to be looked at: markup, references, `]`, line ends, controls. */
const TEXT_STOP = 8;
/** The same in a quoted value: quotes, markup, references, anything that becomes a blank. */
const VALUE_STOP = 16;

const ascii = new Uint8Array(128);
for (let code = 0; code < 128; code++) {
  const char = String.fromCharCode(code);
  if (/[A-Za-z_:]/.test(char)) ascii[code] |= NAME_START;
  if (/[A-Za-z_:\-.0-9]/.test(char)) ascii[code] |= NAME;
  if (/[ \t\r\n]/.test(char)) ascii[code] |= BLANK;
  if (code < 0x20 && char !== "\t" && char !== "\n") ascii[code] |= TEXT_STOP;
  if ("<&]".includes(char)) ascii[code] |= TEXT_STOP;
  if (code < 0x20 || "<&\"'".includes(char)) ascii[code] |= VALUE_STOP;
}

/** May a name begin so? */
export function isNameStart(code: number): boolean {
  if (code < 128) return (ascii[code] & NAME_START) !== 0;
  return inRanges(startRanges, code);
}

/** May a name go on so? A surrogate half counts as part of what it is half of. */
export function isNameChar(code: number): boolean {
  if (code < 128) return (ascii[code] & NAME) !== 0;
  return code === 0xb7 || inRanges(startRanges, code) || inRanges(moreRanges, code);
}

/** Space, tab or line end. */
export function isBlank(code: number): boolean {
  return code < 128 && (ascii[code] & BLANK) !== 0;
}

/** Is a text nothing but blanks? */
export function isBlankText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (!isBlank(text.charCodeAt(i))) return false;
  }
  return true;
}

/** The next place from `at` on where a run of text has to be looked at; `end` when there is none. */
export function textStop(text: string, at: number, end: number): number {
  let i = at;
  while (i < end) {
    const code = text.charCodeAt(i);
    if (code < 128) {
      if ((ascii[code] & TEXT_STOP) !== 0) break;
    } else if (code >= 0xfffe) break;
    i++;
  }
  return i;
}

/** The same in a value between quotes. */
export function valueStop(text: string, at: number, end: number): number {
  let i = at;
  while (i < end) {
    const code = text.charCodeAt(i);
    if (code < 128) {
      if ((ascii[code] & VALUE_STOP) !== 0) break;
    } else if (code >= 0xfffe) break;
    i++;
  }
  return i;
}

/** The end of the name that begins at `at`; `at` itself when none does. */
export function nameEnd(text: string, at: number, end: number): number {
  if (at >= end || !isNameStart(text.charCodeAt(at))) return at;
  return nmtokenEnd(text, at + 1, end);
}

/** The end of a run of characters that names may have. */
export function nmtokenEnd(text: string, at: number, end: number): number {
  let i = at;
  while (i < end) {
    const code = text.charCodeAt(i);
    if (code < 128 ? (ascii[code] & NAME) === 0 : !isNameChar(code)) break;
    i++;
  }
  return i;
}

/** The first character that a document may not have as it stands; -1 when there is none. */
export function illegalAt(text: string, is11: boolean): number {
  return text.search(is11 ? illegal11 : illegal10);
}

// deno-lint-ignore no-control-regex
const illegal10 = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/;
// deno-lint-ignore no-control-regex
const illegal11 = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/;

/** May a character reference name this one? */
export function isReferable(code: number, is11: boolean): boolean {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
  if (code === 0xfffe || code === 0xffff) return false;
  if (code >= 0x20) return true;
  return is11 ? code > 0 : code === 9 || code === 10 || code === 13;
}

/** Line ends as readers see them. */
export function plainLines(text: string, is11: boolean): string {
  if (is11) return text.replace(/\r[\n\x85]|[\r\x85\u2028]/g, "\n");
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

// Beyond the basic plane every character up to U+EFFFF is one of names: its halves are in 0xd800 to
// 0xdb7f and 0xdc00 to 0xdfff, and the decoder lets no lone half pass.
const startRanges = [
  [0xc0, 0xd6],
  [0xd8, 0xf6],
  [0xf8, 0x2ff],
  [0x370, 0x37d],
  [0x37f, 0x1fff],
  [0x200c, 0x200d],
  [0x2070, 0x218f],
  [0x2c00, 0x2fef],
  [0x3001, 0xd7ff],
  [0xd800, 0xdb7f],
  [0xdc00, 0xdfff],
  [0xf900, 0xfdcf],
  [0xfdf0, 0xfffd],
];
const moreRanges = [[0x300, 0x36f], [0x203f, 0x2040]];

function inRanges(ranges: number[][], code: number): boolean {
  for (const [first, last] of ranges) {
    if (code < first) return false;
    if (code <= last) return true;
  }
  return false;
}
