/** @module Records of a format, one by one: staged, or refused with their place and raw text. */
import type { ReadCall, RowSource } from "./format.ts";
import { type StagedColumn, TableStage } from "./staging.ts";

/** Where a record lies, in bytes of the file that is read. */
export interface RecordPlace {
  offset: number;
  bytes: number;
}

/** Why a record is refused. */
export interface Refusal {
  column?: string | null;
  rule: string;
  reason: string;
  raw: string;
}

/** Numbers records and keeps each: in the table, or with the refused ones. */
export class RecordStage {
  readonly #call: ReadCall;
  readonly #stage: TableStage;
  readonly #names: readonly string[];
  #row = 0;
  #refused = 0;

  constructor(call: ReadCall, columns: readonly StagedColumn[]) {
    this.#call = call;
    this.#stage = new TableStage(call, columns, { isPositioned: true });
    this.#names = columns.map(({ name }) => name);
  }

  /** Records until now, refused ones too. */
  get records(): number {
    return this.#row;
  }

  get refused(): number {
    return this.#refused;
  }

  /** Values by column's name; a column without one is null. */
  add(values: Readonly<Record<string, unknown>>, place: RecordPlace): void {
    this.#stage.add(this.#names.map((name) => values[name] ?? null), {
      row: ++this.#row,
      ...place,
    });
  }

  async refuse({ column = null, rule, reason, raw }: Refusal, place: RecordPlace): Promise<void> {
    const { file, refuse } = this.#call;
    this.#refused++;
    this.#row++;
    await refuse({
      file: file.name,
      row: this.#row,
      offset: file.isAsCollected ? place.offset : null,
      column,
      rule,
      reason: `Record ${this.#row} is refused: ${reason}`,
      raw,
    });
  }

  finish(): RowSource {
    return this.#stage.finish();
  }
}
