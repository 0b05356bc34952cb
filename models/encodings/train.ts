/**
 * @module Trains the model that tells encodings of texts apart: which letters follow which, in the
 * languages that were written in other encodings than Unicode.
 *
 * `deno run -A models/encodings/train.ts <folder>` reads the packages `cldr-localenames-full`,
 * `cldr-dates-full`, `cldr-units-full` and `cldr-numbers-full` (Unicode licence) unpacked in that
 * folder, and writes `operators/convert/prepare/encoding_model.json`.
 */
import { join } from "node:path";

const packages = ["localenames", "dates", "units", "numbers"];

/** Languages by CLDR's names; those whose signs are many are told by single signs. */
const alphabets =
  "cs da de el es et fi fr ga he hr hu is it lt lv mk nb nl pl pt ro ru sk sl sq sr sv tr uk bg be " +
  "ar fa th vi ca bs sr-Latn az mt cy";
const signs = "ja ko zh zh-Hant";

const PAIRS_MAX = 900;
const SIGNS_MAX = 2500;

/** Every text of a language, each a word or a few. */
async function textsOf(folder: string, language: string): Promise<string[]> {
  const texts: string[] = [];
  for (const name of packages) {
    const dir = join(folder, `cldr-${name}-full`, "main", language);
    for (const file of await listing(dir)) {
      collect(JSON.parse(await Deno.readTextFile(join(dir, file))), texts);
    }
  }
  return texts;
}

async function listing(dir: string): Promise<string[]> {
  const files = await Array.fromAsync(Deno.readDir(dir));
  return files.map(({ name }) => name).filter((name) => name.endsWith(".json")).sort();
}

function collect(value: unknown, into: string[]): void {
  if (typeof value === "string") into.push(value);
  else if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) collect(member, into);
  }
}

/** Bits that each feature costs: -log2 of its share, whole numbers. */
function levelsOf(counts: Map<string, number>, most: number): string[] {
  const total = [...counts.values()].reduce((a, b) => a + b, 0);
  const levels: string[] = [];
  const kept = [...counts].filter(([, count]) => count > 1)
    .toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, most);
  for (const [feature, count] of kept) {
    const level = Math.round(-Math.log2(count / total));
    while (levels.length <= level) levels.push("");
    levels[level] += feature;
  }
  return levels;
}

/** As the reader does it: lower case, digits as 0, whatever else is no letter as a space. */
function plain(text: string): string {
  return ` ${
    text.toLowerCase().normalize("NFC").replace(/\d/g, "0").replace(/[^\p{L}\p{M}0]/gu, " ")
  } `;
}

function pairsOf(texts: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    const letters = plain(text);
    for (let i = 1; i < letters.length; i++) {
      const pair = letters.slice(i - 1, i + 1);
      if (pair.charCodeAt(0) < 0x80 && pair.charCodeAt(1) < 0x80) continue;
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
  }
  return counts;
}

function signsOf(texts: string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const sign of text) {
      if (sign.length > 1 || sign.charCodeAt(0) < 0x80) continue;
      counts.set(sign, (counts.get(sign) ?? 0) + 1);
    }
  }
  return counts;
}

if (import.meta.main) {
  const [folder] = Deno.args;
  const model: { pairs: Record<string, string[]>; signs: Record<string, string[]> } = {
    pairs: {},
    signs: {},
  };
  for (const language of alphabets.split(" ")) {
    model.pairs[language] = levelsOf(pairsOf(await textsOf(folder, language)), PAIRS_MAX);
  }
  for (const language of signs.split(" ")) {
    model.signs[language] = levelsOf(signsOf(await textsOf(folder, language)), SIGNS_MAX);
  }
  const path = join(
    import.meta.dirname!,
    "../../operators/convert/prepare/encoding_model.json",
  );
  await Deno.writeTextFile(path, JSON.stringify(model, null, 1) + "\n");
}
