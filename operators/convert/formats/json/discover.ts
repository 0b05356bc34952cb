/** @module Which records a document that was told nothing of has. */
import { AppError } from "../../../../src/model/errors.ts";
import { pointerOf, WILDCARD } from "./records.ts";
import type { Shape } from "./shape.ts";
import { kinds } from "./value_reader.ts";

/** Values in a document that may be rows. */
export type Found =
  /** Each element of an array. */
  | { kind: "rows"; tokens: string[]; shape: Shape }
  /** Each member of an object. */
  | { kind: "map"; tokens: string[]; shape: Shape }
  /** Each element of an array of arrays, beside an array of their names. */
  | { kind: "header"; tokens: string[]; header: string; rows: string; shape: Shape }
  /** Arrays beside each other, a column each. */
  | {
    kind: "columns";
    tokens: string[];
    columns: { name: string; tokens: string[] }[];
    shape: Shape;
  };

/** Arrays beside each other, at most. */
const BESIDE_MAX = 256;

/** What an answer says of itself. */
const ABOUT =
  /^(meta|meta[ _]?data|headers?|links?|errors?|pag(e|ing|ination)|request|warnings?)$/i;

const scalars = 1 << kinds.string | 1 << kinds.integer | 1 << kinds.decimal |
  1 << kinds.exponent | 1 << kinds.boolean | 1 << kinds.null;

