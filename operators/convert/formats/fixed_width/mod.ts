/** @module Text whose columns have fixed places in each line. */
import { detectGrammar } from "../csv/dialect.ts";
import { sampleRecords } from "../csv/tokenize.ts";
import { type Format, isMarkup } from "../format.ts";
import { byBlanks, byRuler, strayAt } from "./columns.ts";

/** Columns at fixed places, told or found by a ruler or by blank columns. */
export const fixedWidth: Format = {
  name: "fixed_width",
  extensions: ["fwf", "prn", "dat"],
  mediaType: "text/plain",
  content: "text",
  recognise,
  read: async (call) => await (await import("./read.ts")).readFixed(call),
};

function recognise(head: Uint8Array, fileName: string): number {
  if (head.includes(0) || isMarkup(head)) return 0;
  const isNamed = /\.(fwf|prn)$/i.test(fileName);
  const text = new TextDecoder().decode(head.subarray(0, 16 * 1024));
  const lines = text.split(/\r\n|\n|\r/).slice(0, -1);
  if (lines.length < 4 || /^\s*[{[]/.test(text)) return isNamed ? 0.5 : 0;
  const ruled = byRuler(lines);
  const found = ruled ?? byBlanks(lines);
  if (found === null) return isNamed ? 0.5 : 0;
  const body = lines.slice(found.above).filter((line) => line.trim() !== "");
  const fitting = body.filter((line) => strayAt(line, found.spans) < 0).length;
  if (body.length < 3 || fitting < 0.8 * body.length) return isNamed ? 0.5 : 0;
  if (isNamed) return 0.95;
  return isDelimited(text) ? 0 : ruled ? 0.92 : 0.75;
}

/** Does some usual delimiter, or a blank, make records of one width? */
function isDelimited(text: string): boolean {
  const cut = text.slice(0, text.lastIndexOf("\n") + 1);
  const grammar = detectGrammar({ head: cut, isCut: false }, { knownColumns: [] });
  const widths = sampleRecords(cut, grammar).map(({ cells }) => cells.length);
  const usual = widths.filter((width) => width === widths[widths.length - 1] && width > 1).length;
  return usual >= 0.9 * widths.length;
}
