/** @module Which records of a file are rows, and what their columns are beside their own fields. */
import { AppError } from "../../../../src/model/errors.ts";
import type { ReadCall, ReadOptions, SourceFile } from "../format.ts";
import { discover, type Found, tableAt } from "./discover.ts";
import { textOf } from "./fields.ts";
import { FieldNames, RecordReader } from "./record_reader.ts";
import { DocumentWalk, type RecordsAt, tokensOf, WILDCARD } from "./records.ts";
import { type Shape, shapeOf } from "./shape.ts";
import { kinds } from "./value_reader.ts";
import { Window } from "./window.ts";

/** A column that is no field of the record. */
export type Extra =
  /** A value inside of the record, at the JSON pointer that is its name. */
  | { kind: "inside"; name: string }
  /** The record's name in its map. */
  | { kind: "key"; name: string }
  /** A value outside of the record, by what the wildcards of the record's way stand for. */
  | { kind: "parent"; name: string; textOf(matches: readonly string[]): string | null };

/** How a file is a table. */
export interface JsonTable {
  file: SourceFile;
  /** Null: one record a line. */
  at: RecordsAt | null;
  /** Names of the elements of records that are arrays. */
  header: readonly string[] | null;
  extras: readonly Extra[];
}

/** Arrays that are columns are read into memory; longer files must have their records as rows. */
const COLUMNS_BYTES_MAX = 64 * 1024 * 1024;

/** The table of a file with one record a line. */
export function lineTable({ file, options }: ReadCall): JsonTable {
  return { file, at: null, header: null, extras: insideExtras(options) };
}

/**
 * The table of a document: where the options say, or where its shape does. Throws INVALID when it
 * may be several, CORRUPT when the document is broken.
 */
export async function documentTable(call: ReadCall): Promise<JsonTable> {
  const { file, options } = call;
  const tokens = tokensOf(options.records ?? "");
  const isMap = options.recordKey !== undefined;
  const extras = [...insideExtras(options), ...parentExtras(call)];
  const asTold = { file, at: { tokens, isMap }, header: null, extras };
  if (isMap || tokens.includes(WILDCARD) || options.json?.layout === "rows") return asTold;
  if (kindAt(call, tokens) !== kinds.object) return asTold;
  using input = Deno.openSync(file.path);
  const shape = insideOf(shapeOf(windowOptions(file, input)), tokens);
  const isTold = options.records !== undefined;
  const found = isTold
    ? tableAt(shape, tokens)
    : options.pointers.length > 0
    ? null
    : discover(shape, file.name, options.knownColumns);
  return found ? await foundTable(call, found, extras) : asTold;
}

async function foundTable(call: ReadCall, found: Found, extras: Extra[]): Promise<JsonTable> {
  const { file } = call;
  const { tokens } = found;
  switch (found.kind) {
    case "rows":
      return { file, at: { tokens, isMap: false }, header: null, extras };
    case "map":
      return {
        file,
        at: { tokens, isMap: true },
        header: null,
        extras: [...extras, { kind: "key", name: keyName(found.shape) }],
      };
    case "header": {
      const names = collect(call, [...tokens, found.header]).map(({ json }) => headerName(json));
      const at = { tokens: [...tokens, found.rows], isMap: false };
      return { file, at, header: unique(names), extras };
    }
    case "columns":
      return await columnTable(call, found.columns, extras);
  }
}

/** Arrays beside each other, written as lines of records. */
async function columnTable(
  call: ReadCall,
  columns: readonly { name: string; tokens: string[] }[],
  extras: Extra[],
): Promise<JsonTable> {
  const { file } = call;
  if (file.bytes > COLUMNS_BYTES_MAX) {
    throw new AppError(
      "CORRUPT",
      `Cannot read ${file.name}: its columns are arrays beside each other, which is read up to ` +
        `${COLUMNS_BYTES_MAX} bytes, and it has ${file.bytes}`,
    );
  }
  const values = columns.map(({ tokens }) => collect(call, tokens).map(({ json }) => json));
  const names = columns.map(({ name }) => JSON.stringify(name));
  const path = call.tempPath("ndjson");
  using output = await Deno.open(path, { write: true, createNew: true });
  const encoder = new TextEncoder();
  let bytes = 0;
  let lines = "";
  const flush = async () => {
    for (let rest = encoder.encode(lines); rest.length > 0;) {
      const written = await output.write(rest);
      bytes += written;
      rest = rest.subarray(written);
    }
    lines = "";
  };
  for (let row = 0; row < values[0].length; row++) {
    lines += `{${names.map((name, i) => `${name}:${values[i][row]}`).join(",")}}\n`;
    if (lines.length > 1 << 20) await flush();
  }
  await flush();
  return {
    file: { ...file, path, bytes, isAsCollected: false },
    at: null,
    header: null,
    extras: extras.filter(({ kind }) => kind === "parent"),
  };
}