/** The one table of a document, or the record in it; null for itself. Throws INVALID when it may be several. */
export function discover(root: Shape, name: string, knownColumns: readonly string[]): Found | null {
  const known = knownColumns.filter((column) => !/^#?\//.test(column)).map(plainName);
  const own = share(known, [...root.members.keys()]);
  if (root.kind !== kinds.array && own >= 0.5) return null;
  const all = [...tablesIn(root, []), ...besideOthers(root)];
  const told = all.filter(({ tokens }) => !tokens.some((token) => ABOUT.test(token)));
  const found = told.length > 0 ? told : all;
  if (found.length < 2) return found[0] ?? wrapped(root);
  const rated = found.map((each) => ({ each, rate: share(known, fieldsOf(each)) }))
    .toSorted((a, b) => b.rate - a.rate);
  if (rated[0].rate >= 0.5 && rated[0].rate > rated[1].rate) return rated[0].each;
  throw new AppError(
    "INVALID",
    `Cannot tell which records of ${name} are rows: "records" may be ${
      found.slice(0, 12).map(described).join(", ")
    }${
      found.length > 12 ? `, and ${found.length - 12} more` : ""
    }; or "", for the whole document as ` +
      `one record`,
    { detail: { candidates: found.map(({ tokens }) => pointerOf(tokens)) } },
  );
}

/** Arrays beside each other; not those of which rows with a header, or rows of arrays, are made. */
function besideOthers(root: Shape): Found[] {
  const isOfArrays = ({ kind, shape }: Found) =>
    kind === "header" || (kind === "rows" && shape.inside === 1 << kinds.array);
  if (root.kind !== kinds.object || tablesIn(root, []).some(isOfArrays)) return [];
  const found = beside(root, []);
  return found ? [found] : [];
}

/** The record in objects that hold nothing else. */
function wrapped(root: Shape): Found | null {
  const tokens: string[] = [];
  let shape = root;
  while (shape.count === 1 && shape.inside === 1 << kinds.object) {
    const [[name, inside]] = shape.members;
    tokens.push(name);
    shape = inside;
  }
  return tokens.length === 0 || shape.count === 0 ? null : { kind: "rows", tokens, shape };
}

/** The table that an object at a pointer is; null when it is a record. */
export function tableAt(shape: Shape, tokens: string[]): Found | null {
  return withHeader(shape, tokens) ?? beside(shape, tokens);
}

function tablesIn(shape: Shape, tokens: string[]): Found[] {
  if (shape.kind === kinds.array) return tablesInArray(shape, tokens);
  if (shape.kind !== kinds.object) return [];
  const own = withHeader(shape, tokens) ?? mapOfRecords(shape, tokens);
  if (own) return [own];
  return [...shape.members].flatMap(([name, member]) => tablesIn(member, [...tokens, name]));
}

function tablesInArray(shape: Shape, tokens: string[]): Found[] {
  const { inside, elements, count } = shape;
  if (inside === 1 << kinds.object) {
    // One object of nothing but arrays is no row: these are columns.
    if (count === 1 && elements[0].inside === 1 << kinds.array) return [];
    // Of one answer in a list, as vendors send it, its own tables count.
    const deeper = count === 1 ? tablesIn(elements[0], [...tokens, WILDCARD]) : [];
    return deeper.length > 0 ? deeper : [{ kind: "rows", tokens, shape }];
  }
  if (inside === 1 << kinds.array) {
    const [first] = elements;
    const isTable = first.count > 1 &&
      elements.every(({ count, inside }) => count === first.count && (inside & ~scalars) === 0);
    return isTable ? [{ kind: "rows", tokens, shape }] : [];
  }
  return elements.flatMap((element, i) => tablesIn(element, [...tokens, String(i)]));
}

/** `{"columns": ["a", "b"], "data": [[1, 2], …]}`, by whatever names. */
function withHeader(shape: Shape, tokens: string[]): Found | null {
  const arrays = [...shape.members].filter(([, { kind }]) => kind === kinds.array);
  for (const [rows, body] of arrays) {
    const isEmpty = body.count === 0 && /^(data|rows|values)$/i.test(rows);
    if (!isEmpty && body.inside !== 1 << kinds.array) continue;
    const header = arrays.find(([name, head]) =>
      name !== rows && head.count > 0 &&
      (head.inside === 1 << kinds.string || isListOfNames(head)) &&
      (isEmpty
        ? /columns?|fields|header|names/i.test(name)
        : body.elements.every(({ count }) => count === head.count))
    );
    if (header) return { kind: "header", tokens, header: header[0], rows, shape };
  }
  return null;
}

function isListOfNames({ inside, elements }: Shape): boolean {
  return inside === 1 << kinds.object &&
    elements.every(({ members }) => members.get("name")?.kind === kinds.string);
}

/** Members that are alike: dates or symbols with a record each. */
function mapOfRecords(shape: Shape, tokens: string[]): Found | null {
  if (shape.count < 2 || shape.inside !== 1 << kinds.object) return null;
  const records = [...shape.members.values()].slice(0, 16);
  const names = records.map(({ members }) => [...members.keys()]);
  const all = new Set(names.flat());
  const isAlike = names.every((own) => own.length > 0 && own.length >= 0.8 * all.size);
  const hasScalars = records.every(({ inside }) => (inside & scalars) !== 0);
  return isAlike && hasScalars ? { kind: "map", tokens, shape } : null;
}

/** Arrays of scalars of one length, in the object and in what it holds. */
function beside(shape: Shape, tokens: string[]): Found | null {
  const byLength = new Map<number, { name: string; tokens: string[] }[]>();
  for (const { at, length } of scalarArrays(shape, [])) {
    const group = byLength.get(length) ?? [];
    byLength.set(length, [...group, { name: at.at(-1)!, tokens: at }]);
  }
  const groups = [...byLength].filter(([length, group]) => group.length >= (length > 1 ? 2 : 3));
  const [most, next] = groups.toSorted((a, b) => b[1].length - a[1].length);
  if (!most || most[1].length === next?.[1].length) return null;
  const columns = most[1];
  const names = new Set(columns.map(({ name }) => name));
  // Of the same name in many places, or of none, they are no columns of one table.
  if (names.size < columns.length || columns.length > BESIDE_MAX) return null;
  if (columns.every(({ name }) => /^\d+$/.test(name))) return null;
  return {
    kind: "columns",
    tokens: [...tokens, ...commonStart(columns.map(({ tokens }) => tokens))],
    columns: columns.map(({ name, tokens: at }) => ({
      name,
      tokens: [...tokens.map((token) => token === WILDCARD ? "0" : token), ...at],
    })),
    shape,
  };
}

function commonStart(ways: readonly string[][]): string[] {
  const [first] = ways;
  const length = first.findIndex((token, i) => ways.some((way) => way[i] !== token));
  return first.slice(0, length);
}

function scalarArrays(shape: Shape, at: string[]): { at: string[]; length: number }[] {
  if (shape.kind === kinds.object) {
    return [...shape.members].flatMap(([name, member]) => scalarArrays(member, [...at, name]));
  }
  if (shape.kind !== kinds.array || shape.count === 0 || at.length === 0) return [];
  if ((shape.inside & ~scalars) === 0) return [{ at, length: shape.count }];
  return shape.count === 1 ? scalarArrays(shape.elements[0], [...at, "0"]) : [];
}

function fieldsOf(found: Found): string[] {
  if (found.kind === "columns") return found.columns.map(({ name }) => name);
  const records = found.kind === "rows"
    ? found.shape.elements
    : [...found.shape.members.values()].slice(0, 8);
  return records.flatMap(({ members }) => [...members.keys()]);
}

/** How many of the columns that are wanted are among these fields. */
function share(known: readonly string[], fields: readonly string[]): number {
  if (known.length === 0) return 0;
  const names = new Set(fields.map(plainName));
  return known.filter((name) => names.has(name)).length / known.length;
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}

function described({ kind, tokens, shape }: Found): string {
  const pointer = JSON.stringify(pointerOf(tokens));
  switch (kind) {
    case "rows":
      return `${pointer} (an array of ${shape.count})`;
    case "map":
      return `${pointer} (an object with ${shape.count} records; name its keys with "recordKey")`;
    case "header":
      return `${pointer} (rows with a header)`;
    case "columns":
      return `${pointer} (arrays beside each other)`;
  }
}
