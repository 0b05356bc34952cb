/** @module Which number formats show dates and times. */
import type { TimeParts } from "./serials.ts";

const date: TimeParts = { hasDate: true, hasTime: false, isElapsed: false };
const time: TimeParts = { hasDate: false, hasTime: true, isElapsed: false };
const both: TimeParts = { hasDate: true, hasTime: true, isElapsed: false };
const elapsed: TimeParts = { hasDate: false, hasTime: true, isElapsed: true };

/** The parts that a format of the program's own shows; null for numbers. */
export function builtInParts(id: number): TimeParts | null {
  if (id >= 14 && id <= 17) return date;
  if (id >= 18 && id <= 21) return time;
  if (id === 22) return both;
  if (id === 45 || id === 47) return time;
  if (id === 46) return elapsed;
  // Of East Asian versions: dates, and 32, 33, 55 and 56 times.
  if (id === 32 || id === 33 || id === 55 || id === 56) return time;
  if ((id >= 27 && id <= 36) || (id >= 50 && id <= 58)) return date;
  return null;
}

/** The parts that a format's code shows; null for numbers. */
export function partsOfCode(code: string): TimeParts | null {
  const section = firstSection(code);
  const isElapsed = /\[(?:h+|m+|s+)\]/i.test(section);
  const letters = section.replace(/\[[^\]]*\]/g, "").replace(/general|standard/gi, "");
  const hasTime = isElapsed || /[hs]|am\/pm|a\/p/i.test(letters);
  const hasDate = /[yd]/i.test(letters.replace(/am\/pm|a\/p/gi, "")) ||
    (!hasTime && /m/i.test(letters)) || /m{3,}/i.test(letters);
  if (isElapsed && !hasDate) return elapsed;
  return hasDate ? (hasTime ? both : date) : hasTime ? time : null;
}

/** What stands for positive numbers, without texts and padding. */
function firstSection(code: string): string {
  let section = "";
  for (let i = 0; i < code.length; i++) {
    const sign = code[i];
    if (sign === '"') {
      const end = code.indexOf('"', i + 1);
      i = end < 0 ? code.length : end;
    } else if (sign === "\\" || sign === "_" || sign === "*") i++;
    else if (sign === ";") break;
    else section += sign;
  }
  return section;
}
