/** @module NACHA ACH files: records of 94 characters, checked by their batches' and file's controls. */
import { AppError } from "../../../../src/model/errors.ts";
import { ControlledRows } from "../controls.ts";
import type { ReadCall, RowSource } from "../format.ts";
import { type Line, linesOf } from "../lines.ts";
import { RecordStage } from "../record_stage.ts";
import type { StagedColumn } from "../staging.ts";
import { RECORD_CHARS } from "./mod.ts";

const text = (name: string): StagedColumn => ({ name, type: "VARCHAR" });
const day = (name: string): StagedColumn => ({ name, type: "VARCHAR", isLoose: true });

const columns: readonly StagedColumn[] = [
  text("immediate_destination"),
  text("immediate_origin"),
  day("file_creation_date"),
  text("file_creation_time"),
  text("file_id_modifier"),
  text("service_class"),
  text("company_name"),
  text("company_discretionary_data"),
  text("company_identification"),
  text("entry_class"),
  text("entry_description"),
  text("descriptive_date"),
  day("effective_entry_date"),
  text("originating_dfi"),
  { name: "batch_number", type: "INTEGER" },
  text("transaction_code"),
  text("direction"),
  text("receiving_dfi"),
  text("account_number"),
  { name: "amount", type: { decimal: [18, 2] } },
  text("individual_id"),
  text("individual_name"),
  text("discretionary_data"),
  text("trace_number"),
  text("return_code"),
  { name: "addenda", type: { list: "VARCHAR" } },
];

interface Record {
  text: string;
  offset: number;
  bytes: number;
  number: number;
}

/** Read the entries of a file. */
export async function readNacha(call: ReadCall): Promise<RowSource> {
  const reader = new Reader(call);
  for (const record of recordsOf(call)) await reader.take(record);
  return reader.finish();
}

/** Records, which some systems write without line ends. */
function* recordsOf(call: ReadCall): Generator<Record> {
  let number = 0;
  for (const line of linesOf(call)) {
    const text = line.text;
    if (text.trim() === "") continue;
    // Blanks at a line's end may have been cut.
    if (text.length <= RECORD_CHARS) {
      yield {
        text: text.padEnd(RECORD_CHARS),
        offset: line.offset,
        bytes: line.bytes,
        number: ++number,
      };
      continue;
    }
    if (text.trimEnd().length <= RECORD_CHARS) {
      yield {
        text: text.slice(0, RECORD_CHARS),
        offset: line.offset,
        bytes: line.bytes,
        number: ++number,
      };
      continue;
    }
    if (text.length % RECORD_CHARS !== 0 || text.length !== lengthIn(line)) throw odd(call, line);
    for (let at = 0; at < text.length; at += RECORD_CHARS) {
      yield {
        text: text.slice(at, at + RECORD_CHARS),
        offset: line.offset + at,
        bytes: RECORD_CHARS,
        number: ++number,
      };
    }
  }
}

/** Bytes of a line without its end; as many as characters where all are ASCII. */
function lengthIn({ text, bytes, isEnded }: Line): number {
  return isEnded && bytes - text.length > 0 ? text.length : bytes;
}

function odd({ file }: ReadCall, { offset, text }: Line): AppError {
  return new AppError(
    "CORRUPT",
    `Cannot read ${file.name} as NACHA: the line at byte ${offset} has ${text.length} characters, ` +
      `not ${RECORD_CHARS}`,
  );
}

/** What controls count. */
interface Totals {
  entries: number;
  hash: bigint;
  debit: bigint;
  credit: bigint;
}

const empty = (): Totals => ({ entries: 0, hash: 0n, debit: 0n, credit: 0n });

class Reader {
  readonly #name: string;
  readonly #stage: RecordStage;
  readonly #batch: ControlledRows;
  #values: { [name: string]: unknown } | null = null;
  #batchValues: { [name: string]: unknown } | null = null;
  #totals = empty();
  #batchTotals = empty();
  #batches = 0;
  #fault: string | null = null;
  #isEnded = false;

  constructor(call: ReadCall) {
    this.#name = call.file.name;
    this.#stage = new RecordStage(call, columns);
    this.#batch = new ControlledRows(this.#stage, "nacha");
  }

  async take(record: Record): Promise<void> {
    const { text } = record;
    if (this.#isEnded) {
      // Blocks of ten records are filled up with nines.
      if (/^9+$/.test(text)) return;
      throw this.#broken(record, "it follows the file control (9)");
    }
    const type = text[0];
    if (type === "1") this.#begin(record);
    else if (type === "5") this.#beginBatch(record);
    else if (type === "6") this.#entry(record);
    else if (type === "7") this.#addenda(record);
    else if (type === "8") await this.#endBatch(record);
    else if (type === "9") this.#end(record);
    else throw this.#broken(record, `there is no record type ${JSON.stringify(type)}`);
  }

  finish(): RowSource {
    if (this.#isEnded) return this.#stage.finish();
    throw new AppError(
      "CORRUPT",
      `Cannot read ${this.#name} as NACHA: it ends before its file control (9): it was cut off`,
    );
  }

  #begin(record: Record): void {
    if (this.#values) throw this.#broken(record, "a second file header");
    const field = fields(record.text);
    this.#values = {
      immediate_destination: field(4, 13),
      immediate_origin: field(14, 23),
      file_creation_date: isoDate(field(24, 29)),
      file_creation_time: field(30, 33),
      file_id_modifier: field(34, 34),
    };
  }

