/** @module The table of a fixed-width text: its columns, and what lines must be like. */
import { AppError } from "../../../../src/model/errors.ts";
import { cellKind, isFigure } from "../csv/cell_kind.ts";
import { columnNames, headerOf } from "../csv/header.ts";
import { profilesOf } from "../csv/profile.ts";
import type { SampleRecord } from "../csv/tokenize.ts";
import type { ReadCall } from "../format.ts";
import { byBlanks, byRuler, cellsOf, type FoundColumns, type Span, strayAt } from "./columns.ts";
import type { FixedWidthParams } from "./params.ts";

/** Where rows and columns are. */
export interface FixedTable {
  spans: readonly Span[];
  /** Texts must keep to their columns: these were told. */
  isStrict: boolean;
  columns: string[];
  /** Lines before the first row. */
  above: number;
  /** Characters of every line, when they are all of one length. */
  length: number | null;
  /** Index at which the last column that is never empty begins. */
  lastNeeded: number;
  /** Is there such a column beside the first? */
  isNeeded: boolean;
}

/** The table by the first lines. Throws INVALID when no columns are told nor found. */
export function tableOf(lines: readonly string[], call: ReadCall): FixedTable {
  const { options, file } = call;
  const told = toldSpans(options.fixed_width);
  const skip = options.skipLines ?? 0;
  const rest = lines.slice(skip);
  const found: FoundColumns | null = told
    ? { spans: told, above: 0, header: null }
    : byRuler(rest) ?? byBlanks(rest);
  if (found === null) {
    throw new AppError(
      "INVALID",
      `Cannot read ${file.name} as fixed width: no ruler and no blank columns part its first ` +
        `${rest.length} lines; say fixed_width: { widths: [ … ] }`,
    );
  }
  const names = namesOf(rest, found, call);
  const above = skip + Math.max(found.above, names.above);
  const body = lines.slice(above).filter((line) => line.trim() !== "")
    .filter((line) => strayAt(line, found.spans) < 0);
  return {
    spans: found.spans,
    isStrict: told !== null,
    columns: names.columns,
    above,
    ...lengthsOf(body, found.spans),
  };
}

function toldSpans(params: FixedWidthParams | undefined): Span[] | null {
  const columns: { start?: number; width: number }[] | undefined = params?.columns ??
    params?.widths?.map((width) => ({ width }));
  if (columns === undefined) return null;
  let next = 0;
  return columns.map((column) => {
    const start = column.start === undefined ? next : column.start - 1;
    next = start + column.width;
    return { start, end: next };
  });
}

function namesOf(
  lines: readonly string[],
  { spans, above, header }: FoundColumns,
  { options }: ReadCall,
): { columns: string[]; above: number } {
  const own = options.fixed_width?.columns?.map(({ name }) => name);
  const record = (line: string): SampleRecord => ({
    cells: cellsOf(line, spans),
    start: 0,
    end: 0,
    isBroken: false,
  });
  if (header !== null && options.header !== false) {
    return { columns: columnNames([record(lines[header]).cells], spans.length, []), above };
  }
  const table = lines.slice(above).filter((line) => line.trim() !== "").map(record);
  const body = table.slice(Math.max(1, Math.min(6, Math.floor(table.length / 2))));
  const knownColumns = [...options.knownColumns, ...(own ?? [])];
  const profiles = profilesOf(body, spans.length);
  const { rows } = headerOf(table, profiles, { header: options.header, knownColumns });
  // Names that are told need no header; the first line is one when it holds names where figures are.
  const isHeader = rows > 0 && (own === undefined || options.header === true ||
    profiles.some(({ kind }, i) =>
      kind !== null && isFigure(kind) && !isFigure(cellKind(table[0].cells[i]))
    ));
  const skipped = isHeader ? lineOfRecord(lines, above, rows) : above;
  const header2 = isHeader ? table.slice(0, rows).map(({ cells }) => cells) : [];
  return { columns: own ?? columnNames(header2, spans.length, []), above: skipped };
}

/** Lines up to and with the n-th that is not blank. */
function lineOfRecord(lines: readonly string[], above: number, records: number): number {
  let at = above;
  for (let left = records; left > 0 && at < lines.length; at++) {
    if (lines[at].trim() !== "") left--;
  }
  return at;
}

function lengthsOf(
  body: readonly string[],
  spans: readonly Span[],
): Pick<FixedTable, "length" | "lastNeeded" | "isNeeded"> {
  // The last ones may be a footer.
  const sure = body.slice(0, Math.max(1, body.length - 3));
  const lengths = new Set(sure.map(({ length }) => length));
  const needed = spans.flatMap(({ start, end }, i) =>
    i > 0 && sure.every((line) => line.slice(start, end).trim() !== "") ? [start] : []
  );
  return {
    length: lengths.size === 1 && sure.length >= 3 && sure.some((line) => line.endsWith(" "))
      ? [...lengths][0]
      : null,
    lastNeeded: needed.at(-1) ?? spans[0].start,
    isNeeded: needed.length > 0,
  };
}
