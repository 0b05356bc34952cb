/** @module What a column is, from a sample of its texts: pure, so that it can be measured. */
import type { PiiClass } from "../../pii/classes.ts";
import { type PiiFinding, piiOfColumn } from "../../pii/column.ts";
import { findDates, findEpochs } from "./dates.ts";
import { findIdentifier, type Identifier, neverNumbers } from "./identifiers.ts";
import { findNumbers, type Hints } from "./numbers.ts";
import {
  describeReading,
  type Found,
  plainReading,
  type Reading,
  type TextCounts,
} from "./reading.ts";
import type { SemanticColumn } from "./semantic/features.ts";
import type { Meaning } from "./semantic/model.ts";
import { semanticColumn } from "./semantic/from_texts.ts";
import { unitOfName } from "./units.ts";
import { findBooleans, isNullToken } from "./words.ts";

/** What was found out about a column that nobody declared. */
export interface Verdict {
  /** SQL type. */
  type: string;
  reading: Reading;
  /** Texts that mean null in it, as they are written. */
  nullTokens: readonly string[];
  /** Of the values: a currency, `%`, or what the column's name says. */
  unit: string | null;
  identifier: Identifier | null;
  pii: PiiFinding;
  /** The values of a column that has few. */
  values: readonly string[] | null;
  /** Chance that the next value fits as well, 0 to 1. */
  confidence: number;
  evidence: Evidence;
  /** Why it is not more than it is. */
  notes: readonly string[];
  /** For what it means: see {@link ./semantic/model.ts#meaningOf}. */
  column: SemanticColumn;
}

/** What a verdict stands on. */
export interface Evidence {
  /** Texts looked at that are not null, and how many of them differ. */
  texts: number;
  distinct: number;
  /** Nulls of the file, and texts that were taken for null. */
  nulls: number;
  nullTexts: number;
  examples: readonly string[];
}

/** A column's sample. */
export interface ColumnSample {
  name: string;
  /** Distinct texts with how often each is there. */
  texts: TextCounts;
  nulls: number;
}

const EXAMPLES = 3;
const VALUES_MAX = 64;
/** How often each value of an enumeration is there, on the average, at least. */
const VALUE_REPEATS = 5;
const NULL_SHARE_MAX = 0.98;

/** The narrowest type that holds every text exactly, and all else that the texts say. */
export function inferColumn(sample: ColumnSample, hints: Hints = {}): Verdict {
  const { name, texts } = sample;
  const whole = typeOf(name, texts, hints);
  if (whole !== null && !isRefusal(whole)) return verdictOf(sample, texts, whole, []);
  const tokens = [...texts.keys()].filter(isNullToken);
  const rest = new Map([...texts].filter(([text]) => !isNullToken(text)));
  if (tokens.length > 0 && mayBeNull(texts, rest)) {
    const typed = typeOf(name, rest, hints);
    if (typed !== null && (typed.type !== "VARCHAR" || typed.identifier !== null)) {
      return verdictOf(sample, rest, typed, tokens);
    }
    if (typed !== null) return verdictOf(sample, texts, typed, []);
  }
  return verdictOf(sample, texts, whole ?? textFound, []);
}

function isRefusal({ notes }: Found): boolean {
  return notes !== undefined;
}

interface TypeFound extends Found {
  identifier: Identifier | null;
}

const textFound: TypeFound = {
  type: "VARCHAR",
  reading: plainReading,
  certainty: 1,
  identifier: null,
};

function mayBeNull(texts: TextCounts, rest: TextCounts): boolean {
  const all = sum(texts);
  const filled = sum(rest);
  return filled >= 2 && (all - filled) / all <= NULL_SHARE_MAX;
}

/** Null: plain text, of which nothing can be said. */
function typeOf(name: string, texts: TextCounts, hints: Hints): TypeFound | null {
  if (texts.size === 0) return { ...textFound, certainty: 0 };
  const code = findIdentifier(name, texts);
  const identifier = code?.identifier ?? null;
  if (identifier !== null && neverNumbers.has(identifier)) {
    return { ...textFound, identifier, certainty: code!.share };
  }
  const found = findBooleans(name, texts) ?? findDates(name, texts, hints.formats) ??
    wholeNumbers(name, texts, hints) ?? findJson(texts);
  if (found) return { ...found, identifier: found.type === "VARCHAR" ? identifier : null };
  return identifier === null ? null : { ...textFound, identifier, certainty: code!.share };
}

