/** @module Which elements of a message are which columns. */
import {
  attributeOf,
  elementAt,
  elementJson,
  elementsAt,
  kidsOf,
  textAt,
  type XmlElement,
} from "../xml/elements.ts";

/** A column and where its text is. */
export type Field = [column: string, of: (element: XmlElement) => string | null];

/** The first text at these paths. */
export function text(...paths: string[]): Field[1] {
  return (element) => textAt(element, ...paths);
}

/** All texts at a path, a line each. */
function lines(path: string): Field[1] {
  return (element) => {
    const found = elementsAt(element, path).map((each) => each.text);
    return found.length === 0 ? null : found.join("\n");
  };
}

/** An account by what it has: IBAN or another number. */
function account(path: string): Field[1] {
  return text(`${path}/Id/IBAN`, `${path}/Id/Othr/Id`);
}

/** A bank by what it has. */
function bank(path: string): Field[1] {
  const of = `${path}/FinInstnId`;
  return text(
    `${of}/BICFI`,
    `${of}/BIC`,
    `${of}/ClrSysMmbId/MmbId`,
    `${of}/LEI`,
    `${of}/Othr/Id`,
    `${of}/Nm`,
  );
}

/** A party by its name; in later versions it may be a bank. */
function party(path: string): Field[1] {
  return text(`${path}/Nm`, `${path}/Pty/Nm`, `${path}/Agt/FinInstnId/Nm`);
}

/** A date, or a time with or without a zone, as it is written. */
export function date(path: string): Field[1] {
  return text(`${path}/Dt`, `${path}/DtTm`, path);
}

/** A code of a standard list, or the bank's own. */
export function code(path: string): Field[1] {
  return text(`${path}/Cd`, `${path}/Prtry`, `${path}/Prtry/Id`, path);
}

/** An amount at the first of these paths that has one, and its currency. */
export function amountAt(element: XmlElement | null, ...paths: string[]) {
  for (const path of paths) {
    const found = elementAt(element, path);
    if (found && found.kids.length === 0) {
      return { amount: found.text.trim(), currency: attributeOf(found, "Ccy") };
    }
  }
  return null;
}

function amount(...paths: string[]): Field[1] {
  return (element) => amountAt(element, ...paths)?.amount ?? null;
}

function currency(...paths: string[]): Field[1] {
  return (element) => amountAt(element, ...paths)?.currency ?? null;
}

/** Bank transaction code: domain, family and subfamily. */
function transactionCode(element: XmlElement): string | null {
  const domain = elementAt(element, "BkTxCd/Domn");
  if (domain === null) return null;
  return [textAt(domain, "Cd"), textAt(domain, "Fmly/Cd"), textAt(domain, "Fmly/SubFmlyCd")]
    .filter((part) => part !== null).join("/");
}

/** Structured remittance information as JSON, all of it. */
function structured(element: XmlElement): string | null {
  const found = elementsAt(element, "RmtInf/Strd");
  return found.length === 0 ? null : `[${found.map(elementJson).join(",")}]`;
}

/** Of the group header. */
export const groupFields: Field[] = [
  ["message_id", text("MsgId", "MsgId/Id")],
  ["message_created_at", text("CreDtTm")],
];

/** Of a statement, report or notification. */
export const statementFields: Field[] = [
  ["statement_id", text("Id")],
  ["statement_sequence", text("ElctrncSeqNb", "LglSeqNb")],
  ["statement_created_at", text("CreDtTm")],
  ["from", date("FrToDt/FrDtTm")],
  ["to", date("FrToDt/ToDtTm")],
  ["account", account("Acct")],
  ["account_currency", text("Acct/Ccy")],
  ["account_name", text("Acct/Nm")],
  ["account_owner", party("Acct/Ownr")],
  ["account_servicer", bank("Acct/Svcr")],
  ["opening_balance", balance("OPBD", "PRCD")],
  ["closing_balance", balance("CLBD")],
];

/** A balance with the sign of its side. */
function balance(...types: string[]): Field[1] {
  return (element) => {
    for (const type of types) {
      for (const each of kidsOf(element, "Bal")) {
        if (code("Tp/CdOrPrtry")(each) !== type) continue;
        const found = amountAt(each, "Amt");
        if (found) return textAt(each, "CdtDbtInd") === "DBIT" ? `-${found.amount}` : found.amount;
      }
    }
    return null;
  };
}

/** Of a balance. */
export const balanceFields: Field[] = [
  ["balance", code("Tp/CdOrPrtry")],
  ["amount", amount("Amt")],
  ["currency", currency("Amt")],
  ["credit_debit", text("CdtDbtInd")],
  ["date", date("Dt")],
];

/** Of an entry. */
export const entryFields: Field[] = [
  ["entry_reference", text("NtryRef")],
  ["entry_amount", amount("Amt")],
  ["entry_currency", currency("Amt")],
  ["credit_debit", text("CdtDbtInd")],
  ["reversal", text("RvslInd")],
  ["status", code("Sts")],
  ["booking_date", date("BookgDt")],
  ["value_date", date("ValDt")],
  ["servicer_reference", text("AcctSvcrRef")],
  ["bank_transaction_code", transactionCode],
  ["proprietary_code", text("BkTxCd/Prtry/Cd")],
  ["entry_information", text("AddtlNtryInf")],
];

