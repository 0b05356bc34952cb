/** @module Statements (MT940, 941, 942, 950) as rows: one a statement line, or one a statement. */
import type { RecordStage } from "../record_stage.ts";
import type { StagedColumn } from "../staging.ts";
import {
  amountOf,
  type Balance,
  balanceOf,
  entryOf,
  equalAmounts,
  partsOf,
  sumOf,
} from "./fields.ts";
import { type MtField, type MtMessage, typeOf } from "./messages.ts";

const text = (name: string): StagedColumn => ({ name, type: "VARCHAR" });
const day = (name: string): StagedColumn => ({ name, type: "DATE" });
const amount = (name: string): StagedColumn => ({ name, type: "VARCHAR", isLoose: true });

const statementStart = [
  text("message_type"),
  text("account"),
  text("transaction_reference"),
  text("related_reference"),
  text("statement_number"),
  text("currency"),
];

const balances = [
  day("opening_date"),
  amount("opening_balance"),
  day("closing_date"),
  amount("closing_balance"),
  day("available_date"),
  amount("available_balance"),
];

/** Columns of a row per statement line. */
export const entryColumns: readonly StagedColumn[] = [
  ...statementStart,
  { name: "entry_number", type: "INTEGER" },
  day("value_date"),
  day("entry_date"),
  text("mark"),
  text("funds_code"),
  amount("amount"),
  text("transaction_type"),
  text("customer_reference"),
  text("bank_reference"),
  text("supplementary_details"),
  text("information"),
  { name: "information_parts", type: "JSON" },
  ...balances,
];

/** Columns of a row per statement. */
export const statementColumns: readonly StagedColumn[] = [
  ...statementStart,
  ...balances,
  { name: "entries", type: "INTEGER" },
  amount("entries_total"),
  { name: "is_balanced", type: "BOOLEAN" },
  { name: "is_final", type: "BOOLEAN" },
  { name: "debit_entries", type: "INTEGER" },
  amount("debit_total"),
  { name: "credit_entries", type: "INTEGER" },
  amount("credit_total"),
  text("information"),
];

/** Is it a statement, by its type or, without a header, by its fields? */
export function isStatement(message: MtMessage): boolean {
  const type = typeOf(message);
  if (type !== null) return /^(94[0-2]|950|97[0-2])$/.test(type);
  return message.fields.some(({ tag }) => /^(6[0-2][FM]?|28C?)$/.test(tag));
}

interface Statement {
  values: Record<string, unknown>;
  opening: Balance | null;
  closing: Balance | null;
  entries: { line: MtField; information: MtField | null }[];
  information: string | null;
  /** A field that cannot be read. */
  broken: { field: MtField; reason: string } | null;
}

/** One row a statement line; a line that cannot be read is refused alone. */
export async function stageEntries(message: MtMessage, stage: RecordStage): Promise<void> {
  const statement = read(message);
  let number = 0;
  for (const { line, information } of statement.entries) {
    number++;
    const place = { offset: line.offset, bytes: line.bytes + (information?.bytes ?? 0) };
    const entry = entryOf(line.value);
    const why = statement.broken?.reason ??
      (message.isEnded ? null : "its message ends before its last balance: the file was cut off") ??
      (typeof entry === "string" ? `:61: cannot be read: ${entry}` : null);
    if (why !== null || typeof entry === "string") {
      await stage.refuse({
        column: "61",
        rule: "swift_mt",
        reason: why!,
        raw: rawOf([line, information]),
      }, place);
      continue;
    }
    const info = information?.value ?? null;
    stage.add({
      ...statement.values,
      entry_number: number,
      value_date: entry.valueDate,
      entry_date: entry.entryDate,
      mark: entry.mark,
      funds_code: entry.fundsCode,
      amount: entry.amount,
      transaction_type: entry.transactionType,
      customer_reference: entry.customerReference,
      bank_reference: entry.bankReference,
      supplementary_details: entry.details,
      information: info,
      information_parts: info === null ? null : partsOf(info),
    }, place);
  }
  // A statement without lines has no row; one that cannot be read must not pass for it.
  if (statement.entries.length === 0 && (statement.broken || !message.isEnded)) {
    await refuseStatement(message, statement, stage);
  }
}

