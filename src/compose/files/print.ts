/** @module What was found in files and what became of them, as tables for people. */
import type { Output } from "../../cli/print.ts";
import { bytes, printFacts, printTable, tableText } from "../../cli/print.ts";
import type { ConvertReport, Inspection } from "../../../operators/convert/local.ts";
import type { Worked } from "./workshop.ts";

/** Exit codes beside 0 and 1, which is a wrong use of the command. */
export const exitCodes = { quarantined: 2, failed: 3, interrupted: 130 } as const;

/** A file that could not be read. */
export function printFailed(
  output: Output,
  { name, error }: Extract<Worked<unknown>, { error: unknown }>,
) {
  output.err(`Failed: ${name}\n  ${error.message}${error.code ? ` (${error.code})` : ""}\n`);
}

/** What is in a file. */
export function printInspection(output: Output, found: Inspection) {
  printFacts(output, found, {
    file: found.path,
    size: bytes(found.bytes),
    ...readingFacts(found),
    rows: found.rows,
    ...(found.keys.length > 0
      ? { keys: found.keys.map((names) => names.join(" + ")).join(", ") }
      : {}),
    refused: found.refused.rows,
  });
  output.out("\n");
  printTable(output, found, found.columns, {
    column: (one) => one.name,
    type: (one) => one.type,
    nullable: (one) => one.nulls > 0 ? "yes" : "no",
    nulls: (one) => one.nulls,
    min: (one) => one.min,
    max: (one) => one.max,
    sure: (one) => one.inferred && `${Math.floor(one.inferred.confidence * 100)}%`,
    found: (one) => one.inferred && findings(one.inferred),
  });
  output.out("\n");
  output.out(tableText(
    found.sample,
    Object.fromEntries(
      found.columns.map(({ name }, i) => [name, (row: Inspection["sample"][number]) => row[i]]),
    ),
  ));
  printRefused(output, found.refused.sample);
}

/** What became of a file. */
export function printReport(output: Output, report: ConvertReport) {
  const { accounting } = report;
  printFacts(output, report, {
    from: report.from,
    ...readingFacts(report),
    to: report.file,
    "rows in": accounting.in,
    out: accounting.out,
    quarantined: accounting.quarantined,
    filtered: accounting.filtered,
    ...(report.quarantineFile ? { "refused rows": report.quarantineFile } : {}),
    ...(report.newColumns.length > 0 ? { "new columns": report.newColumns.join(", ") } : {}),
    ...(report.missingColumns.length > 0
      ? { "missing columns": report.missingColumns.join(", ") }
      : {}),
  });
  printRefused(output, report.refused);
}

/** Format, encoding and dialect, each with how sure it is where it was found out. */
function readingFacts(
  { format, recognition, compression, encoding, dialect, notes }: Pick<
    Inspection,
    "format" | "recognition" | "compression" | "encoding" | "dialect" | "notes"
  >,
): Record<string, string> {
  const packed = compression ? ` in ${compression}` : "";
  const next = recognition?.runnerUp ? `, next ${sure(recognition.runnerUp)}` : "";
  const told = recognition ? ` (${percent(recognition.confidence)}${next})` : "";
  return {
    format: `${format}${packed}${told}`,
    ...(encoding ? { encoding: `${encoding.name} (${percent(encoding.confidence)})` } : {}),
    ...(dialect
      ? {
        dialect: Object.entries(dialect).map(([name, value]) =>
          `${name} ${typeof value === "string" ? JSON.stringify(value) : value}`
        ).join(", "),
      }
      : {}),
    ...(notes.length > 0 ? { notes: notes.join("; ") } : {}),
  };
}

function sure({ format, confidence }: { format: string; confidence: number }): string {
  return `${format} ${percent(confidence)}`;
}

function percent(share: number): string {
  return `${Math.floor(share * 100)}%`;
}

function printRefused(output: Output, refused: ConvertReport["refused"]) {
  if (refused.length === 0) return;
  output.out("\nRefused rows:\n");
  output.out(tableText(refused, {
    row: (one) => one.row,
    byte: (one) => one.offset,
    column: (one) => one.column,
    rule: (one) => one.rule,
    reason: (one) => one.reason,
    raw: (one) => one.raw.slice(0, 80),
  }));
}

function findings(
  { identifier, meaning, pii, piiWithin, unit, written, nullTokens = [], values, notes = [] }:
    NonNullable<
      Inspection["columns"][number]["inferred"]
    >,
): string {
  return [
    identifier,
    meaning,
    pii && `personal: ${pii}`,
    piiWithin && `personal data within: ${piiWithin.join(", ")}`,
    unit && `in ${unit}`,
    written,
    nullTokens.length > 0 && `null: ${nullTokens.map((token) => JSON.stringify(token)).join(" ")}`,
    values && `${values} values`,
    ...notes,
  ].filter(Boolean).join("; ");
}
