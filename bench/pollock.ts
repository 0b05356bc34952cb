/**
 * @module How near a table comes to the clean one, as the Pollock benchmark measures it (Vitagliano et
 * al., VLDB 2023): precision, recall and F1 of header, records and cells as multisets, and whether
 * there is a table at all. Ten figures from 0 to 1; their sum is a file's score. Records are compared
 * without regard to case and to how a number is written, cells as they are.
 */

/** A table as rows of texts, the header first. */
export type Rows = readonly (readonly string[])[];

/** The ten figures of one file; all 0 when there is no table. */
export function pollockScore(clean: Rows, loaded: Rows | null): number {
  if (loaded === null) return 0;
  if (clean.length === 0) return 10;
  return 1 + header(clean[0], loaded[0]) + records(clean, loaded) + cells(clean, loaded);
}

function header(clean: readonly string[], loaded: readonly string[] | undefined): number {
  if (clean.length === 0) return 3;
  return loaded ? measures(clean.map(normal), loaded.map(normal)) : 0;
}

function records(clean: Rows, loaded: Rows): number {
  if (clean.length === 1) return 3;
  const joined = (rows: Rows) => rows.slice(1).map((row) => row.map(normal).join(""));
  return measures(joined(clean), joined(loaded));
}

function cells(clean: Rows, loaded: Rows): number {
  return measures(clean.flat(), loaded.flat());
}

/** Precision, recall and F1 together. */
function measures(clean: readonly string[], loaded: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const text of clean) counts.set(text, (counts.get(text) ?? 0) + 1);
  let common = 0;
  for (const text of loaded) {
    const left = counts.get(text) ?? 0;
    if (left === 0) continue;
    common++;
    counts.set(text, left - 1);
  }
  if (common === 0) return 0;
  const precision = common / clean.length;
  const recall = common / loaded.length;
  return precision + recall + 2 * precision * recall / (precision + recall);
}

function normal(text: string): string {
  const lower = text.trim() === "" ? "" : text.toLowerCase();
  if (lower === "true" || lower === "false") return lower === "true" ? "1" : "0";
  return /^[+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?$/.test(lower) ? String(Number(lower)) : lower;
}

/** Rows of a text with commas and doubled quotes, as the clean tables are written. */
export function plainRows(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let isQuoted = false;
  const endRow = () => {
    rows.push([...row, cell]);
    row = [];
    cell = "";
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (isQuoted) {
      if (char !== '"') cell += char;
      else if (text[i + 1] === '"') cell += text[i++];
      else isQuoted = false;
    } else if (char === '"') isQuoted = true;
    else if (char === ",") {
      row.push(cell);
      cell = "";
    } else if (char === "\n") endRow();
    else if (char !== "\r") cell += char;
  }
  if (cell !== "" || row.length > 0) endRow();
  return rows;
}