/** One row a statement; one with a line or balance that cannot be read is refused. */
export async function stageStatement(message: MtMessage, stage: RecordStage): Promise<void> {
  const statement = read(message);
  const entries = statement.entries.map(({ line }) => ({ line, entry: entryOf(line.value) }));
  const bad = entries.find(({ entry }) => typeof entry === "string");
  if (bad) {
    statement.broken ??= { field: bad.line, reason: `:61: cannot be read: ${bad.entry}` };
  }
  if (statement.broken || !message.isEnded) return await refuseStatement(message, statement, stage);
  const amounts = entries.map(({ entry }) => (entry as { amount: string }).amount);
  const { opening, closing } = statement;
  stage.add({
    ...statement.values,
    entries: amounts.length,
    entries_total: sumOf(amounts),
    is_balanced: opening && closing
      ? equalAmounts(sumOf([opening.amount, ...amounts]), closing.amount)
      : null,
    information: statement.information,
  }, message);
}

async function refuseStatement(
  message: MtMessage,
  { broken }: Statement,
  stage: RecordStage,
): Promise<void> {
  const reason = broken?.reason ?? "the message ends before its last balance: the file was cut off";
  await stage.refuse({
    column: broken?.field.tag ?? null,
    rule: "swift_mt",
    reason,
    raw: rawOf(message.fields),
  }, message);
}

function read(message: MtMessage): Statement {
  const statement: Statement = {
    values: { message_type: typeOf(message) },
    opening: null,
    closing: null,
    entries: [],
    information: null,
    broken: null,
  };
  const { values } = statement;
  let isAfterEntry = false;
  for (const field of message.fields) {
    const { tag } = field;
    if (tag === "61") {
      statement.entries.push({ line: field, information: null });
      isAfterEntry = true;
      continue;
    }
    if (tag === "86" && isAfterEntry) {
      const entry = statement.entries.at(-1)!;
      if (!entry.information) entry.information = field;
      // More than one 86 of an entry: they continue each other.
      else entry.information = { ...field, value: `${entry.information.value}\n${field.value}` };
      continue;
    }
    isAfterEntry = false;
    if (tag === "86") statement.information = joined(statement.information, field.value);
    else takeField(statement, field);
  }
  values.currency ??= statement.opening?.currency ?? statement.closing?.currency ?? null;
  return statement;
}

const plainTags: Readonly<Record<string, string>> = {
  "20": "transaction_reference",
  "21": "related_reference",
  "25": "account",
  "25P": "account",
  "28": "statement_number",
  "28C": "statement_number",
};

function takeField(statement: Statement, field: MtField): void {
  const { values } = statement;
  const { tag, value } = field;
  if (tag in plainTags) {
    values[plainTags[tag]] ??= value.trim();
    return;
  }
  const kind = tag.slice(0, 2);
  if (kind === "60" || kind === "62" || tag === "64") {
    const balance = balanceOf(value);
    if (!balance) {
      statement.broken ??= {
        field,
        reason: `:${tag}: is no balance (mark, date, currency, amount): ${JSON.stringify(value)}`,
      };
      return;
    }
    const name = kind === "60" ? "opening" : kind === "62" ? "closing" : "available";
    values[`${name}_date`] = balance.date;
    values[`${name}_balance`] = balance.amount;
    if (name === "opening") statement.opening ??= balance;
    if (name === "closing") {
      statement.closing = balance;
      values.is_final = tag !== "62M";
    }
  } else if (tag === "90D" || tag === "90C") takeTotal(statement, field);
}

function takeTotal({ values }: Statement, { tag, value }: MtField): void {
  const match = value.trim().match(/^(\d{1,5})([A-Z]{3})([\d,]+)$/);
  const total = match ? amountOf(match[3]) : null;
  if (!match || total === null) return;
  const name = tag === "90D" ? "debit" : "credit";
  values[`${name}_entries`] = Number(match[1]);
  values[`${name}_total`] = total;
  values.currency ??= match[2];
}

function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}\n${value}`;
}

function rawOf(fields: readonly (MtField | null)[]): string {
  return fields.flatMap((field) => field ? [`:${field.tag}:${field.value}`] : []).join("\n");
}