function insideExtras({ pointers, recordKey }: ReadOptions): Extra[] {
  return [
    ...pointers.filter((name) => name.startsWith("/"))
      .map((name) => ({ kind: "inside" as const, name })),
    ...(recordKey === undefined ? [] : [{ kind: "key" as const, name: recordKey }]),
  ];
}

/** Values that lie outside of the records: `#/…`, with the wildcards of the way to the records. */
function parentExtras(call: ReadCall): Extra[] {
  return call.options.pointers.filter((name) => name.startsWith("#/")).map((name) => {
    const tokens = tokensOf(name.slice(1));
    const wildcards = tokens.filter((token) => token === WILDCARD).length;
    const texts = new Map(
      collect(call, tokens, true).map(({ json, matches }) => [matches.join("\0"), textOf(json)]),
    );
    const textFor = (matches: readonly string[]) =>
      texts.get(matches.slice(0, wildcards).join("\0")) ?? null;
    return { kind: "parent" as const, name, textOf: textFor };
  });
}

/** The values at a place as JSON: one, or its elements. */
function collect(
  { file }: ReadCall,
  tokens: readonly string[],
  isWhole = false,
): { json: string; matches: string[] }[] {
  const found: { json: string; matches: string[] }[] = [];
  const records = new RecordReader(new FieldNames(Infinity));
  using input = Deno.openSync(file.path);
  const window = new Window(records.reader, windowOptions(file, input));
  const decoder = new TextDecoder();
  const walk = new DocumentWalk(window, {
    records,
    at: { tokens, isMap: false, isWhole },
    sink: {
      record({ start, end, matches }) {
        const json = decoder.decode(records.reader.buffer.subarray(start, end));
        found.push({ json, matches: [...matches] });
      },
    },
  });
  for (const _ of walk.run(file.name));
  return found;
}

/** What lies at a place; nothing after it is looked at. */
function kindAt({ file }: ReadCall, tokens: readonly string[]): number | null {
  const records = new RecordReader(new FieldNames(Infinity));
  using input = Deno.openSync(file.path);
  const window = new Window(records.reader, windowOptions(file, input));
  const at = { tokens, isMap: false };
  const walk = new DocumentWalk(window, { records, at, sink: { record() {} } });
  for (const _ of walk.run(file.name)) if (walk.found !== null) break;
  return walk.found;
}

function insideOf(root: Shape, tokens: readonly string[]): Shape {
  let shape = root;
  for (const token of tokens) {
    const inside = shape.kind === kinds.array
      ? shape.elements[Number(token)]
      : shape.members.get(token);
    // Too far down, or too far behind, to have been looked into.
    if (!inside) return { ...root, members: new Map(), elements: [] };
    shape = inside;
  }
  return shape;
}

function windowOptions({ name }: SourceFile, input: Deno.FsFile) {
  return { name, read: (into: Uint8Array) => input.readSync(into) };
}

function keyName({ members }: Shape): string {
  const fields = new Set([...members.values()].flatMap((record) => [...record.members.keys()]));
  let name = "key";
  while (fields.has(name)) name = `_${name}`;
  return name;
}

/** A name in a header: a text, or the name of what describes the column. */
function headerName(json: string): string {
  const value: unknown = JSON.parse(json);
  return typeof value === "string" ? value : String((value as { name: unknown }).name);
}

function unique(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    let own = name;
    for (let n = 2; taken.has(own); n++) own = `${name}_${n}`;
    taken.add(own);
    return own;
  });
}
