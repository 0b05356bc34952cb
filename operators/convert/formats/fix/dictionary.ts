/** @module What is known of FIX tags: names, types, groups, fields of raw data. */
import { fieldTable } from "./field_table.ts";
import { absentTable, dataTable, groupTable } from "./group_table.ts";

/**
 * n: a decimal number; i: an integer; b: Y or N; t: a UTC time stamp; d: a day as YYYYMMDD; x: bytes;
 * g: a count of entries, which follow. Anything else is a text.
 */
export type FixType = "n" | "i" | "b" | "t" | "d" | "x" | "g" | "";

// By tag; looked up for every field.
const names: string[] = [];
const types: FixType[] = [];
for (const entry of fieldTable.trim().split(/\s+/)) {
  const [, tag, type, name] = entry.match(/^(\d+)([a-z]?):(\w+)$/)!;
  names[Number(tag)] = name;
  types[Number(tag)] = type as FixType;
}

const numbers = (text: string) => new Set(text.split(",").map(Number));
const entries = (table: string) => table.trim().split(/\s+/).map((entry) => entry.split(/[=:]/));

const groups = new Map(entries(groupTable).map(([key, tags]) => [key, numbers(tags)]));
const isCount: boolean[] = [];
for (const key of groups.keys()) isCount[Number(key.split("/")[1])] = true;
const dataOf: number[] = [];
for (const [length, data] of entries(dataTable)) dataOf[Number(length)] = Number(data);
const absent = new Map(
  entries(absentTable).flatMap(([key, tags]) => {
    const [version, count, types] = key.split("/");
    return types.split(",").map((type) => [`${version}/${count}/${type}`, numbers(tags)] as const);
  }),
);

/** Name of a tag; a tag that nobody defined is named by its number. */
export function nameOf(tag: number): string {
  return names[tag] ?? String(tag);
}

/** Type of a tag; text when nobody defined it. */
export function typeOf(tag: number): FixType {
  return types[tag] ?? "";
}

/** The field of raw data that this one counts the bytes of. */
export function dataCountedBy(tag: number): number | undefined {
  return dataOf[tag];
}

/** May `tag` be in an entry of the group that `count` begins, in such a message? */
export function isMember(
  tag: number,
  count: number,
  version: string,
  messageType: string,
): boolean {
  if (!groups.get(`${version}/${count}`)?.has(tag)) return false;
  return !absent.get(`${version}/${count}/${messageType}`)?.has(tag);
}

/** Does this field count the entries of a group that is known? */
export function isGroup(tag: number): boolean {
  return isCount[tag] === true;
}

/** Which dictionary a BeginString goes by: the next older one that is here. */
export function dictionaryVersion(beginString: string): string {
  const [, major, minor] = beginString.match(/^FIXT?\.(\d)\.(\d)/) ?? ["", "4", "4"];
  if (beginString.startsWith("FIXT") || major === "5") return "5.0";
  return Number(minor) >= 3 ? "4.4" : "4.2";
}
