/** @module QIF: Quicken's text of transactions, a row each. */
import { AppError } from "../../../../src/model/errors.ts";
import type { Format, ReadCall, RowSource } from "../format.ts";
import { TextStage } from "../text_stage.ts";

/** A file is held whole: this large at most. */
const BYTES_MAX = 64 * 1024 * 1024;

/** Quicken interchange format. */
export const qif: Format = {
  name: "qif",
  extensions: ["qif"],
  mediaType: "application/x-qif",
  content: "text",
  recognise(head) {
    const text = new TextDecoder().decode(head.subarray(0, 4096)).trimStart();
    return /^!(Type:|Account\b|Option:|Clear:)/i.test(text) ? 0.98 : 0;
  },
  read: readQif,
};

const columns = [
  "type",
  "account",
  "date",
  "amount",
  "number",
  "payee",
  "memo",
  "category",
  "cleared",
  "address",
  "action",
  "security",
  "price",
  "quantity",
  "commission",
  "splits",
];

/** Lists of transactions; others are of categories, accounts or securities. */
const lists = new Set(["bank", "cash", "ccard", "invst", "oth a", "oth l", "port"]);

/** Column by a line's first letter; of investments some mean others. */
const letters: Readonly<Record<string, string>> = {
  D: "date",
  T: "amount",
  U: "amount",
  N: "number",
  P: "payee",
  M: "memo",
  L: "category",
  C: "cleared",
  A: "address",
};
const investment: Readonly<Record<string, string>> = {
  ...letters,
  N: "action",
  Y: "security",
  I: "price",
  Q: "quantity",
  O: "commission",
};
const amounts = new Set(["amount", "price", "quantity", "commission"]);

interface Section {
  type: string | null;
  isAccount: boolean;
  account: string | null;
}

interface Entry {
  values: Map<string, string>;
  splits: Record<string, string>[];
  offset: number;
  text: string;
  why: string | null;
}

async function readQif(call: ReadCall): Promise<RowSource> {
  const { file, signal } = call;
  if (file.bytes > BYTES_MAX) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${file.name} as QIF: it has ${file.bytes} bytes, and QIF is read up to ${BYTES_MAX}`,
    );
  }
  const text = await Deno.readTextFile(file.path, { signal });
  const stage = new TextStage(call, columns);
  const refused: { row: number; entry: Entry }[] = [];
  let row = 0;
  try {
    for (const { entry, section } of entriesOf(text, file.name)) {
      row++;
      const bytes = new TextEncoder().encode(entry.text).length;
      if (entry.why !== null) refused.push({ row, entry });
      else stage.add(cellsOf(entry, section), { row, offset: entry.offset, bytes });
    }
  } catch (error) {
    stage.close();
    throw error;
  }
  for (const { row, entry } of refused) {
    await call.refuse({
      file: file.name,
      row,
      offset: file.isAsCollected ? entry.offset : null,
      column: null,
      rule: "qif",
      reason: `Transaction ${row} is refused: ${entry.why}`,
      raw: entry.text,
    });
  }
  return stage.finish();
}

function cellsOf({ values, splits }: Entry, { type, account }: Section): (string | null)[] {
  return columns.map((column) => {
    if (column === "type") return type;
    if (column === "account") return account;
    if (column === "splits") return splits.length === 0 ? null : JSON.stringify(splits);
    return values.get(column) ?? null;
  });
}

/** Transactions, in the order of the file. Throws CORRUPT for one without its end. */
function* entriesOf(text: string, name: string): Generator<{ entry: Entry; section: Section }> {
  const section: Section = { type: null, isAccount: false, account: null };
  const encoder = new TextEncoder();
  let entry: Entry | null = null;
  let offset = 0;
  const fail = (why: string): never => {
    throw new AppError("CORRUPT", `Cannot read ${name} as QIF: ${why}, at byte ${offset}`);
  };
  for (const line of text.split(/(?<=\n)/)) {
    const plain = line.replace(/\r?\n$/, "").replace(/^\ufeff/, "");
    if (plain.startsWith("!")) {
      if (entry) fail(`a transaction has no "^" before ${JSON.stringify(plain.slice(0, 40))}`);
      beginSection(plain, section);
    } else if (plain.trim() !== "") {
      if (section.type === null && !section.isAccount) {
        fail("its first line is not !Type:, !Account or !Option:");
      }
      const current: Entry = entry ??
        { values: new Map(), splits: [], offset, text: "", why: null };
      current.text += line;
      entry = current;
      if (plain.startsWith("^")) {
        if (section.isAccount) section.account = current.values.get("number") ?? section.account;
        else if (lists.has(section.type!.toLowerCase())) {
          yield { entry: checked(current), section: { ...section } };
        }
        entry = null;
      } else addLine(plain, current, section);
    }
    offset += encoder.encode(line).length;
  }
  if (entry) fail('it ends before the "^" of a transaction');
}

function beginSection(line: string, section: Section): void {
  const type = /^!type:\s*(.*?)\s*$/i.exec(line);
  if (type) Object.assign(section, { type: type[1], isAccount: false });
  else if (/^!account/i.test(line)) section.isAccount = true;
}

function addLine(line: string, entry: Entry, { type, isAccount }: Section): void {
  const letter = line[0].toUpperCase();
  const value = line.slice(1);
  if ("SE$%".includes(letter) && !isAccount && type?.toLowerCase() !== "invst") {
    if (letter === "S") entry.splits.push({ category: value });
    const split = entry.splits.at(-1);
    if (!split) entry.why ??= `its line ${JSON.stringify(line)} is of a split that it has not`;
    else if (letter === "E") split.memo = value;
    else if (letter === "$") split.amount = amountOf(value, entry);
    else if (letter === "%") split.percent = value;
    return;
  }
  const column = (type?.toLowerCase() === "invst" && !isAccount ? investment : letters)[letter];
  if (column === undefined) return;
  const before = entry.values.get(column);
  if (column === "address") {
    entry.values.set(column, before === undefined ? value : `${before}\n${value}`);
  } else if (amounts.has(column)) entry.values.set(column, amountOf(value, entry));
  else entry.values.set(column, column === "date" ? dateOf(value) : value);
}

/** `1,234.50` without its commas. */
function amountOf(text: string, entry: Entry): string {
  const plain = text.trim().replace(/(?<=\d),(?=\d{3}(\D|$))/g, "");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain)) {
    entry.why ??= `${JSON.stringify(text)} is no amount`;
  }
  return plain.replace(/^\+/, "").replace(/\.$/, "");
}

/** `1/ 5'06` is `1/5/2006`; which is the month, the file does not say. */
function dateOf(text: string): string {
  return text.trim().replace(/\s+/g, "").replace(/'(\d{2})$/, "/20$1").replace(/'/g, "/");
}

function checked(entry: Entry): Entry {
  if (!entry.values.has("date")) entry.why ??= "it has no date";
  return entry;
}
