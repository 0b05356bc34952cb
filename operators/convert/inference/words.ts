/** @module Words for true and false, and for nothing. */
import type { Found, TextCounts } from "./reading.ts";

/** Word for true, word for false, and whether one of them alone is enough. */
const pairs: readonly [string, string, boolean][] = [
  ["true", "false", true],
  ["yes", "no", true],
  ["y", "n", false],
  ["t", "f", false],
  ["on", "off", false],
  [".true.", ".false.", true],
];

const flagName =
  /^(?:is|has|had|was|can|should|allow|use|include)(?:[_\W]|(?=[A-Z]))|(?:^|[_\W]|(?<=[a-z]))(?:flag|bool|boolean|indicator|enabled|disabled|active|deleted|valid|verified|approved)$/i;

/** Booleans in words; 0 and 1 only where the column's name says that it is one. */
export function findBooleans(name: string, texts: TextCounts): Found | null {
  const words = new Set([...texts.keys()].map((text) => text.trim().toLowerCase()));
  if (words.size > 2) return null;
  const isFlag = flagName.test(name);
  for (const [yes, no, isEnough] of pairs) {
    if (![...words].every((word) => word === yes || word === no)) continue;
    if (words.size < 2 && !isEnough && !isFlag) return null;
    return {
      type: "BOOLEAN",
      reading: { kind: "words", yes: [yes], no: [no] },
      certainty: words.size === 2 ? 1 : 0.8,
    };
  }
  if (isFlag && [...words].every((word) => word === "0" || word === "1")) {
    const reading = { kind: "words", yes: ["1"], no: ["0"] } as const;
    return { type: "BOOLEAN", reading, certainty: words.size === 2 ? 0.95 : 0.7 };
  }
  return null;
}

const nothing = new Set([
  "",
  "na",
  "n/a",
  "#n/a",
  "#na",
  "#n/a n/a",
  "#n/a field not applicable",
  "<na>",
  "n.a.",
  "n.d.",
  "null",
  "#null!",
  "(null)",
  "<null>",
  "\\n",
  "none",
  "nil",
  "nan",
  "-nan",
  "nat",
  "-",
  "--",
  "---",
  "–",
  "—",
  ".",
  "..",
  "...",
  "?",
  "not available",
  "no data",
  "not applicable",
  "missing",
  "unknown",
]);

/** May a text mean that there is no value? Only beside texts that are of another type. */
export function isNullToken(text: string): boolean {
  return text.length <= 25 && nothing.has(text.trim().toLowerCase());
}
