/** @module Of what kind the columns of a sample are. */
import { type CellKind, cellKind } from "./cell_kind.ts";
import type { ColumnProfile } from "./layout.ts";
import type { SampleRecord } from "./tokenize.ts";

const ROWS_MAX = 500;
const SHARE_MIN = 0.9;

/** Texts that stand for nothing in columns of figures. */
export const nullLike = /^(?:n\.?\/?a\.?n?|#n\/a|-+|null|none|nil|\?|missing|unknown|nd|\.+|\*+)$/i;

/** Profiles of the columns of these records, all of which have `width` cells. */
export function profilesOf(records: readonly SampleRecord[], width: number): ColumnProfile[] {
  const step = Math.max(1, Math.floor(records.length / ROWS_MAX));
  const judged = records.filter((_, i) => i % step === 0);
  return Array.from({ length: width }, (_, column) => {
    const kinds = new Map<CellKind, number>();
    let filled = 0;
    for (const { cells } of judged) {
      const cell = cells[column].trim();
      if (cell === "" || nullLike.test(cell)) continue;
      filled++;
      const kind = cellKind(cell);
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    const isEverEmpty = records.length === 0 ||
      records.some(({ cells }) => cells[column].trim() === "");
    return { kind: mainKind(kinds, filled), isEverEmpty };
  });
}

function mainKind(kinds: ReadonlyMap<CellKind, number>, filled: number): CellKind | null {
  if (filled === 0) return null;
  const count = (...of: CellKind[]) => of.reduce((sum, kind) => sum + (kinds.get(kind) ?? 0), 0);
  const [kind, most] = [...kinds].toSorted((a, b) => b[1] - a[1])[0];
  if (most >= SHARE_MIN * filled) return kind;
  if (count("integer", "number") >= SHARE_MIN * filled) return "number";
  if (count("integer", "number", "money") >= SHARE_MIN * filled) return "money";
  if (count("date", "stamp") >= SHARE_MIN * filled) return "stamp";
  if (count("code", "integer", "boolean", "number") >= SHARE_MIN * filled) return "code";
  return null;
}
