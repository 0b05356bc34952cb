/**
 * @module How often types and personal data are found right, on corpora with known answers.
 *
 * Syntactic types: columns of SortingHat with five values each, labelled by hand in
 * `types_labels.json`; an ambiguous date that stays text counts as wrong. Meaning: five folds at training,
 * since all labelled columns are trained on. Personal data: exact spans of the kinds that patterns find.
 */
import { inferColumn } from "../operators/convert/inference/column.ts";
import { findPii } from "../operators/pii/text.ts";
import { labelledColumns } from "../models/column_types/sortinghat.ts";
import labels from "./types_labels.json" with { type: "json" };

/** The type by the words of the labels. */
function plainType(type: string): string {
  if (type === "BIGINT" || type === "DECIMAL(38,0)") return "integer";
  if (type.startsWith("DECIMAL") || type === "DOUBLE") return "decimal";
  if (type.startsWith("TIMESTAMP")) return "timestamp";
  return type === "VARCHAR" ? "text" : type.toLowerCase();
}

/** Columns whose type is found, of all labelled ones. */
export async function syntacticScore(
  dir: string,
): Promise<{ right: number; columns: number }> {
  const bytes = await Deno.readFile(`${dir}/data_train.csv`);
  const columns = labelledColumns(new TextDecoder("windows-1252").decode(bytes));
  let right = 0;
  let count = 0;
  for (const [label, indices] of Object.entries(labels)) {
    for (const index of indices) {
      const { name, samples } = columns[index].column;
      const texts = new Map<string, number>();
      for (const text of samples) if (text !== "") texts.set(text, (texts.get(text) ?? 0) + 1);
      const { type } = inferColumn({ name, texts, nulls: 0 }, { delimiter: "," });
      if (plainType(type) === label) right++;
      count++;
    }
  }
  return { right, columns: count };
}

/** Kinds that patterns find, as the corpus calls them. */
const kinds: Readonly<Record<string, string>> = {
  card: "CREDIT_CARD",
  phone: "PHONE_NUMBER",
  email: "EMAIL_ADDRESS",
  iban: "IBAN_CODE",
  ip: "IP_ADDRESS",
  url: "DOMAIN_NAME",
  national_id: "US_SSN",
  driver_license: "US_DRIVER_LICENSE",
};

interface LabelledText {
  full_text: string;
  spans: { entity_type: string; start_position: number; end_position: number }[];
}

/** F1 of spans, exact to the character. */
export async function piiScore(
  dir: string,
): Promise<{ f1: number; found: number; wrong: number; missed: number }> {
  const path = `${dir}/presidio_synthetic_even_templates.json`;
  const texts: LabelledText[] = JSON.parse(await Deno.readTextFile(path));
  const wanted = new Set(Object.values(kinds));
  let [found, wrong, missed] = [0, 0, 0];
  for (const { full_text, spans } of texts) {
    const units = unitsOf(full_text);
    const expected = new Set(
      spans.filter(({ entity_type }) => wanted.has(entity_type)).map((span) =>
        `${span.entity_type} ${units[span.start_position]} ${units[span.end_position]}`
      ),
    );
    const seen = findPii(full_text).filter(({ kind }) => kind in kinds)
      .map(({ kind, start, end }) => `${kinds[kind]} ${start} ${end}`);
    const right = seen.filter((span) => expected.has(span)).length;
    found += right;
    wrong += seen.length - right;
    missed += expected.size - right;
  }
  return { f1: 2 * found / (2 * found + wrong + missed), found, wrong, missed };
}

/** Where each code point begins, in UTF-16 units: the corpus counts the former. */
function unitsOf(text: string): number[] {
  const units: number[] = [];
  let at = 0;
  for (const sign of text) {
    units.push(at);
    at += sign.length;
  }
  return [...units, at];
}
