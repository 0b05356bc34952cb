/** @module Text whose columns have fixed places in each line. */
import { AppError } from "../../../../src/model/errors.ts";
import type { ReadCall, RowSource } from "../format.ts";
import { type Line, linesOf } from "../lines.ts";
import { RecordStage } from "../record_stage.ts";
import { cellsOf, spansIn, strayAt } from "./columns.ts";
import { type FixedTable, tableOf } from "./table.ts";
import { fixedFooter } from "./footer.ts";

const SAMPLE_LINES = 500;
const TAIL_LINES = 20;

/** Read the lines of a file. */
export async function readFixed(call: ReadCall): Promise<RowSource> {
  const lines = headLines(call);
  if (lines.length === 0) {
    throw new AppError("CORRUPT", `Cannot read ${call.file.name} as fixed width: it has no line`);
  }
  const table = tableOf(lines.map(({ text }) => text), call);
  const stage = new RecordStage(
    call,
    table.columns.map((name) => ({ name, type: "VARCHAR", isLoose: true })),
  );
  await stageLines(call, table, stage);
  return stage.finish();
}

function headLines(call: ReadCall): Line[] {
  const found: Line[] = [];
  for (const line of linesOf(call)) {
    found.push(line);
    if (found.length === SAMPLE_LINES) break;
  }
  return found;
}

/** The last lines wait for the file's end: a footer among them is none of the rows. */
async function stageLines(call: ReadCall, table: FixedTable, stage: RecordStage): Promise<void> {
  let number = 0;
  const waiting: Line[] = [];
  for (const line of linesOf(call)) {
    if (++number <= table.above) continue;
    waiting.push(line);
    if (waiting.length > TAIL_LINES) await stageLine(waiting.shift()!, table, stage);
  }
  const footer = call.options.fixed_width?.footer === "none"
    ? null
    : fixedFooter(waiting.map(({ text }) => text), table);
  for (const line of waiting.slice(0, footer?.from)) await stageLine(line, table, stage);
  if (footer?.count !== undefined && footer.count !== stage.records) {
    throw new AppError(
      "CORRUPT",
      `Cannot convert ${call.file.name}: its trailer ${
        JSON.stringify(footer.line.slice(0, 120))
      } ` +
        `counts ${footer.count} rows, and there are ${stage.records}; if it is not a count of rows, ` +
        `say fixed_width: { footer: "none" }`,
    );
  }
}

async function stageLine(line: Line, table: FixedTable, stage: RecordStage): Promise<void> {
  const { text } = line;
  if (text.trim() === "") return;
  const spans = table.isStrict ? table.spans : spansIn(text, table.spans);
  const problem = problemOf(text, { ...table, spans }, line.isEnded);
  if (problem !== null) {
    return await stage.refuse({ rule: "columns", reason: problem, raw: text }, line);
  }
  const cells = cellsOf(text, spans);
  const values = Object.fromEntries(
    cells.flatMap((cell, i) => cell === "" ? [] : [[table.columns[i], cell]]),
  );
  stage.add(values, line);
}

function problemOf(text: string, table: FixedTable, isEnded: boolean): string | null {
  const { spans, length, lastNeeded } = table;
  const stray = strayAt(text, spans);
  if (stray >= 0) {
    return `${JSON.stringify(text[stray])} stands outside of the columns, at character ${
      stray + 1
    }`;
  }
  const isShort = length !== null ? text.length !== length : text.trimEnd().length <= lastNeeded;
  // Blanks at a line's end are often cut off, but not in a file whose lines are all alike.
  if (length !== null && isShort) return `it has ${text.length} characters, not ${length}`;
  if (isShort && (table.isNeeded || !isEnded)) {
    return `it ends before its last column, at character ${text.length}`;
  }
  return null;
}
