/** @module The table in a sheet: its header found, its rows staged as texts whose types are found out. */
import type { ReadCall, RowSource } from "../format.ts";
import { type StagedColumn, TableStage } from "../staging.ts";
import { cellKind, type CellText, columnsMax, type Sheet, type SheetRow } from "./book.ts";
import { ColumnFigures } from "./column_figures.ts";
import { findHeader } from "./header.ts";

/** Rows that the header is found in. */
const HEAD_ROWS = 200;
const GROUP_ROWS = 16_384;

/** Stage the rows of a sheet. */
export async function stageSheet(call: ReadCall, sheet: Sheet): Promise<RowSource> {
  let width = 0;
  while (true) {
    const table = new SheetTable(call, width);
    for await (const rows of sheet.rows(call.signal)) {
      for (const row of rows) table.add(row);
    }
    const source = table.finish();
    if (source) return source;
    // A row far down has more columns than those before.
    width = table.width;
  }
}

class SheetTable {
  readonly #call: ReadCall;
  #head: SheetRow[] | null = [];
  #stage: TableStage | null = null;
  /** Texts of the header by column, empty for none. */
  #names: string[] = [];
  #columns: (CellText | null)[][] = [];
  #pending = 0;
  #rows = 0;
  #figures: ColumnFigures[] = [];
  /** Columns up to the last that a row has. */
  width: number;
  #staged = 0;
  /** Cells by the error that they hold. */
  #errors = new Map<string, number>();

  constructor(call: ReadCall, width: number) {
    this.#call = call;
    this.width = width;
  }

  add(row: SheetRow): void {
    if (row.number <= (this.#call.options.skipLines ?? 0) || isBlank(row)) return;
    if (this.#head === null) return this.#put(row);
    this.#head.push(row);
    if (this.#head.length === HEAD_ROWS) this.#begin();
  }

  /** Null when there were more columns than were known. */
  finish(): RowSource | null {
    if (this.#head !== null) this.#begin();
    if (this.width > this.#staged) return null;
    this.#flush();
    return this.#shown(this.#stage!.finish());
  }

  #begin(): void {
    const head = this.#head!;
    this.#head = null;
    for (const { cells } of head) this.width = Math.max(this.width, cells.length);
    this.#staged = Math.max(1, this.width);
    const { names, rows } = findHeader(head, this.#call.options);
    this.#names = Array.from({ length: this.#staged }, (_, i) => names[i] ?? "");
    this.#figures = Array.from({ length: this.#staged }, () => new ColumnFigures());
    this.#columns = Array.from({ length: this.#staged }, () => []);
    const columns = this.#names.map((name): StagedColumn => ({ name, type: "VARCHAR" }));
    this.#stage = new TableStage(this.#call, columns, { isPositioned: false });
    for (const row of rows) this.#put(row);
  }

  #put({ cells, kinds }: SheetRow): void {
    if (cells.length > this.#staged) this.width = Math.max(this.width, cells.length);
    for (let i = 0; i < this.#staged; i++) {
      let cell = cells[i] ?? null;
      if (cell !== null && kinds[i] === cellKind.error) {
        this.#countError(cell);
        cell = null;
      }
      this.#columns[i].push(cell);
      if (cell !== null) this.#figures[i].add(cell, kinds[i]);
    }
    this.#rows++;
    if (++this.#pending === GROUP_ROWS) this.#flush();
  }

  /** An error is no value. */
  #countError(cell: CellText): void {
    const error = typeof cell === "string" ? cell : new TextDecoder().decode(cell);
    this.#errors.set(error, (this.#errors.get(error) ?? 0) + 1);
  }

  #notes(): string[] {
    if (this.#errors.size === 0) return [];
    const counts = [...this.#errors].slice(0, 10).map(([error, count]) => `${count} ${error}`);
    return [`Cells with errors are null: ${counts.join(", ")}`];
  }

  #flush(): void {
    if (this.#pending === 0) return;
    if (this.width <= this.#staged) this.#stage!.addColumns(this.#columns, this.#pending);
    for (const column of this.#columns) column.length = 0;
    this.#pending = 0;
  }

  /** Without columns that have neither name nor value; types where values are no texts. */
  #shown(source: RowSource): RowSource {
    const found = this.#names.flatMap((name, at) => {
      const figures = this.#figures[at];
      return name !== "" || !figures.isEmpty ? [{ name, at, figures }] : [];
    });
    const shown = found.length > 0 ? found : [{ name: "", at: 0, figures: this.#figures[0] }];
    const names = uniqueNames(shown.map(({ name }) => name));
    const columns = shown.map(({ figures }, i) => {
      const type = figures.type();
      const isLoose = type === null && !figures.hasOnlyTexts;
      return { name: names[i], type: type ?? "VARCHAR", isLoose };
    });
    const selected = shown.map(({ at }, i) => {
      const { type, isLoose } = columns[i];
      // Beside numbers and dates, an empty text is a formula's way to show nothing.
      if (isLoose) return `nullif(c${at}, '') AS c${i}`;
      return type === "VARCHAR" ? `c${at} AS c${i}` : `c${at}::${type} AS c${i}`;
    });
    const over = (inner: RowSource): RowSource => ({
      ...inner,
      columns,
      relation: `SELECT ${
        [
          ...selected,
          ...(inner.position === "carried" ? ["_tw_row", "_tw_offset", "_tw_at", "_tw_bytes"] : []),
        ].join(", ")
      } FROM (${inner.relation})`,
      hasNulls: false,
      notes: this.#notes(),
    });
    const numbered = over(source.numbered!);
    return this.#call.isCareful ? numbered : { ...over(source), numbered };
  }
}

function isBlank({ cells }: SheetRow): boolean {
  for (let i = 0; i < cells.length && i < columnsMax; i++) {
    const cell = cells[i];
    if (cell !== undefined && cell !== null && cell.length > 0) return false;
  }
  return true;
}

function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name, i) => {
    const base = name || `column${i}`;
    let unique = base;
    for (let n = 1; taken.has(unique.toLowerCase()); n++) unique = `${base}_${n}`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}
