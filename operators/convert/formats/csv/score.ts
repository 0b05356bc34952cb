/**
 * @module How well a grammar explains a sample: records of one width, columns of one kind. Both are
 * needed: any sign that is once on each line makes records of one width.
 */
import { type CellKind, cellKind } from "./cell_kind.ts";
import type { Grammar, SampleRecord } from "./tokenize.ts";

/** How well a grammar does, and on what grounds. */
export interface Score {
  value: number;
  /** Columns of most records. */
  width: number;
}

const kindWorth: Readonly<Record<CellKind, number>> = {
  empty: 0.75,
  integer: 1,
  number: 1,
  money: 1,
  percent: 1,
  date: 1,
  time: 1,
  stamp: 1,
  boolean: 1,
  url: 1,
  email: 1,
  uuid: 1,
  code: 0.95,
  text: 0.85,
  odd: 0.2,
};

/** What several tables of their own widths are worth beside one. */
const SEVERAL = 0.8;
const JUDGED_ROWS = 300;
const JUDGED_CELLS = 40;
/** Signs that are in a cell seldom, between cells often. */
const delimiting = [";", "|", "\t", "\x01", "\x1f", "^", "~"];

/** Score the records that a grammar makes of a sample. */
export function scoreRecords(records: readonly SampleRecord[], grammar: Grammar): Score {
  if (records.length === 0) return { value: 0, width: 1 };
  const width = usualWidth(records.map(({ cells }) => cells.length));
  const usual = records.filter(({ cells, isBroken }) => cells.length === width && !isBroken);
  if (usual.length === 0) return { value: 0, width };
  const consistency = consistencyOf(records, width);
  const types = typeScore(usual, grammar);
  // One column explains everything, and nothing.
  const extent = width === 1 ? 0.3 : 1 - 0.5 / width;
  const isFromStart = records[0].cells.length === width;
  return { value: consistency * types * extent * (isFromStart ? 1 : 0.9), width };
}

/** The width that most records have; of equals, the larger one. */
export function usualWidth(widths: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const width of widths) counts.set(width, (counts.get(width) ?? 0) + 1);
  let best = 1;
  let most = 0;
  for (const [width, count] of counts) {
    // A width of one is what titles and notes have.
    const weight = width === 1 ? count * 0.9 : count;
    if (weight > most || (weight === most && width > best)) [best, most] = [width, weight];
  }
  return best;
}

/** Records around the table cost little, records inside of it much. */
function consistencyOf(records: readonly SampleRecord[], width: number): number {
  const isUsual = ({ cells, isBroken }: SampleRecord) => cells.length === width && !isBroken;
  const first = records.findIndex(isUsual);
  const last = records.findLastIndex(isUsual);
  const inside = records.slice(first, last + 1);
  const within = inside.filter(isUsual).length / inside.length;
  const coverage = inside.length / records.length;
  return Math.max(within ** 2 * coverage, SEVERAL * alikeNeighbours(records) ** 4);
}

/** Share of records that are as wide as the one before: high, too, in a file of several tables. */
function alikeNeighbours(records: readonly SampleRecord[]): number {
  if (records.length < 10) return 0;
  let alike = 0;
  for (let i = 1; i < records.length; i++) {
    const { length } = records[i].cells;
    if (length > 1 && length === records[i - 1].cells.length && !records[i].isBroken) alike++;
  }
  return alike / (records.length - 1);
}

function typeScore(records: readonly SampleRecord[], grammar: Grammar): number {
  const step = Math.max(1, Math.floor(records.length / JUDGED_ROWS));
  let worth = 0;
  let cells = 0;
  const width = records[0].cells.length;
  const columns = Math.min(width, JUDGED_CELLS);
  for (let column = 0; column < columns; column++) {
    const kinds = new Map<CellKind, number>();
    let own = 0;
    let count = 0;
    for (let row = 0; row < records.length; row += step) {
      const cell = records[row].cells[column];
      const kind = cellKind(cell);
      // The first record is a header more often than not.
      if (row > 0 || records.length === 1) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      own += cellWorth(cell, kind, grammar);
      count++;
    }
    worth += own / count * (0.8 + 0.2 * unity(kinds));
    cells++;
  }
  return worth / cells;
}

/** Share of the most frequent kind among those that say something. */
function unity(kinds: ReadonlyMap<CellKind, number>): number {
  let most = 0;
  let all = 0;
  let figures = 0;
  for (const [kind, count] of kinds) {
    if (kind === "empty") continue;
    all += count;
    if (kind === "integer" || kind === "number") figures += count;
    most = Math.max(most, count, figures);
  }
  return all === 0 ? 0.5 : most / all;
}

/** Quotes left at the sides of a cell, and delimiters inside of it, speak against a grammar. */
function cellWorth(cell: string, kind: CellKind, { quote }: Grammar): number {
  const x = cell.trim();
  if (x === "") return kindWorth.empty;
  const first = x[0];
  const last = x[x.length - 1];
  if (first === '"' || last === '"') return x.length > 1 && quote === '"' ? 0.5 : 0;
  if ((first === "'" || first === "`") && last === first && x.length > 1) return 0.3;
  if (first === "'" || last === "'") return 0.5;
  if (kind === "code" || kind === "text") {
    if (delimiting.some((sign) => x.includes(sign))) return 0.6;
    if (kind === "code" && !/[\p{L}\p{N}]/u.test(x)) return 0.4;
  }
  return kindWorth[kind];
}
