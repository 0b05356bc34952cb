/** @module Bloomberg Data License reply files (.out): getdata and gethistory. */
import { AppError } from "../../../../src/model/errors.ts";
import type { ReadCall, RowSource } from "../format.ts";
import { type Line, linesOf } from "../lines.ts";
import { RecordStage } from "../record_stage.ts";
import type { StagedColumn } from "../staging.ts";

const absent = new Set([
  "",
  "N.A.",
  "N.D.",
  "N.S.",
  "FLD UNKNOWN",
  "#N/A N/A",
  "#N/A Field Not Applicable",
]);

interface Layout {
  fields: string[];
  isHistory: boolean;
}

/** Read the reply of a request. */
export async function readOut(call: ReadCall): Promise<RowSource> {
  const { file } = call;
  const layout = survey(call);
  const columns: StagedColumn[] = layout.isHistory
    ? [
      { name: "security", type: "VARCHAR" },
      { name: "field", type: "VARCHAR" },
      { name: "date", type: "VARCHAR", isLoose: true },
      { name: "value", type: "VARCHAR", isLoose: true },
    ]
    : [
      { name: "security", type: "VARCHAR" },
      { name: "return_code", type: "INTEGER" },
      ...unique(layout.fields).map((name): StagedColumn => ({
        name,
        type: "VARCHAR",
        isLoose: true,
      })),
    ];
  const names = columns.map(({ name }) => name);
  const stage = new RecordStage(call, columns);
  for (const { line, block } of dataLines(linesOf(call), file.name)) {
    const cells = line.text.replace(/\|\s*$/, "").split("|").map((cell) => cell.trim());
    const fault = layout.isHistory ? historyFault(cells) : dataFault(cells, layout);
    if (fault !== null) {
      await stage.refuse({ rule: "bloomberg", reason: fault, raw: line.text }, line);
    } else if (layout.isHistory) {
      const [security, date, value] = cells;
      stage.add({ security, field: block, date: orNull(date), value: orNull(value) }, line);
    } else {
      const [security, code, , ...values] = cells;
      const row: Record<string, unknown> = { security, return_code: Number(code) };
      for (const [i, value] of values.entries()) row[names[i + 2]] = orNull(value);
      stage.add(row, line);
    }
  }
  return stage.finish();
}

/** The fields, and whether blocks of history follow. Throws CORRUPT for a file without its end. */
function survey(call: ReadCall): Layout {
  const fields: string[] = [];
  let section = "";
  let isHistory = false;
  let declared: number | null = null;
  let records = 0;
  let isEnded = false;
  for (const { text: raw } of linesOf(call)) {
    const text = raw.trim();
    if (text === "" || text.startsWith("#")) continue;
    if (/^(START|END)-OF-/.test(text)) {
      if (text === "END-OF-FILE") isEnded = true;
      section = text.startsWith("START") ? text.slice("START-OF-".length) : "";
    } else if (section === "FIELDS") fields.push(text);
    else if (section === "DATA") {
      if (/^START SECURITY\|/.test(text)) isHistory = true;
      records++;
    } else {
      declared = Number(text.match(/^DATARECORDS\s*=\s*(\d+)$/)?.[1] ?? declared) || declared;
    }
  }
  const { name } = call.file;
  if (!isEnded) {
    throw corrupt(name, "it has no END-OF-FILE: it is still being written, or was cut off");
  }
  if (fields.length === 0 && !isHistory) {
    throw corrupt(name, "it names no fields (START-OF-FIELDS)");
  }
  if (declared !== null && declared !== records && !isHistory) {
    throw corrupt(name, `it says DATARECORDS=${declared}, and has ${records}`);
  }
  return { fields, isHistory };
}

/** Lines between START-OF-DATA and END-OF-DATA; of history, with the field of their block. */
function* dataLines(
  lines: Iterable<Line>,
  name: string,
): Generator<{ line: Line; block: string | null }> {
  let isData = false;
  let block: string | null = null;
  for (const line of lines) {
    const text = line.text.trim();
    if (text === "" || text.startsWith("#")) continue;
    if (text === "START-OF-DATA") isData = true;
    else if (text === "END-OF-DATA") isData = false;
    else if (!isData) continue;
    else if (text.startsWith("START SECURITY|")) block = text.split("|")[2]?.trim() ?? "";
    else if (text.startsWith("END SECURITY|")) {
      if (block === null) {
        throw corrupt(name, `at byte ${line.offset} a security ends that did not begin`);
      }
      block = null;
    } else yield { line, block };
  }
}

function dataFault(cells: readonly string[], { fields }: Layout): string | null {
  const [security, code, count] = cells;
  if (!security || !/^-?\d{1,6}$/.test(code ?? "") || !/^\d{1,6}$/.test(count ?? "")) {
    return "it is not a security, a return code, a number of fields and their values";
  }
  const values = cells.length - 3;
  if (Number(count) !== fields.length) {
    return `it says ${count} fields, and ${fields.length} were asked for`;
  }
  // A security that failed may come without its values.
  if (values !== fields.length && !(code !== "0" && values === 0)) {
    return `it has ${values} values for ${fields.length} fields`;
  }
  return null;
}

function historyFault(cells: readonly string[]): string | null {
  return cells.length === 3
    ? null
    : `it has ${cells.length} cells, not a security, a date and a value`;
}

function orNull(text: string): string | null {
  return absent.has(text) ? null : text;
}

/** The same field may be asked for twice. */
function unique(fields: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return fields.map((field) => {
    const times = seen.get(field) ?? 0;
    seen.set(field, times + 1);
    return times === 0 ? field : `${field}_${times + 1}`;
  });
}

function corrupt(name: string, why: string): AppError {
  return new AppError("CORRUPT", `Cannot read ${name} as a Bloomberg reply: ${why}`);
}
