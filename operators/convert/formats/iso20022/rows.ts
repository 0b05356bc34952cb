/** @module Rows of the messages that are known, in the order of their document. */
import {
  type ElementHandler,
  elementsAt,
  kidOf,
  kidsOf,
  textAt,
  type XmlElement,
} from "../xml/elements.ts";
import { checkCount, checkSum, isDecimal, type Mismatch, Tally } from "./controls.ts";
import {
  amountAt,
  balanceFields,
  entryFields,
  type Field,
  groupFields,
  instructionFields,
  originalGroupFields,
  paymentAmounts,
  paymentFields,
  statementFields,
  statusFields,
  transactionFields,
} from "./fields.ts";
import type { Iso20022Params } from "./params.ts";

/** What a message is read by. */
interface MessageKind {
  kind: "statement" | "payment" | "status";
  /** Elements between the message and its records. */
  group: string | null;
  record: string;
}

/** Messages by the element that they are. */
export const messages: Readonly<Record<string, MessageKind>> = {
  BkToCstmrStmt: { kind: "statement", group: "Stmt", record: "Ntry" },
  BkToCstmrAcctRpt: { kind: "statement", group: "Rpt", record: "Ntry" },
  BkToCstmrDbtCdtNtfctn: { kind: "statement", group: "Ntfctn", record: "Ntry" },
  FIToFICstmrCdtTrf: { kind: "payment", group: null, record: "CdtTrfTxInf" },
  FICdtTrf: { kind: "payment", group: null, record: "CdtTrfTxInf" },
  FinInstnCdtTrf: { kind: "payment", group: null, record: "CdtTrfTxInf" },
  FIToFICstmrDrctDbt: { kind: "payment", group: null, record: "DrctDbtTxInf" },
  PmtRtr: { kind: "payment", group: null, record: "TxInf" },
  CstmrCdtTrfInitn: { kind: "payment", group: "PmtInf", record: "CdtTrfTxInf" },
  CstmrDrctDbtInitn: { kind: "payment", group: "PmtInf", record: "DrctDbtTxInf" },
  FIToFIPmtStsRpt: { kind: "status", group: null, record: "TxInfAndSts" },
  CstmrPmtStsRpt: { kind: "status", group: "OrgnlPmtInfAndSts", record: "TxInfAndSts" },
};

/** Columns of a kind of message. */
export function columnsOf(kind: MessageKind["kind"], rows: Iso20022Params["rows"]): string[] {
  const names = (fields: Field[]) => fields.map(([name]) => name);
  const head = ["message", ...names(groupFields)];
  if (kind === "payment") return [...head, ...names(instructionFields), ...names(paymentFields)];
  if (kind === "status") {
    const groups = [...originalGroupFields, ...instructionFields, ...statusFields];
    return [...head, ...names(groups)];
  }
  const statement = [...head, ...names(statementFields)];
  if (rows === "balance") return [...statement, ...names(balanceFields)];
  const entry = [...statement, ...names(entryFields), "entry_transactions"];
  return rows === "entry" ? entry : [...entry, "amount", "currency", ...names(transactionFields)];
}

/** A row, or why it is none. */
export interface MessageRow {
  cells: (string | null)[];
  offset: number;
  endOffset: number;
  /** Why the record is refused. */
  why: string | null;
}

/** What reading tells. */
export interface MessageEvents {
  row(row: MessageRow): void;
  mismatch(mismatches: Mismatch[], of: XmlElement): void;
}

/** Follows one document and makes rows of its messages of `kind`. */
export class MessageReader implements ElementHandler {
  readonly #kind: MessageKind["kind"];
  readonly #params: Iso20022Params;
  readonly #events: MessageEvents;
  #message: XmlElement | null = null;
  #type: MessageKind | null = null;
  #group: XmlElement | null = null;
  #messageTally = new Tally();
  #groupTally = new Tally();
  #rows = 0;

  constructor(
    kind: MessageKind["kind"],
    params: Iso20022Params,
    events: MessageEvents,
  ) {
    this.#kind = kind;
    this.#params = params;
    this.#events = events;
  }

