/** @module SEC's JSON of facts: companyfacts, companyconcept and frames. */
import { AppError } from "../../../../src/model/errors.ts";

/** A document is held whole: this large at most. */
export const secBytesMax = 128 * 1024 * 1024;

/** Columns of a table of facts. */
export const secColumns = [
  "cik",
  "entity",
  "taxonomy",
  "concept",
  "label",
  "unit",
  "start",
  "end",
  "value",
  "accession",
  "fiscal_year",
  "fiscal_period",
  "form",
  "filed",
  "frame",
];

type Facts = Record<string, Record<string, Concept>>;

interface Concept {
  label?: string;
  units?: Record<string, Value[]>;
}

type Value = Record<string, string | null>;

/** Does a document begin like one of the three? */
export function isSecFacts(text: string): boolean {
  if (!/^\s*\{/.test(text)) return false;
  if (/"facts"\s*:\s*\{\s*"[\w-]+"\s*:\s*\{/.test(text) && /"cik"\s*:/.test(text)) return true;
  return /"taxonomy"\s*:/.test(text) && /"tag"\s*:/.test(text) &&
    /"(units|ccp|cik)"\s*:/.test(text);
}

/** Rows of a document. Numbers keep their digits. Throws CORRUPT when it is none. */
export function* secRows(text: string, name: string): Generator<(string | null)[]> {
  const document = parse(text, name);
  const taxonomy = textOf(document.taxonomy);
  const tag = textOf(document.tag);
  if (document.facts) {
    const head = [textOf(document.cik), textOf(document.entityName)];
    for (const [taxonomy, concepts] of Object.entries(document.facts as Facts)) {
      for (const [concept, each] of Object.entries(concepts)) {
        yield* rowsOf(each, [...head, taxonomy, concept]);
      }
    }
  } else if (Array.isArray(document.data)) {
    for (const value of document.data as Value[]) {
      const head = [textOf(value.cik), textOf(value.entityName), taxonomy, tag];
      yield rowOf(value, [...head, textOf(document.label), textOf(document.uom)], document.ccp);
    }
  } else if (document.units) {
    const head = [textOf(document.cik), textOf(document.entityName), taxonomy, tag];
    yield* rowsOf(document as Concept, head);
  } else {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${name} as company facts: it has neither "facts" nor "units" nor "data"`,
    );
  }
}

function* rowsOf({ label, units }: Concept, head: (string | null)[]) {
  for (const [unit, values] of Object.entries(units ?? {})) {
    for (const value of values) yield rowOf(value, [...head, textOf(label), unit]);
  }
}

function rowOf(value: Value, head: (string | null)[], frame?: unknown): (string | null)[] {
  return [
    ...head,
    ...["start", "end", "val", "accn", "fy", "fp", "form", "filed"].map((key) =>
      textOf(value[key])
    ),
    textOf(value.frame ?? frame),
  ];
}

function textOf(value: unknown): string | null {
  return value === undefined || value === null ? null : String(value);
}

function parse(text: string, name: string): Record<string, unknown> {
  try {
    const document = JSON.parse(
      text,
      (_, value, context?: { source?: string }) =>
        typeof value === "number" ? context?.source ?? String(value) : value,
    );
    if (typeof document === "object" && document !== null) return document;
    throw new SyntaxError("it is no object");
  } catch (error) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${name} as company facts: ${(error as Error).message}`,
      { cause: error },
    );
  }
}