  #beginBatch(record: Record): void {
    if (!this.#values) throw this.#broken(record, "a batch before the file header (1)");
    if (this.#batchValues) throw this.#broken(record, "the batch before has no control (8)");
    const field = fields(record.text);
    this.#batchTotals = empty();
    this.#fault = null;
    this.#batchValues = {
      ...this.#values,
      service_class: field(2, 4),
      company_name: field(5, 20),
      company_discretionary_data: field(21, 40),
      company_identification: field(41, 50),
      entry_class: field(51, 53),
      entry_description: field(54, 63),
      descriptive_date: field(64, 69),
      effective_entry_date: isoDate(field(70, 75)),
      originating_dfi: field(80, 87),
      batch_number: whole(field(88, 94)),
    };
  }

  #entry(record: Record): void {
    if (!this.#batchValues) throw this.#broken(record, "an entry outside of a batch");
    const field = fields(record.text);
    const isInternational = this.#batchValues.entry_class === "IAT";
    const code = field(2, 3);
    const cents = whole(field(30, 39));
    if (cents === null) this.#fault ??= `the amount ${JSON.stringify(field(30, 39))} is no number`;
    const direction = directionOf(code);
    const totals = this.#batchTotals;
    totals.entries++;
    totals.hash += BigInt(whole(field(4, 11)) ?? 0);
    if (direction !== null) totals[direction] += BigInt(cents ?? 0);
    this.#batch.add(
      {
        ...this.#batchValues,
        transaction_code: code,
        direction,
        receiving_dfi: field(4, 12),
        account_number: isInternational ? field(40, 74) : field(13, 29),
        amount: cents === null ? null : BigInt(cents),
        individual_id: isInternational ? null : field(40, 54),
        individual_name: isInternational ? null : field(55, 76),
        discretionary_data: isInternational ? null : field(77, 78),
        trace_number: field(80, 94),
        addenda: null,
      },
      record,
      record.text,
    );
  }

  #addenda(record: Record): void {
    const entry = this.#batch.last;
    if (!entry) throw this.#broken(record, "an addenda without an entry");
    const field = fields(record.text);
    this.#batchTotals.entries++;
    const { values } = entry;
    const isReturn = field(2, 3) === "99" || field(2, 3) === "98";
    values.addenda = [...(values.addenda as string[] ?? []), record.text.slice(1).trimEnd()];
    if (isReturn) values.return_code = field(4, 6);
    entry.place = {
      offset: entry.place.offset,
      bytes: record.offset + record.bytes - entry.place.offset,
    };
    entry.raw += `\n${record.text}`;
  }

  async #endBatch(record: Record): Promise<void> {
    if (!this.#batchValues) throw this.#broken(record, "a batch control (8) without a batch");
    const field = fields(record.text);
    const own = totalsAt(field, {
      entries: [5, 10],
      hash: [11, 20],
      debit: [21, 32],
      credit: [33, 44],
    });
    const fault = this.#fault ?? difference(own, this.#batchTotals, "its batch control (8)");
    await this.#batch.close(fault);
    // The file control is over what the batches say of themselves.
    this.#totals.entries += own.entries;
    this.#totals.hash += own.hash;
    this.#totals.debit += own.debit;
    this.#totals.credit += own.credit;
    this.#batches++;
    this.#batchValues = null;
  }

  #end(record: Record): void {
    if (this.#batchValues) throw this.#broken(record, "the batch before has no control (8)");
    if (!this.#values) throw this.#broken(record, "a file control (9) without a header");
    const field = fields(record.text);
    const own = totalsAt(field, {
      entries: [14, 21],
      hash: [22, 31],
      debit: [32, 43],
      credit: [44, 55],
    });
    const fault = whole(field(2, 7)) === this.#batches
      ? difference(own, this.#totals, "the file control (9)")
      : `it says ${field(2, 7)} batches, and there are ${this.#batches}`;
    if (fault !== null) throw this.#broken(record, fault);
    this.#isEnded = true;
  }

  #broken({ number, offset }: Record, why: string): AppError {
    return new AppError(
      "CORRUPT",
      `Cannot read ${this.#name} as NACHA: record ${number} at byte ${offset}: ${why}`,
    );
  }
}

type Field = (from: number, to: number) => string | null;

/** Fields by the positions that the rules give, from 1; null for blanks. */
function fields(text: string): Field {
  return (from, to) => text.slice(from - 1, to).trim() || null;
}

function whole(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function totalsAt(
  field: Field,
  at: { [K in keyof Totals]: [number, number] },
): Totals {
  const value = (range: [number, number]) => BigInt(whole(field(...range)) ?? 0);
  return {
    entries: Number(value(at.entries)),
    hash: value(at.hash),
    debit: value(at.debit),
    credit: value(at.credit),
  };
}

const HASH_MODULUS = 10n ** 10n;

function difference(says: Totals, found: Totals, who: string): string | null {
  const hash = found.hash % HASH_MODULUS;
  if (says.entries !== found.entries) {
    return `${who} says ${says.entries} entries and addenda, and there are ${found.entries}`;
  }
  if (says.hash !== hash) return `${who} says the entry hash ${says.hash}, and it is ${hash}`;
  if (says.debit !== found.debit) {
    return `${who} says debits of ${says.debit} cents, and they sum up to ${found.debit}`;
  }
  if (says.credit !== found.credit) {
    return `${who} says credits of ${says.credit} cents, and they sum up to ${found.credit}`;
  }
  return null;
}

/** By the last digit of the transaction code: 1 to 4 pay in, 5 to 9 take out. */
function directionOf(code: string | null): "debit" | "credit" | null {
  const match = code?.match(/^[2-5](\d)$/);
  if (!match) return null;
  return Number(match[1]) >= 5 ? "debit" : "credit";
}

/** `260105` as `2026-01-05`; null for none. */
function isoDate(text: string | null): string | null {
  const match = text?.match(/^(\d\d)(\d\d)(\d\d)$/);
  return match ? `20${match[1]}-${match[2]}-${match[3]}` : null;
}
