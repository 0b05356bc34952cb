/**
 * @module Fields of one record as texts. Numbers keep the digits that the document has, so twenty of
 * them stay twenty; what is nested stays JSON. The record's text is known to be JSON.
 */
import { FieldError, halfCharacter } from "./record_reader.ts";

/** A value as JSON text; the slice of the record that it is. */
export type RawJson = string;

/** Members of an object by name. Throws FieldError when a name comes twice. */
export function membersOf(json: RawJson): Map<string, RawJson> {
  const members = new Map<string, RawJson>();
  let at = skipBlank(json, 1);
  while (json[at] !== "}") {
    if (json[at] === ",") at = skipBlank(json, at + 1);
    const nameEnd = stringEnd(json, at);
    const name = stringOf(json.slice(at, nameEnd));
    at = skipBlank(json, skipBlank(json, nameEnd) + 1);
    const end = valueEnd(json, at);
    if (members.has(name)) {
      throw new FieldError("duplicate_field", `it has the field "${name}" twice`);
    }
    members.set(name, json.slice(at, end));
    at = skipBlank(json, end);
  }
  return members;
}

/** Elements of an array. */
export function elementsOf(json: RawJson): RawJson[] {
  const elements: RawJson[] = [];
  let at = skipBlank(json, 1);
  while (json[at] !== "]") {
    if (json[at] === ",") at = skipBlank(json, at + 1);
    const end = valueEnd(json, at);
    elements.push(json.slice(at, end));
    at = skipBlank(json, end);
  }
  return elements;
}

/** Fields of a record of any kind: members, elements by their index, or the one `value`. */
export function fieldsOf(json: RawJson): Map<string, RawJson> {
  if (json[0] === "{") return membersOf(json);
  if (json[0] === "[") return new Map(elementsOf(json).map((value, i) => [String(i), value]));
  return new Map([["value", json]]);
}

/** The value at a JSON pointer inside of a record; undefined where there is none. */
export function valueAt(json: RawJson, pointer: string): RawJson | undefined {
  let value: RawJson | undefined = json;
  for (const token of pointer.split("/").slice(1)) {
    if (value === undefined || (value[0] !== "{" && value[0] !== "[")) return undefined;
    value = fieldsOf(value).get(token.replaceAll("~1", "/").replaceAll("~0", "~"));
  }
  return value;
}

/** A value as a column's text: strings without quotes, null as null, all else as it stands. */
export function textOf(json: RawJson): string | null {
  if (json === "null") return null;
  return json[0] === '"' ? stringOf(json) : json;
}

function stringOf(json: RawJson): string {
  if (!json.includes("\\")) return json.slice(1, -1);
  const text = JSON.parse(json) as string;
  if (!text.isWellFormed()) {
    throw new FieldError("encoding", halfCharacter);
  }
  return text;
}

function skipBlank(json: string, from: number): number {
  let at = from;
  while (at < json.length && json.charCodeAt(at) <= 0x20) at++;
  return at;
}

function stringEnd(json: string, from: number): number {
  let at = json.indexOf('"', from + 1);
  while (isEscaped(json, at)) at = json.indexOf('"', at + 1);
  return at + 1;
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0;
  while (json[at - 1 - backslashes] === "\\") backslashes++;
  return backslashes % 2 === 1;
}

function valueEnd(json: string, from: number): number {
  const first = json[from];
  if (first === '"') return stringEnd(json, from);
  if (first !== "{" && first !== "[") {
    let at = from;
    while (at < json.length && !endsScalar(json.charCodeAt(at))) at++;
    return at;
  }
  let depth = 0;
  for (let at = from; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === 0x22) at = stringEnd(json, at) - 1;
    else if (code === 0x7b || code === 0x5b) depth++;
    else if ((code === 0x7d || code === 0x5d) && --depth === 0) return at + 1;
  }
  return json.length;
}

/** A blank, a comma or a closing sign. */
function endsScalar(code: number): boolean {
  return code <= 0x20 || code === 0x2c || code === 0x5d || code === 0x7d;
}