function wholeNumbers(name: string, texts: TextCounts, hints: Hints): Found | null {
  const numbers = findNumbers(texts, hints);
  if (numbers === null || numbers.reading.kind !== "plain") return numbers;
  return findEpochs(name, texts) ?? numbers;
}

function findJson(texts: TextCounts): Found | null {
  for (const text of texts.keys()) if (!isJson(text)) return null;
  return { type: "JSON", reading: plainReading, certainty: 1 };
}

function isJson(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function verdictOf(
  { name, texts: all, nulls }: ColumnSample,
  texts: TextCounts,
  found: TypeFound,
  nullTokens: readonly string[],
): Verdict {
  const count = sum(texts);
  return {
    type: found.type,
    reading: found.reading,
    nullTokens,
    unit: found.unit ?? unitOfName(name, found.type),
    identifier: found.identifier,
    pii: piiOf(name, texts, found),
    values: found.type === "VARCHAR" ? fewValues(texts, count) : null,
    // Laplace's rule: after n that fit, the next one does with (n + 1) / (n + 2).
    confidence: count === 0 ? 0 : Number((found.certainty * (count + 1) / (count + 2)).toFixed(4)),
    evidence: {
      texts: count,
      distinct: texts.size,
      nulls,
      nullTexts: sum(all) - count,
      examples: [...texts.keys()].slice(0, EXAMPLES).map((text) => text.slice(0, 80)),
    },
    notes: found.notes ?? [],
    column: semanticColumn(name, texts, {
      nulls: nulls + sum(all) - count,
      isNumeric: found.reading.kind === "plain" && /^(?:BIGINT|DECIMAL|DOUBLE)/.test(found.type),
    }),
  };
}

/** Codes that name no person. */
const publicCodes: ReadonlySet<Identifier> = new Set(
  [
    "isin",
    "cusip",
    "sedol",
    "figi",
    "lei",
    "bic",
    "mic",
    "currency",
    "country",
    "country3",
  ] as const,
);

function piiOf(name: string, texts: TextCounts, { type, identifier }: TypeFound): PiiFinding {
  if (identifier !== null && publicCodes.has(identifier)) return { kind: null, within: [] };
  return piiOfColumn(name, texts.keys(), { isText: type === "VARCHAR" || type === "JSON" });
}

/** A verdict as JSON without a single text of the column but its null tokens. */
export function summaryOf(verdict: Verdict, meaning?: Meaning): VerdictSummary {
  const { type, reading, nullTokens, unit, identifier, pii, values, confidence, evidence, notes } =
    verdict;
  return {
    type,
    confidence,
    texts: evidence.texts,
    distinct: evidence.distinct,
    nulls: evidence.nulls + evidence.nullTexts,
    ...(reading.kind === "plain" ? {} : { written: describeReading(reading) }),
    ...(nullTokens.length > 0 ? { nullTokens: [...nullTokens] } : {}),
    ...(unit === null ? {} : { unit }),
    ...(identifier === null ? {} : { identifier }),
    ...(meaning === undefined ? {} : { meaning }),
    ...(pii.kind === null ? {} : { pii: pii.kind }),
    ...(pii.within.length === 0 ? {} : { piiWithin: pii.within }),
    ...(values === null ? {} : { values: values.length }),
    ...(notes.length > 0 ? { notes: [...notes] } : {}),
  };
}

/** See {@link summaryOf}. */
export type VerdictSummary = {
  type: string;
  confidence: number;
  texts: number;
  distinct: number;
  nulls: number;
  written?: string;
  nullTokens?: string[];
  unit?: string;
  identifier?: Identifier;
  /** What the column is for: figures, categories, a key …, by a model. */
  meaning?: Meaning;
  /** The values are personal data; or such stands within them. */
  pii?: PiiClass;
  piiWithin?: PiiClass[];
  /** How many different values it has, where those are few. */
  values?: number;
  notes?: string[];
};

function fewValues(texts: TextCounts, count: number): string[] | null {
  if (texts.size === 0 || texts.size > VALUES_MAX) return null;
  return count >= texts.size * VALUE_REPEATS ? [...texts.keys()].sort() : null;
}

function sum(texts: TextCounts): number {
  let total = 0;
  for (const count of texts.values()) total += count;
  return total;
}
