/** @module BAI2: cash management reports of banks, checked by their control totals. */
import { AppError } from "../../../../src/model/errors.ts";
import { ControlledRows } from "../controls.ts";
import type { ReadCall, RowSource } from "../format.ts";
import { linesOf } from "../lines.ts";
import { RecordStage } from "../record_stage.ts";
import type { StagedColumn } from "../staging.ts";
import type { Bai2Params } from "./params.ts";
import { amountOf, type Bai2Record, fundsAt, isoDate, recordsOf } from "./records.ts";

const text = (name: string): StagedColumn => ({ name, type: "VARCHAR" });
const day = (name: string): StagedColumn => ({ name, type: "VARCHAR", isLoose: true });
const amount = day;

const accountColumns = [
  text("sender"),
  text("receiver"),
  text("file_id"),
  day("file_date"),
  text("originator"),
  text("group_status"),
  day("as_of_date"),
  text("as_of_time"),
  text("account"),
  text("currency"),
  text("type_code"),
  text("direction"),
  amount("amount"),
];
const columnsOf: Record<Bai2Params["rows"], readonly StagedColumn[]> = {
  transaction: [
    ...accountColumns,
    text("funds_type"),
    { name: "funds_detail", type: "JSON" },
    text("bank_reference"),
    text("customer_reference"),
    text("text"),
  ],
  balance: [
    ...accountColumns,
    { name: "item_count", type: "INTEGER" },
    text("funds_type"),
    { name: "funds_detail", type: "JSON" },
  ],
};

/** Read the accounts of a file. */
export async function readBai2(call: ReadCall): Promise<RowSource> {
  const reader = new Reader(call);
  for (const record of recordsOf(linesOf(call), call.file.name)) await reader.take(record);
  return await reader.finish();
}

/** Sum and counts that a control record must agree with. */
interface Totals {
  sum: bigint;
  records: number;
  parts: number;
}

const empty = (): Totals => ({ sum: 0n, records: 0, parts: 0 });

class Reader {
  readonly #name: string;
  readonly #rows: Bai2Params["rows"];
  readonly #stage: RecordStage;
  readonly #pending: ControlledRows;
  readonly #values: Record<string, unknown> = {};
  #groupCurrency = "USD";
  #file: Totals | null = null;
  #group: Totals | null = null;
  #account: Totals | null = null;
  #isEnded = false;
  /** What of the account cannot be read. */
  #fault: string | null = null;

  constructor(call: ReadCall) {
    this.#name = call.file.name;
    this.#rows = call.options.bai2?.rows ?? "transaction";
    this.#stage = new RecordStage(call, columnsOf[this.#rows]);
    this.#pending = new ControlledRows(this.#stage, "bai2");
  }

