import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Dialect } from "./dialect.ts";
import { CsvSplitter } from "./split.ts";

const dialect: Dialect = {
  delimiter: ",",
  quote: '"',
  escape: "doubled",
  isPadded: false,
  isMerged: false,
  header: false,
  newLine: "\n",
  skipLines: 0,
  headerLines: 0,
  columns: ["a", "b"],
  profiles: [],
  comment: "",
};

/** What a splitter finds in bytes that come in pieces. */
function split(text: string, pieces: number[] = []): unknown[] {
  const found: unknown[] = [];
  const take = ({ row, offset, bytes, rule }: {
    row: number;
    offset: number;
    bytes: Uint8Array;
    rule?: string;
  }) => found.push([row, offset, new TextDecoder().decode(bytes), ...(rule ? [rule] : [])]);
  const splitter = new CsvSplitter(dialect, { sink: { record: take, refuse: take } });
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  for (const piece of pieces) {
    splitter.push(bytes.slice(at, at + piece));
    at = Math.min(at + piece, bytes.length);
  }
  splitter.push(bytes.slice(at));
  splitter.end();
  return found;
}

Deno.test("CsvSplitter gives records with their offsets and refuses what is none", () => {
  assertEquals(split('1,x\n"2\n2","y ""z"""\r\n\n3\n4,"a"b\n5,q"r\n6,"open\n7,last'), [
    [1, 0, "1,x"],
    [2, 4, '"2\n2","y ""z"""'],
    [3, 22, "3", "columns"],
    [4, 24, '4,"a"b', "quote"],
    [5, 31, '5,q"r'],
    [6, 37, '6,"open', "quote"],
    [7, 45, "7,last"],
  ]);
});

Deno.test("CsvSplitter finds the same in whatever pieces the bytes come", () => {
  const piece = fc.constantFrom("a", ",", '"', '""', "\n", "\r\n", "é", "1,2\n", '"q",');
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 60 }).map((parts) => parts.join("")),
      fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 40 }),
      (text, pieces) => assertEquals(split(text, pieces), split(text)),
    ),
  );
});

Deno.test("CsvSplitter loses no byte: records and refusals cover every line", () => {
  const cell = fc.string({ unit: fc.constantFrom("a", "1", '"', ",", " "), maxLength: 5 });
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1, maxLength: 20 }), (lines) => {
      const found = split(lines.join("\n") + "\n") as [number, number, string][];
      const text = lines.join("\n");
      for (const [, offset, record] of found) {
        assertEquals(text.slice(offset, offset + record.length), record);
      }
      const covered = found.reduce((sum, [, , record]) => sum + record.length + 1, 0);
      const blank = lines.filter((line, i) => line === "" && !insideOf(found, text, lines, i));
      assertEquals(covered + blank.length, text.length + 1);
    }),
  );
});

/** Is this line a part of a record of several lines? */
function insideOf(
  found: [number, number, string][],
  _text: string,
  lines: string[],
  index: number,
): boolean {
  const offset = lines.slice(0, index).reduce((sum, line) => sum + line.length + 1, 0);
  return found.some(([, from, record]) => from < offset && offset < from + record.length + 1);
}
