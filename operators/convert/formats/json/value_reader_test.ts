import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { corpus } from "../../../../tests/support/corpora.ts";
import { elementsOf, fieldsOf, textOf, valueAt } from "./fields.ts";
import { FieldNames, RecordReader } from "./record_reader.ts";
import { DocumentWalk, lineRecords, tokensOf } from "./records.ts";
import { withoutBlanks } from "./stage.ts";
import { inMemory, Window } from "./window.ts";

interface Taken {
  row: number;
  offset: number;
  json: string;
  fields: string[];
  wrong?: string;
}

function take(
  bytes: Uint8Array,
  { pointer = "", isMap = false, isLines = false, window: size, chunk }: {
    pointer?: string;
    isMap?: boolean;
    isLines?: boolean;
    window?: number;
    chunk?: number;
  } = {},
): Taken[] {
  const records = new RecordReader(new FieldNames(5000));
  const whole = inMemory(bytes);
  const window = new Window(records.reader, {
    read: (into) => whole(into.subarray(0, chunk ?? into.length)),
    name: "test",
    bytes: size,
  });
  const taken: Taken[] = [];
  const text = (start: number, end: number) =>
    new TextDecoder().decode(records.reader.buffer.subarray(start, end));
  const sink = {
    record(
      { row, offset, start, end }: { row: number; offset: number; start: number; end: number },
    ) {
      const fields = Array.from(
        { length: records.count },
        (_, i) =>
          `${records.fields.names[records.numbers[i]]}=${text(records.starts[i], records.ends[i])}`,
      );
      taken.push({
        row,
        offset,
        json: text(start, end),
        fields,
        ...(records.wrong ? { wrong: records.wrong.rule } : {}),
      });
    },
    badLine(
      { row, offset, bytes, why }: { row: number; offset: number; bytes: Uint8Array; why: string },
    ) {
      taken.push({ row, offset, json: new TextDecoder().decode(bytes), fields: [], wrong: why });
    },
  };
  const at = { tokens: tokensOf(pointer), isMap };
  const walk = isLines
    ? lineRecords(window, { records, sink })
    : new DocumentWalk(window, { records, at, sink }).run("test");
  for (const _ of walk);
  return taken;
}