  async take(record: Bai2Record): Promise<void> {
    const { type, fields, lines } = record;
    if (this.#isEnded) throw this.#broken(record, "it follows the end of the file (99)");
    for (const totals of [this.#file, this.#group, this.#account]) {
      if (totals) totals.records += lines;
    }
    if (type === "01") this.#begin(record);
    else if (type === "02") this.#beginGroup(record);
    else if (type === "03") await this.#beginAccount(record);
    else if (type === "16") this.#transaction(record);
    else if (type === "49") await this.#endAccount(record);
    else if (type === "98") this.#endGroup(record);
    else {
      const { parts, sum, records } = this.#open(this.#file, record);
      if (this.#group) throw this.#broken(record, "its group has no end (98)");
      this.#agree(record, fields, { sum, parts, records }, "groups");
      this.#isEnded = true;
    }
  }

  async finish(): Promise<RowSource> {
    if (!this.#isEnded) {
      throw new AppError(
        "CORRUPT",
        `Cannot read ${this.#name} as BAI2: it ends before its last record (99): it was cut off`,
      );
    }
    await this.#pending.close(null);
    return this.#stage.finish();
  }

  #begin(record: Bai2Record): void {
    if (this.#file) {
      throw this.#broken(record, "a second file begins before the first one's end (99)");
    }
    const [sender, receiver, date, , id] = record.fields;
    Object.assign(this.#values, { sender, receiver, file_id: id, file_date: isoDate(date ?? "") });
    this.#file = { ...empty(), records: record.lines };
  }

  #beginGroup(record: Bai2Record): void {
    this.#open(this.#file, record);
    if (this.#group) throw this.#broken(record, "the group before has no end (98)");
    const [, originator, status, date, time, currency] = record.fields;
    const asOf = isoDate(date ?? "");
    if (asOf === null) {
      throw this.#broken(record, `its as-of date is ${JSON.stringify(date ?? "")}`);
    }
    Object.assign(this.#values, {
      originator,
      group_status: status,
      as_of_date: asOf,
      as_of_time: time || null,
    });
    this.#groupCurrency = currency?.trim() || "USD";
    this.#group = { ...empty(), records: record.lines };
  }

  #beginAccount(record: Bai2Record): void {
    this.#open(this.#group, record);
    if (this.#account) throw this.#broken(record, "the account before has no end (49)");
    const { fields } = record;
    const currency = fields[1]?.trim() || this.#groupCurrency;
    Object.assign(this.#values, { account: fields[0], currency });
    this.#account = { ...empty(), records: record.lines };
    this.#fault = null;
    for (let at = 2; at < fields.length;) {
      const [code = "", digits = "", items = ""] = fields.slice(at, at + 3).map((field) =>
        field?.trim() ?? ""
      );
      if (code === "" && digits === "") {
        at += 4;
        continue;
      }
      const value = digits === "" ? null : amountOf(digits, currency);
      const funds = fundsAt(fields, at + 3);
      if (typeof funds === "string") return void (this.#fault ??= `summary ${code}: ${funds}`);
      if (digits !== "" && value === null) {
        return void (this.#fault ??= `summary ${code} has the amount ${JSON.stringify(digits)}`);
      }
      this.#account.sum += BigInt(digits === "" ? 0 : digits.replace("+", ""));
      if (this.#rows === "balance") {
        this.#pending.add(
          {
            ...this.#values,
            type_code: code,
            direction: directionOf(code),
            amount: value,
            item_count: /^\d+$/.test(items) ? Number(items) : null,
            funds_type: funds.type,
            funds_detail: funds.detail,
          },
          record,
          record.raw,
        );
      }
      at = funds.next;
    }
  }

  #transaction(record: Bai2Record): void {
    const account = this.#open(this.#account, record);
    const { fields } = record;
    const [code, digits = ""] = fields.map((field) => field.trim());
    const value = digits === "" ? null : amountOf(digits, String(this.#values.currency));
    const funds = fundsAt(fields, 2);
    if (typeof funds === "string" || (value === null && digits !== "")) {
      this.#fault ??= typeof funds === "string"
        ? `transaction ${code}: ${funds}`
        : `transaction ${code} has the amount ${JSON.stringify(digits)}`;
      this.#pending.add({}, record, record.raw);
      return;
    }
    account.sum += BigInt(digits === "" ? 0 : digits.replace("+", ""));
    const [bank, customer, ...rest] = fields.slice(funds.next);
    if (this.#rows !== "transaction") return;
    this.#pending.add(
      {
        ...this.#values,
        type_code: code,
        direction: directionOf(code),
        amount: value,
        funds_type: funds.type,
        funds_detail: funds.detail,
        bank_reference: bank?.trim() || null,
        customer_reference: customer?.trim() || null,
        text: rest.join(",").trim() || null,
      },
      record,
      record.raw,
    );
  }

  async #endAccount(record: Bai2Record): Promise<void> {
    const account = this.#open(this.#account, record);
    const group = this.#open(this.#group, record);
    const [total, records] = record.fields.map((field) => field.trim());
    let fault = this.#fault;
    if (bigintOf(total) !== account.sum) {
      fault ??=
        `its account's control total (49) says ${total}, its amounts sum up to ${account.sum}`;
    } else if (Number(records) !== account.records) {
      fault ??=
        `its account's control record (49) says ${records} records, and it has ${account.records}`;
    }
    await this.#pending.close(fault);
    // The control of the group is over what its accounts say of themselves.
    group.sum += bigintOf(total) ?? 0n;
    group.parts++;
    this.#account = null;
  }

  #endGroup(record: Bai2Record): void {
    const group = this.#open(this.#group, record);
    if (this.#account) throw this.#broken(record, "its account has no end (49)");
    this.#agree(record, record.fields, group, "accounts");
    this.#file!.sum += group.sum;
    this.#file!.parts++;
    this.#group = null;
  }

  #agree(record: Bai2Record, fields: readonly string[], totals: Totals, what: string): void {
    const [total, parts, records] = fields.map((field) => field.trim());
    if (bigintOf(total) !== totals.sum) {
      throw this.#broken(record, `it says the total ${total}, and the ${what} have ${totals.sum}`);
    }
    if (Number(parts) !== totals.parts) {
      throw this.#broken(record, `it says ${parts} ${what}, and there are ${totals.parts}`);
    }
    if (Number(records) !== totals.records) {
      throw this.#broken(record, `it says ${records} records, and there are ${totals.records}`);
    }
  }

  #open(totals: Totals | null, record: Bai2Record): Totals {
    if (totals) return totals;
    throw this.#broken(record, "what it belongs to was not begun");
  }

  #broken({ type, offset }: Bai2Record, why: string): AppError {
    return new AppError(
      "CORRUPT",
      `Cannot read ${this.#name} as BAI2: record ${type} at byte ${offset}: ${why}`,
    );
  }
}

function bigintOf(text: string | undefined): bigint | null {
  return text !== undefined && /^[+-]?\d{1,30}$/.test(text) ? BigInt(text.replace("+", "")) : null;
}

/** By the ranges of BAI's type codes; status codes are neither. */
function directionOf(code: string): string | null {
  const number = Number(code);
  if (number >= 100 && number < 400) return "credit";
  return number >= 400 && number < 700 ? "debit" : null;
}
