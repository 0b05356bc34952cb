/** @module A FIX message as a row: a column a tag, a group as a list of its entries. */
import type { StagedType } from "../staged_type.ts";
import type { StagedColumn } from "../staging.ts";
import {
  dictionaryVersion,
  type FixType,
  isGroup,
  isMember,
  nameOf,
  typeOf,
} from "./dictionary.ts";
import type { FixMessage } from "./scanner.ts";

/** What the messages of a file have: the columns are made of it. */
export class FixSurvey {
  /** Tags outside of groups, in the order in which they came. */
  readonly #tags = new Map<number, number>();
  /** The last message, by number, that had a tag. */
  readonly #seenIn: Record<number, number> = {};
  #hasNanoseconds = false;
  #hasRepeated = false;
  messages = 0;

  add(message: FixMessage): void {
    this.messages++;
    forEachField(message, (tag, from, to) => {
      if (this.#seenIn[tag] === undefined) this.#tags.set(tag, this.#tags.size);
      else if (this.#seenIn[tag] === this.messages) this.#hasRepeated = true;
      this.#seenIn[tag] = this.messages;
      if (typeOf(tag) === "t" && to - from > "YYYYMMDD-HH:MM:SS.ffffff".length) {
        this.#hasNanoseconds = true;
      }
    });
  }

  /** Columns, and where each tag has its own. */
  columns(): { columns: StagedColumn[]; index: Map<number, number>; isNs: boolean } {
    const columns = [...this.#tags.keys()].map((tag): StagedColumn => ({
      name: nameOf(tag),
      type: stagedType(tag, this.#hasNanoseconds),
      ...("ni".includes(typeOf(tag) || "-") ? { isLoose: true } : {}),
    }));
    if (this.#hasRepeated) columns.push({ name: "RepeatedFields", type: "JSON" });
    return { columns, index: this.#tags, isNs: this.#hasNanoseconds };
  }
}

const types: Readonly<Record<FixType, StagedType>> = {
  "": "VARCHAR",
  n: "VARCHAR",
  i: "VARCHAR",
  b: "BOOLEAN",
  t: "TIMESTAMP WITH TIME ZONE",
  d: "DATE",
  x: "BLOB",
  g: "JSON",
};

function stagedType(tag: number, isNs: boolean): StagedType {
  const type = typeOf(tag);
  if (type === "g" && !isGroup(tag)) return "VARCHAR";
  return type === "t" && isNs ? "TIMESTAMP_NS" : types[type];
}

/** A value that its field cannot have. */
export class FieldFault extends Error {
  constructor(readonly tag: number, message: string) {
    super(message);
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The row of a message. Throws {@link FieldFault}. */
export function rowOf(
  message: FixMessage,
  { columns, index, isNs }: ReturnType<FixSurvey["columns"]>,
): unknown[] {
  const row: unknown[] = new Array(columns.length).fill(null);
  let repeated: [string, string][] | null = null;
  forEachField(message, (tag, from, to, entries) => {
    const at = index.get(tag)!;
    const value = entries ?? valueOf(tag, message.bytes.subarray(from, to), isNs);
    if (row[at] === null) row[at] = value;
    else (repeated ??= []).push([nameOf(tag), textOf(message, tag, from, to)]);
  });
  if (repeated) row[columns.length - 1] = JSON.stringify(repeated);
  return row;
}

function valueOf(tag: number, bytes: Uint8Array, isNs: boolean): unknown {
  switch (typeOf(tag)) {
    case "b":
      if (bytes.length === 1 && (bytes[0] === 0x59 || bytes[0] === 0x4e)) return bytes[0] === 0x59;
      throw fault(tag, bytes, "Y or N");
    case "t":
      return instantOf(tag, bytes, isNs);
    case "d":
      return dayOf(tag, bytes);
    default:
      return bytes;
  }
}

/** Day of `YYYYMMDD` at `at`, since 1970-01-01; NaN for no day. */
function dayAt(bytes: Uint8Array, at: number): number {
  const year = digits(bytes, at, 4);
  const month = digits(bytes, at + 4, 2);
  const day = digits(bytes, at + 6, 2);
  const key = 10_000 * year + 100 * month + day;
  if (key === lastDay.key) return lastDay.days;
  const date = new Date(Date.UTC(year, month - 1, day));
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  lastDay.key = key;
  return lastDay.days = isReal ? date.getTime() / 86_400_000 : NaN;
}

/** Messages of a file are of few days. */
const lastDay = { key: NaN, days: NaN };

function digits(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = bytes[i] - 0x30;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    value = 10 * value + digit;
  }
  return value;
}

function instantOf(tag: number, bytes: Uint8Array, isNs: boolean): bigint {
  const decimals = bytes.length - "YYYYMMDD-HH:MM:SS.".length;
  const hour = digits(bytes, 9, 2);
  const minute = digits(bytes, 12, 2);
  const second = digits(bytes, 15, 2);
  const seconds = 86_400 * dayAt(bytes, 0) + 3_600 * hour + 60 * minute + second;
  const fraction = decimals === -1 ? 0 : digits(bytes, 18, decimals);
  const isForm = bytes[8] === 0x2d && bytes[11] === 0x3a && bytes[14] === 0x3a &&
    (decimals === -1 || (bytes[17] === 0x2e && decimals >= 1 && decimals <= 9));
  // A leap second is the first instant of the next minute.
  if (!isForm || Number.isNaN(seconds + fraction) || hour > 23 || minute > 59 || second > 60) {
    throw fault(tag, bytes, "a UTC time stamp, YYYYMMDD-HH:MM:SS and up to nine decimals");
  }
  const scale = isNs ? 9 : 6;
  const units = fraction * 10 ** (scale - Math.max(0, decimals));
  return BigInt(seconds) * (isNs ? 1_000_000_000n : 1_000_000n) + BigInt(units);
}

function dayOf(tag: number, bytes: Uint8Array): number {
  const day = bytes.length === 8 ? dayAt(bytes, 0) : NaN;
  if (Number.isNaN(day)) throw fault(tag, bytes, "a day, YYYYMMDD");
  return day;
}

function fault(tag: number, bytes: Uint8Array, what: string): FieldFault {
  const shown = new TextDecoder().decode(bytes.subarray(0, 60));
  return new FieldFault(tag, `${nameOf(tag)} (${tag}) is ${JSON.stringify(shown)}, not ${what}`);
}

/** A field outside of groups; with `entries`, a group as a JSON text. */
type OnField = (tag: number, from: number, to: number, entries: string | null) => void;

/** Walk over a message; throws {@link FieldFault} for a group that is not as long as it says. */
function forEachField(message: FixMessage, onField: OnField): void {
  const { tags, bounds } = message;
  let version: string | null = null;
  let type = "";
  for (let i = 0; i < tags.length; i++) {
    const tag = tags[i];
    if (!isGroup(tag) || typeOf(tag) !== "g") {
      onField(tag, bounds[2 * i], bounds[2 * i + 1], null);
      continue;
    }
    if (version === null) {
      version = dictionaryVersion(textOf(message, 8, bounds[0], bounds[1]));
      const at = tags.indexOf(35);
      type = at < 0 ? "" : textOf(message, 35, bounds[2 * at], bounds[2 * at + 1]);
    }
    const group = groupAt(message, i, (member, count) => isMember(member, count, version!, type));
    onField(tag, bounds[2 * i], bounds[2 * i + 1], JSON.stringify(group.entries));
    i = group.next - 1;
  }
}

interface GroupEntry {
  [name: string]: string | GroupEntry[];
}

function groupAt(
  message: FixMessage,
  at: number,
  isIn: (member: number, count: number) => boolean,
): { entries: GroupEntry[]; next: number } {
  const { tags, bounds } = message;
  const count = tags[at];
  const declared = textOf(message, count, bounds[2 * at], bounds[2 * at + 1]);
  if (!/^\d{1,7}$/.test(declared)) {
    throw new FieldFault(
      count,
      `${nameOf(count)} (${count}) is ${JSON.stringify(declared)}, no count`,
    );
  }
  const entries: GroupEntry[] = [];
  let next = at + 1;
  const first = tags[next];
  while (next < tags.length && Number(declared) > 0) {
    const tag = tags[next];
    const entry = entries.at(-1);
    if (tag === first && (entry === undefined || nameOf(tag) in entry)) {
      if (entries.length === Number(declared)) break;
      entries.push(Object.create(null));
    } else if (!isIn(tag, count) || nameOf(tag) in entry!) break;
    const into = entries.at(-1)!;
    if (isGroup(tag) && typeOf(tag) === "g") {
      const inner = groupAt(message, next, isIn);
      into[nameOf(tag)] = inner.entries;
      next = inner.next;
    } else {
      into[nameOf(tag)] = textOf(message, tag, bounds[2 * next], bounds[2 * next + 1]);
      next++;
    }
  }
  if (entries.length !== Number(declared)) {
    throw new FieldFault(
      count,
      `${nameOf(count)} (${count}) says ${declared} entries, and ${entries.length} follow`,
    );
  }
  return { entries, next };
}

function textOf({ bytes }: FixMessage, tag: number, from: number, to: number): string {
  const value = bytes.subarray(from, to);
  if (typeOf(tag) === "x") return value.toBase64();
  try {
    return decoder.decode(value);
  } catch {
    throw new FieldFault(tag, `${nameOf(tag)} (${tag}) is no UTF-8`);
  }
}

/** Are all texts of it UTF-8? Fields of raw data may be anything. */
export function checkTexts(message: FixMessage): void {
  const { tags, bounds, bytes } = message;
  let all = 0;
  for (let i = 0; i < bytes.length; i++) all |= bytes[i];
  if (all < 0x80) return;
  tags.forEach((tag, i) => {
    if (typeOf(tag) !== "x") textOf(message, tag, bounds[2 * i], bounds[2 * i + 1]);
  });
}