/** Of a transaction of an entry. */
export const transactionFields: Field[] = [
  ["instruction_id", text("Refs/InstrId")],
  ["end_to_end_id", text("Refs/EndToEndId")],
  ["transaction_id", text("Refs/TxId")],
  ["uetr", text("Refs/UETR")],
  ["mandate_id", text("Refs/MndtId")],
  ["cheque_number", text("Refs/ChqNb")],
  ["transaction_servicer_reference", text("Refs/AcctSvcrRef")],
  ["transaction_code", transactionCode],
  ["debtor", party("RltdPties/Dbtr")],
  ["debtor_account", account("RltdPties/DbtrAcct")],
  ["debtor_agent", bank("RltdAgts/DbtrAgt")],
  ["ultimate_debtor", party("RltdPties/UltmtDbtr")],
  ["creditor", party("RltdPties/Cdtr")],
  ["creditor_account", account("RltdPties/CdtrAcct")],
  ["creditor_agent", bank("RltdAgts/CdtrAgt")],
  ["ultimate_creditor", party("RltdPties/UltmtCdtr")],
  ["remittance", lines("RmtInf/Ustrd")],
  ["remittance_reference", lines("RmtInf/Strd/CdtrRefInf/Ref")],
  ["remittance_structured", structured],
  ["purpose", code("Purp")],
  ["return_reason", code("RtrInf/Rsn")],
  ["transaction_information", text("AddtlTxInf")],
];

/** Of a group of instructions. */
export const instructionFields: Field[] = [
  ["payment_id", text("PmtInfId", "OrgnlPmtInfId")],
  ["payment_method", text("PmtMtd")],
  ["requested_date", date("ReqdExctnDt")],
  ["collection_date", date("ReqdColltnDt")],
  ["payment_status", text("PmtInfSts")],
];

const interbank = ["IntrBkSttlmAmt", "RtrdIntrBkSttlmAmt"];
const instructed = ["Amt/InstdAmt", "InstdAmt", "Amt/EqvtAmt/Amt"];

/** Amount of a payment, and what control sums add up. */
export const paymentAmounts = [...interbank, ...instructed];

/** Of one payment. */
export const paymentFields: Field[] = [
  ["instruction_id", text("PmtId/InstrId")],
  ["end_to_end_id", text("PmtId/EndToEndId")],
  ["transaction_id", text("PmtId/TxId")],
  ["uetr", text("PmtId/UETR")],
  ["amount", amount(...paymentAmounts)],
  ["currency", currency(...paymentAmounts)],
  ["instructed_amount", amount("InstdAmt")],
  ["instructed_currency", currency("InstdAmt")],
  ["settlement_date", text("IntrBkSttlmDt")],
  ["charge_bearer", text("ChrgBr")],
  ["debtor", party("Dbtr")],
  ["debtor_account", account("DbtrAcct")],
  ["debtor_agent", bank("DbtrAgt")],
  ["ultimate_debtor", party("UltmtDbtr")],
  ["creditor", party("Cdtr")],
  ["creditor_account", account("CdtrAcct")],
  ["creditor_agent", bank("CdtrAgt")],
  ["ultimate_creditor", party("UltmtCdtr")],
  ["instructing_agent", bank("InstgAgt")],
  ["instructed_agent", bank("InstdAgt")],
  ["mandate_id", text("DrctDbtTx/MndtRltdInf/MndtId")],
  ["purpose", code("Purp")],
  ["remittance", lines("RmtInf/Ustrd")],
  ["remittance_reference", lines("RmtInf/Strd/CdtrRefInf/Ref")],
  ["remittance_structured", structured],
  ["original_message_id", text("OrgnlGrpInf/OrgnlMsgId")],
  ["original_end_to_end_id", text("OrgnlEndToEndId")],
  ["return_reason", code("RtrRsnInf/Rsn")],
];

/** Of the group that a status report is on. */
export const originalGroupFields: Field[] = [
  ["original_message_id", text("OrgnlMsgId")],
  ["original_message_name", text("OrgnlMsgNmId")],
  ["group_status", text("GrpSts")],
  ["group_reason", code("StsRsnInf/Rsn")],
  ["group_information", lines("StsRsnInf/AddtlInf")],
];

/** Of the status of one payment. */
export const statusFields: Field[] = [
  ["status_id", text("StsId")],
  ["original_instruction_id", text("OrgnlInstrId")],
  ["original_end_to_end_id", text("OrgnlEndToEndId")],
  ["original_transaction_id", text("OrgnlTxId")],
  ["original_uetr", text("OrgnlUETR")],
  ["status", text("TxSts")],
  ["reason", code("StsRsnInf/Rsn")],
  ["information", lines("StsRsnInf/AddtlInf")],
  ["accepted_at", text("AccptncDtTm")],
  ["original_amount", amount("OrgnlTxRef/IntrBkSttlmAmt", "OrgnlTxRef/Amt/InstdAmt")],
  ["original_currency", currency("OrgnlTxRef/IntrBkSttlmAmt", "OrgnlTxRef/Amt/InstdAmt")],
  ["debtor", party("OrgnlTxRef/Dbtr")],
  ["debtor_account", account("OrgnlTxRef/DbtrAcct")],
  ["creditor", party("OrgnlTxRef/Cdtr")],
  ["creditor_account", account("OrgnlTxRef/CdtrAcct")],
];