  began(element: XmlElement): void {
    const { local } = element.name;
    if (this.#message === null) {
      const type = Object.hasOwn(messages, local) ? messages[local] : null;
      if (type === null) return;
      if (type.kind !== this.#kind) throw new MixedMessages(local);
      this.#message = element;
      this.#type = type;
      this.#messageTally = new Tally();
      this.#rows = 0;
    } else if (element.parent === this.#message && local === this.#type!.group) {
      this.#group = element;
      this.#groupTally = new Tally();
    }
  }

  ended(element: XmlElement): "keep" | "drop" {
    const message = this.#message;
    if (message === null) return "keep";
    const { local } = element.name;
    if (element === message) {
      this.#endMessage(message);
      return "drop";
    }
    if (element === this.#group) {
      this.#endGroup(element);
      return "drop";
    }
    const holder = this.#group ?? message;
    if (element.parent !== holder) return "keep";
    if (local === this.#type!.record) {
      this.#record(element);
      return "drop";
    }
    if (local === "Bal" && this.#params.rows === "balance" && this.#kind === "statement") {
      this.#balance(element);
    }
    return "keep";
  }

  #record(element: XmlElement): void {
    if (this.#kind === "statement") return this.#entry(element);
    const fields = this.#kind === "payment" ? paymentFields : statusFields;
    const amount = this.#kind === "payment" ? amountAt(element, ...paymentAmounts) : null;
    this.#messageTally.add(amount?.amount ?? null, null);
    this.#groupTally.add(amount?.amount ?? null, null);
    const why = this.#kind === "payment" ? wrongAmount(amount) : null;
    const cells = valuesOf(fields, element);
    if (this.#kind === "payment") this.#inherit(cells);
    this.#tell(element, [...this.#instruction(), ...cells], why);
  }

  /** What a payment does not say itself, its group or header may say for all. */
  #inherit(cells: (string | null)[]): void {
    const header = kidOf(this.#message, "GrpHdr");
    for (const [i, [name, of]] of paymentFields.entries()) {
      if (cells[i] !== null || !inherited.has(name)) continue;
      cells[i] = (this.#group && of(this.#group)) ?? (header && of(header));
    }
  }

  #entry(element: XmlElement): void {
    const amount = amountAt(element, "Amt");
    this.#groupTally.add(amount?.amount ?? null, textAt(element, "CdtDbtInd"));
    this.#messageTally.add(amount?.amount ?? null, textAt(element, "CdtDbtInd"));
    if (this.#params.rows === "balance") return;
    const why = wrongAmount(amount) ?? wrongSide(element);
    const transactions = elementsAt(element, "NtryDtls/TxDtls");
    const mismatches: Mismatch[] = [];
    for (const details of kidsOf(element, "NtryDtls")) checkBatch(details, mismatches);
    if (mismatches.length > 0) this.#events.mismatch(mismatches, element);
    const entry = [
      ...valuesOf(statementFields, this.#group),
      ...valuesOf(entryFields, element),
      String(transactions.length),
    ];
    if (this.#params.rows === "entry") return this.#tell(element, entry, why);
    if (transactions.length === 0 || why !== null) {
      const none = transactionFields.map(() => null);
      return this.#tell(element, [...entry, ...cellsOf(amount), ...none], why);
    }
    const sideAt = statementFields.length +
      entryFields.findIndex(([name]) => name === "credit_debit");
    for (const each of transactions) {
      const own = amountAt(each, "Amt", "AmtDtls/TxAmt/Amt") ??
        (transactions.length === 1 ? amount : null);
      const cells = [...entry, ...cellsOf(own), ...valuesOf(transactionFields, each)];
      cells[sideAt] = textAt(each, "CdtDbtInd") ?? cells[sideAt];
      this.#tell(each, cells, own === null ? null : wrongAmount(own));
    }
  }

  #balance(element: XmlElement): void {
    const cells = [...valuesOf(statementFields, this.#group), ...valuesOf(balanceFields, element)];
    this.#tell(element, cells, wrongAmount(amountAt(element, "Amt")));
  }

  /** What the group that a payment or status is in says. */
  #instruction(): (string | null)[] {
    const group = valuesOf(instructionFields, this.#group);
    if (this.#kind === "payment") return group;
    return [...valuesOf(originalGroupFields, kidOf(this.#message, "OrgnlGrpInfAndSts")), ...group];
  }

  #endGroup(group: XmlElement): void {
    const mismatches: Mismatch[] = [];
    const { all, credits, debits } = this.#groupTally;
    if (this.#kind === "statement") {
      const of = "TxsSummry";
      checkCount(group, `${of}/TtlNtries/NbOfNtries`, all, mismatches);
      checkSum(group, `${of}/TtlNtries/Sum`, all, mismatches);
      checkCount(group, `${of}/TtlCdtNtries/NbOfNtries`, credits, mismatches);
      checkSum(group, `${of}/TtlCdtNtries/Sum`, credits, mismatches);
      checkCount(group, `${of}/TtlDbtNtries/NbOfNtries`, debits, mismatches);
      checkSum(group, `${of}/TtlDbtNtries/Sum`, debits, mismatches);
    } else if (this.#kind === "payment") {
      checkCount(group, "NbOfTxs", all, mismatches);
      checkSum(group, "CtrlSum", all, mismatches);
    } else if (all.count === 0) this.#statusOfGroup(group);
    const declaring = kidOf(group, "TxsSummry") ?? group;
    if (mismatches.length > 0) this.#events.mismatch(mismatches, declaring);
    this.#group = null;
  }

  #endMessage(message: XmlElement): void {
    const mismatches: Mismatch[] = [];
    const header = kidOf(message, "GrpHdr");
    const { all } = this.#messageTally;
    if (this.#kind === "payment" && header !== null) {
      checkCount(header, "NbOfTxs", all, mismatches);
      checkSum(header, "CtrlSum", all, mismatches);
      checkSum(header, "TtlIntrBkSttlmAmt", all, mismatches);
      checkSum(header, "TtlRtrdIntrBkSttlmAmt", all, mismatches);
    }
    if (mismatches.length > 0) this.#events.mismatch(mismatches, header!);
    if (this.#kind === "status" && this.#rows === 0) this.#statusOfGroup(message);
    this.#message = null;
  }

  /** A report on a group as a whole, or on a message, has no payment of its own. */
  #statusOfGroup(element: XmlElement): void {
    this.#tell(element, [...this.#instruction(), ...statusFields.map(() => null)], null);
  }

  #tell(element: XmlElement, cells: (string | null)[], why: string | null): void {
    this.#rows++;
    const head = [typeOf(this.#message!), ...valuesOf(groupFields, kidOf(this.#message, "GrpHdr"))];
    const { offset, endOffset } = element;
    this.#events.row({ cells: [...head, ...cells], offset, endOffset, why });
  }
}

/** Messages of two kinds have not the same columns. */
export class MixedMessages extends Error {}

const inherited: ReadonlySet<string> = new Set([
  "settlement_date",
  "charge_bearer",
  "debtor",
  "debtor_account",
  "debtor_agent",
  "ultimate_debtor",
  "creditor",
  "creditor_account",
  "creditor_agent",
  "ultimate_creditor",
  "instructing_agent",
  "instructed_agent",
  "original_message_id",
]);

function valuesOf(fields: Field[], element: XmlElement | null): (string | null)[] {
  return fields.map(([, of]) => element === null ? null : of(element));
}

function cellsOf(amount: { amount: string; currency: string | null } | null): (string | null)[] {
  return [amount?.amount ?? null, amount?.currency ?? null];
}

function wrongAmount(amount: { amount: string; currency: string | null } | null): string | null {
  if (amount === null) return "it has no amount";
  if (!isDecimal(amount.amount)) return `its amount is no number, "${amount.amount}"`;
  return amount.currency === null ? "its amount has no currency" : null;
}

function wrongSide(element: XmlElement): string | null {
  const side = textAt(element, "CdtDbtInd");
  if (side === "CRDT" || side === "DBIT") return null;
  return `CdtDbtInd is ${side === null ? "not there" : `"${side}"`}; it is CRDT or DBIT`;
}

/** A batch of an entry says how many transactions it has; not all banks list them. */
function checkBatch(details: XmlElement, into: Mismatch[]): void {
  const transactions = kidsOf(details, "TxDtls");
  if (transactions.length === 0 || kidOf(details, "Btch") === null) return;
  const tally = new Tally();
  for (const each of transactions) tally.add(amountAt(each, "Amt")?.amount ?? null, null);
  checkCount(details, "Btch/NbOfTxs", tally.all, into);
  checkSum(details, "Btch/TtlAmt", tally.all, into);
}

/** The message's name and version, as `camt.053.001.08`, where its namespace says it. */
function typeOf(message: XmlElement): string | null {
  return /([a-z]{4}\.\d{3}\.\d{3}\.\d{2,})/.exec(message.name.uri)?.[1] ?? null;
}
