import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { readAlone } from "../../../../tests/support/converted.ts";
import { hasCode } from "../../../../src/model/errors.ts";
import { detectDialect } from "./dialect.ts";
import { csv } from "./mod.ts";
import { CsvSplitter } from "./split.ts";
import { type Escape, type NewLine, recordAt, sampleRecords } from "./tokenize.ts";

const encoder = new TextEncoder();

const small = 'Prices\n\nsym;day;px;note\nA;2024-01-02;1,5;"x; ""y"""\nB;2024-01-03;2,5;\n' +
  "C;2024-01-04;3,5;é\n\nTotal rows: 3\n";

/** A file read with care: how many bytes its records and refusals have, or the code of its error. */
async function outcome(bytes: Uint8Array): Promise<string | { rows: number; refused: number }> {
  try {
    const { rows, refused } = await readAlone(csv, bytes);
    return { rows, refused: refused.length };
  } catch (error) {
    assert(hasCode(error, "CORRUPT") || hasCode(error, "INVALID"), String(error));
    return (error as { code: string }).code;
  }
}

Deno.test("a file that is cut at any byte is read, refused in part, or an error", async () => {
  const bytes = encoder.encode(small);
  const all: (string | { rows: number; refused: number })[] = [];
  for (let length = 0; length <= bytes.length; length++) {
    all.push(await outcome(bytes.slice(0, length)));
  }
  assertEquals(all[0], "CORRUPT");
  assertEquals(all.at(-1), { rows: 3, refused: 0 });
  // Where the cut is inside of the last record, that is refused and not taken for a whole one.
  const inB = encoder.encode(small.slice(0, small.indexOf("B;2024-01-03") + 8)).length;
  assertEquals(all[inB], { rows: 1, refused: 1 });
});

Deno.test("flipped bits bring rows, refusals or an error, never a crash", async () => {
  const bytes = encoder.encode(small);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(7)), { minLength: 1, maxLength: 4 }),
      async (flips) => {
        const flipped = bytes.slice();
        for (const [at, bit] of flips) flipped[at] ^= 1 << bit;
        await outcome(flipped);
      },
    ),
    { numRuns: 300 },
  );
});

const grammars = fc.record({
  delimiter: fc.constantFrom(",", "\t", "||", " "),
  quote: fc.constantFrom('"', "'", ""),
  escape: fc.constantFrom<Escape>("doubled", "backslash", "loose", "none"),
  newLine: fc.constantFrom<NewLine>("\n", "\r\n", "\r", "mixed"),
  isPadded: fc.boolean(),
}).map((grammar) => ({ ...grammar, isMerged: grammar.delimiter === " " && grammar.isPadded }));

Deno.test("records end where a sample's do, in every grammar", () => {
  const part = fc.constantFrom(
    "a",
    "1",
    '"',
    "'",
    '""',
    "\\",
    ",",
    "|",
    "||",
    " ",
    "\t",
    "\n",
    "\r",
  );
  fc.assert(
    fc.property(
      grammars,
      fc.array(part, { maxLength: 30 }).map((parts) => parts.join("")),
      fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 20 }),
      (grammar, text, pieces) => {
        // As wide as no record is: all are refused, each with its own width.
        const found: string[] = [];
        const splitter = new CsvSplitter({
          ...grammar,
          columns: Array.from({ length: 50 }, (_, i) => `c${i}`),
          profiles: [],
          header: false,
          skipLines: 0,
          headerLines: 0,
          comment: "",
        }, {
          sink: {
            record: () => assert(false),
            refuse: ({ rule, reason }) =>
              found.push(rule === "quote" ? "broken" : reason.match(/\d+/)![0]),
          },
        });
        const bytes = encoder.encode(text);
        let at = 0;
        for (const piece of pieces) {
          splitter.push(bytes.slice(at, at + piece));
          at = Math.min(at + piece, bytes.length);
        }
        splitter.push(bytes.slice(at));
        splitter.end();
        const expected: string[] = [];
        for (let from = 0; from < text.length;) {
          // What is not of the table's width goes on with the next line, whatever its quotes say.
          const { cells, isBroken } = recordAt(text, from, grammar);
          const line = recordAt(text, from, { ...grammar, quote: "", escape: "doubled" });
          if (line.cells.join("") !== "" || line.cells.length > 1 || cells.length > 1) {
            expected.push(isBroken ? "broken" : String(cells.length));
          }
          from = line.end;
        }
        assertEquals(found, expected);
      },
    ),
    { numRuns: 1_000 },
  );
});

Deno.test("what is written in a dialect is read in it, told nothing", () => {
  const word = fc.stringMatching(/^[A-Za-z]{1,8}$/);
  const rows = fc.array(
    fc.tuple(
      fc.integer({ min: 0, max: 99_999 }),
      word,
      fc.double({ min: 0, max: 1e4, noNaN: true }),
    ),
    { minLength: 5, maxLength: 30 },
  );
  let right = 0;
  let all = 0;
  fc.assert(
    fc.property(
      rows,
      fc.constantFrom(",", ";", "\t", "|", "\x01", "~"),
      fc.constantFrom('"', "'"),
      fc.constantFrom("\n", "\r\n", "\r"),
      (values, delimiter, quote, newLine) => {
        const cells = values.map(([id, name, price]) => [
          String(id),
          `${quote}${name}${delimiter} & co${quote}`,
          price.toFixed(2),
        ]);
        const text = [["id", "name", "price"], ...cells].map((row) => row.join(delimiter) + newLine)
          .join("");
        const found = detectDialect({ head: text, isCut: false }, { knownColumns: [] })!;
        all++;
        const isRight = found.delimiter === delimiter && found.quote === quote &&
          found.newLine === newLine && found.header &&
          sampleRecords(text, found).every(({ cells }) => cells.length === 3);
        if (isRight) right++;
      },
    ),
    { numRuns: 300 },
  );
  assert(right >= 0.99 * all, `${right} of ${all}`);
});
