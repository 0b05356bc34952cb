/** @module Transactions of statements, with what their statement says. */
import { all, at, type OfxElement, textAt } from "./elements.ts";
import { amountOf, dateOf, OfxValueError } from "./values.ts";

type Field = [column: string, of: (element: OfxElement) => string | null];

const text = (...paths: string[]): Field[1] => (element) => textAt(element, ...paths);
const date = (...paths: string[]): Field[1] => (element) => dateOf(textAt(element, ...paths));
const amount = (...paths: string[]): Field[1] => (element) => amountOf(textAt(element, ...paths));

const statementFields: Field[] = [
  ["currency", text("CURDEF")],
  ["bank_id", text("BANKACCTFROM/BANKID", "INVACCTFROM/BROKERID")],
  ["branch_id", text("BANKACCTFROM/BRANCHID")],
  ["account", text("BANKACCTFROM/ACCTID", "CCACCTFROM/ACCTID", "INVACCTFROM/ACCTID")],
  ["account_type", text("BANKACCTFROM/ACCTTYPE")],
  ["from", date("BANKTRANLIST/DTSTART", "INVTRANLIST/DTSTART")],
  ["to", date("BANKTRANLIST/DTEND", "INVTRANLIST/DTEND")],
  ["ledger_balance", amount("LEDGERBAL/BALAMT")],
  ["ledger_balance_at", date("LEDGERBAL/DTASOF", "DTASOF")],
  ["available_balance", amount("AVAILBAL/BALAMT", "INVBAL/AVAILCASH")],
];

const inTransaction = (...names: string[]) =>
  names.flatMap((name) => [name, `INVTRAN/${name}`, `INVBUY/${name}`, `INVSELL/${name}`])
    .concat(names.flatMap((name) => [`INVBUY/INVTRAN/${name}`, `INVSELL/INVTRAN/${name}`]));

const transactionFields: Field[] = [
  ["transaction_id", text(...inTransaction("FITID"))],
  ["type", (element) => textAt(element, "TRNTYPE") ?? element.tag],
  ["posted_at", date("DTPOSTED", ...inTransaction("DTTRADE"))],
  ["initiated_at", date("DTUSER")],
  ["available_at", date("DTAVAIL", ...inTransaction("DTSETTLE"))],
  ["amount", amount("TRNAMT", ...inTransaction("TOTAL"))],
  ["name", text("NAME", "PAYEE/NAME")],
  ["memo", text("MEMO", ...inTransaction("MEMO"))],
  ["check_number", text("CHECKNUM")],
  ["reference", text("REFNUM")],
  ["corrects", text("CORRECTFITID")],
  ["correction", text("CORRECTACTION")],
  ["to_account", text("BANKACCTTO/ACCTID", "CCACCTTO/ACCTID")],
  ["transaction_currency", text("CURRENCY/CURSYM", "ORIGCURRENCY/CURSYM")],
  ["currency_rate", amount("CURRENCY/CURRATE", "ORIGCURRENCY/CURRATE")],
  ["security_id", text(...inTransaction("SECID/UNIQUEID"))],
  ["security_id_type", text(...inTransaction("SECID/UNIQUEIDTYPE"))],
  ["units", amount(...inTransaction("UNITS"))],
  ["unit_price", amount(...inTransaction("UNITPRICE"))],
  ["commission", amount(...inTransaction("COMMISSION"))],
  ["fees", amount(...inTransaction("FEES"))],
];

/** Columns of a table of transactions. */
export const ofxColumns = [
  "institution",
  "institution_id",
  ...statementFields.map(([name]) => name),
  ...transactionFields.map(([name]) => name),
];

/** A transaction, or why it is none. */
export interface OfxRow {
  cells: (string | null)[];
  element: OfxElement;
  why: string | null;
}

const statements = new Set(["STMTRS", "CCSTMTRS", "INVSTMTRS"]);

/** Rows of a document, in its order; `statements` counts what they come from. */
export function* ofxRows(root: OfxElement, counter: { statements: number }): Generator<OfxRow> {
  const signOn = at(root, "SIGNONMSGSRSV1/SONRS/FI");
  const head = [textAt(signOn, "ORG"), textAt(signOn, "FID")];
  for (const statement of all(root, statements)) {
    counter.statements++;
    const above = [...head, ...statementFields.map(([, of]) => of(statement))];
    for (const element of transactionsOf(statement)) {
      try {
        const cells = transactionFields.map(([, of]) => of(element));
        yield { cells: [...above, ...cells], element, why: missing(element) };
      } catch (error) {
        if (!(error instanceof OfxValueError)) throw error;
        yield { cells: [], element, why: error.message };
      }
    }
  }
}

function* transactionsOf(statement: OfxElement): Generator<OfxElement> {
  for (const list of ["BANKTRANLIST", "INVTRANLIST"]) {
    for (const kid of at(statement, list)?.kids ?? []) {
      if (kid.tag === "STMTTRN") yield kid;
      else if (kid.tag === "INVBANKTRAN") yield* kid.kids.filter(({ tag }) => tag === "STMTTRN");
      else if (kid.kids.length > 0) yield kid;
    }
  }
}

function missing(element: OfxElement): string | null {
  if (element.tag !== "STMTTRN") return null;
  const lost = ["DTPOSTED", "TRNAMT"].filter((tag) => textAt(element, tag) === null);
  return lost.length === 0 ? null : `it has no ${lost.join(" and no ")}`;
}

/** What a server says that gave no statement: the first status that is an error. */
export function errorOf(root: OfxElement): string | null {
  for (const status of all(root, new Set(["STATUS"]))) {
    if (textAt(status, "SEVERITY") !== "ERROR") continue;
    return `${textAt(status, "CODE") ?? "error"} ${textAt(status, "MESSAGE") ?? ""}`.trim();
  }
  return null;
}
