/** @module How the texts of a column are read: what inference found, and what casts go by. */

/** Between whole and fraction, and between groups of digits. */
export interface NumberMarks {
  decimalMark: "." | ",";
  thousandsMark: "" | "," | "." | " " | "'";
}

/** How texts become values; `plain`: as the type itself is written in SQL and ISO 8601. */
export type Reading =
  | { kind: "plain" }
  /** Words for true and false, lower case. */
  | { kind: "words"; yes: readonly string[]; no: readonly string[] }
  /**
   * Numbers with marks, signs of currencies, `%`, or parentheses around what is negative. The value
   * is the number as it is written: 12.5% is 12.5, and `unit` says percent.
   */
  | { kind: "number"; marks: NumberMarks; units: readonly string[] }
  /** Formats of strptime; a text is in one of them. Dates after `lastYear` are a century before. */
  | { kind: "formats"; formats: readonly string[]; lastYear?: number }
  /** Whole numbers since 1970, in UTC. */
  | { kind: "epoch"; unit: "s" | "ms" | "us" | "ns" };

/** As castText does it by the type. */
export const plainReading: Reading = { kind: "plain" };

/** Distinct texts of a column, with how often each is there. */
export type TextCounts = ReadonlyMap<string, number>;

/** What a reader finds in a column; null where the texts are not all of its kind. */
export interface Found {
  type: string;
  reading: Reading;
  /** How sure it is beside the number of texts, 0 to 1. */
  certainty: number;
  unit?: string;
  notes?: string[];
}

/** A reading for people. */
export function describeReading(reading: Reading): string {
  switch (reading.kind) {
    case "plain":
      return "as usual";
    case "words":
      return `${reading.yes.join(", ")} or ${reading.no.join(", ")}`;
    case "number": {
      const { decimalMark, thousandsMark } = reading.marks;
      const marks = thousandsMark === ""
        ? `decimal mark "${decimalMark}"`
        : `decimal mark "${decimalMark}", thousands "${thousandsMark}"`;
      return reading.units.length === 0 ? marks : `${marks}, in ${reading.units.join(", ")}`;
    }
    case "formats":
      return reading.formats.join(" or ") +
        (reading.lastYear === undefined ? "" : `, until ${reading.lastYear}`);
    case "epoch":
      return `${reading.unit} since 1970`;
  }
}