function isDocument(bytes: Uint8Array): boolean {
  try {
    take(bytes);
    return true;
  } catch {
    return false;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("documents are taken when JSON.parse takes them, and lines too", () => {
  const broken = fc.string({ unit: fc.constantFrom(...'{}[]",:0123456789eE.-+truefalsn \\u') });
  fc.assert(
    fc.property(fc.oneof(fc.json(), broken), fc.constantFrom(4, 64), (text, window) => {
      assertEquals(isDocument(encode(text)), isJson(text), text);
      const [line] = take(encode(text), { isLines: true, window });
      if (line) assertEquals(line.wrong === undefined || !/ /.test(line.wrong), isJson(text), text);
    }),
    { numRuns: 500 },
  );
});

Deno.test("a document that is cut at any byte, or has a flipped bit, is read right or refused", () => {
  const whole = encode('{"a":[{"b":"é\\n","c":-1.50e3},{"b":null,"c":[true,{"d":1}]}],"e":""}');
  for (let length = 0; length < whole.length; length++) {
    assertEquals(isDocument(whole.subarray(0, length)), false, `${length} bytes`);
  }
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (let bit = 0; bit < 8 * whole.length; bit++) {
    const flipped = whole.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    let text: string | null = null;
    try {
      text = strict.decode(flipped);
    } catch {
      // No UTF-8, so no JSON.
    }
    assertEquals(isDocument(flipped), text !== null && isJson(text), `bit ${bit}`);
  }
});

Deno.test("the JSON test suite: y_ is taken with its values, n_ refused, i_ either", async (t) => {
  const dir = corpus("jsontestsuite/test_parsing");
  await t.step({
    name: dir ? "every file" : "skipped: the corpus jsontestsuite is not here",
    ignore: dir === null,
    async fn() {
      let judged = 0;
      for await (const { name } of Deno.readDir(dir!)) {
        const bytes = await Deno.readFile(`${dir}/${name}`);
        if (name.startsWith("i_")) {
          isDocument(bytes);
          continue;
        }
        judged++;
        assertEquals(isDocument(bytes), name.startsWith("y_"), name);
        if (name.startsWith("n_")) continue;
        const value = JSON.parse(new TextDecoder().decode(bytes));
        const records = take(bytes).map(({ json }) => JSON.parse(json));
        assertEquals(records, Array.isArray(value) ? value : [value], name);
      }
      assertEquals(judged, 283);
    },
  });
});

Deno.test("records at a pointer are given, whatever the window", () => {
  const text = '{"a":{"x":[1]},"b~/":[{"p":1},[2,"z"],"t"],"c":3}';
  for (const window of [1, 3, 64]) {
    const records = take(encode(text), { pointer: "/b~0~1", window, chunk: 2 });
    assertEquals(records.map(({ row, offset, json }) => [row, offset, json]), [
      [1, 22, '{"p":1}'],
      [2, 30, '[2,"z"]'],
      [3, 38, '"t"'],
    ]);
  }
});

Deno.test("wildcards go through arrays and objects", () => {
  const text = '{"r":[{"s":"A","q":[{"p":1},{"p":2}]},{"s":"B"},{"q":[{"p":3}]}]}';
  const records = take(encode(text), { pointer: "/r/*/q" });
  assertEquals(records.map(({ json }) => json), ['{"p":1}', '{"p":2}', '{"p":3}']);
});

Deno.test("what comes after the records is checked", () => {
  const at = (text: string) => take(encode(text), { pointer: "/a" });
  assertThrows(() => at('{"a":[1],"b":}'), Error, "at byte 13");
  assertThrows(() => at('{"a":[1]} x'), Error, "something follows");
  assertThrows(() => at('{"a":[1],"a":[2]}'), Error, 'a second "a"');
  assertThrows(() => take(encode("[".repeat(100_000))), Error, "nesting is deeper than 512");
  assertThrows(() => take(encode("")), Error, "at byte 0, there is nothing");
});

Deno.test("lines go on after a bad one", () => {
  const text = '{"a":1}\r\n\n{"a"\n{"a":2,"a":3}\n{"a":\n1}\n{"a":4} 5\n {"a":6}';
  for (const window of [1, 7, 1000]) {
    const records = take(encode(text), { isLines: true, window });
    assertEquals(records.map(({ row, offset, wrong }) => [row, offset, wrong]), [
      [1, 0, undefined],
      [2, 10, "at byte 14, it ends too early"],
      [3, 15, undefined],
      [4, 29, "at byte 34, it ends too early"],
      [5, 35, "at byte 36, something follows the value"],
      [6, 38, "at byte 46, something follows the value"],
      [7, 48, undefined],
    ]);
  }
});

Deno.test("fields are found by their names, however these are written", () => {
  const text =
    '{"a":1,"a":2,"a_2":3}\n{"":1,"\\u0000":2}\n{"a":1,"b":2}\n{"b":3,"\\u0061" : 4}\n{"c":5, "a":6}\n{}\n[7,8]\n9\n';
  assertEquals(take(encode(text), { isLines: true }).map(({ fields }) => fields), [
    ["a=1", "a_2=2", "a_2_2=3"],
    ["_=1", "\\u0000=2"],
    ["a=1", "b=2"],
    ["b=3", "a=4"],
    ["c=5", "a=6"],
    [],
    ["0=7", "1=8"],
    ["value=9"],
  ]);
});

Deno.test("withoutBlanks() leaves texts and digits as they are", () => {
  assertEquals(
    withoutBlanks(' { "a b" : [ 1.50 , "x\\" y" ] }\n'),
    '{"a b":[1.50,"x\\" y"]}',
  );
});

Deno.test("fieldsOf() slices what JSON.parse reads", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue()),
      fc.constantFrom(undefined, 1),
      (value, space) => {
        const fields = fieldsOf(JSON.stringify(value, null, space));
        const expected = Object.entries(value).filter(([name]) => name !== "__proto__");
        assertEquals(
          [...fields].filter(([name]) => name !== "__proto__")
            .map(([name, json]) => [name, JSON.parse(json)]),
          JSON.parse(JSON.stringify(expected)),
        );
      },
    ),
  );
  assertEquals(elementsOf('[1, [2,3] ,"a]"]'), ["1", "[2,3]", '"a]"']);
  assertEquals(valueAt('{"a":[{"b/c":1.10}]}', "/a/0/b~1c"), "1.10");
  assertEquals([textOf("1.10"), textOf('"\\u00e9"'), textOf("null")], ["1.10", "é", null]);
});
