import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { bytesInMemory, ByteSource } from "./byte_source.ts";
import { elementsOf, fieldsOf, textOf, valueAt } from "./fields.ts";
import { documentRecords, lineRecords } from "./records.ts";
import { JsonScanner } from "./scanner.ts";

function isDocument(bytes: Uint8Array): boolean {
  try {
    const scanner = new JsonScanner(bytesInMemory(bytes), "test");
    scanner.value();
    scanner.end();
    return true;
  } catch {
    return false;
  }
}

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("JsonScanner takes what JSON.parse takes", () => {
  const broken = fc.string({ unit: fc.constantFrom(...'{}[]",:0123456789eE.-+truefalsn \\u') });
  fc.assert(
    fc.property(fc.oneof(fc.json(), broken), (text) => {
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      assertEquals(isDocument(encode(text)), isJson, text);
    }),
    { numRuns: 500 },
  );
});

Deno.test("JsonScanner agrees with the JSON test suite", async (t) => {
  const corpora = Deno.env.get("TIDEWHEEL_CORPORA") ??
    new URL("../../../../../shared/data", import.meta.url).pathname;
  const dir = `${corpora}/jsontestsuite/test_parsing`;
  const isThere = await Deno.stat(dir).then(() => true, () => false);
  await t.step({
    name: isThere ? "every y_ and n_ file" : `skipped: ${dir} is not here`,
    ignore: !isThere,
    async fn() {
      for await (const { name } of Deno.readDir(dir)) {
        if (!/^[yn]_/.test(name)) continue;
        const bytes = await Deno.readFile(`${dir}/${name}`);
        let isTaken = isDocument(bytes);
        if (isTaken) {
          const taken = [...documentRecords(bytesInMemory(bytes), { name, isMap: false })];
          isTaken = taken.every(({ json }) => json.isWellFormed());
        }
        // Records are checked to be UTF-8 when they are taken, scanning goes by bytes.
        const isUtf8 = new TextDecoder().decode(bytes).includes("\ufffd") === false;
        if (isUtf8) assertEquals(isTaken, name.startsWith("y_"), name);
      }
    },
  });
});

Deno.test("documentRecords() gives records at a pointer, whatever the window", () => {
  const text = '{"a":{"x":[1]},"b~/":[{"p":1},[2,"z"],"t"],"c":3}';
  const bytes = encode(text);
  for (const window of [1, 3, 64]) {
    let at = 0;
    const source = new ByteSource((into) => {
      const part = bytes.subarray(at, at + Math.min(into.length, 2));
      into.set(part);
      at += part.length;
      return part.length === 0 ? null : part.length;
    }, window);
    const records = [...documentRecords(source, { pointer: "/b~0~1", name: "t", isMap: false })];
    assertEquals(records.map(({ row, offset, json }) => [row, offset, json]), [
      [1, 22, '{"p":1}'],
      [2, 30, '[2,"z"]'],
      [3, 38, '"t"'],
    ]);
  }
});

Deno.test("documentRecords() checks what comes after the records", () => {
  const take = (text: string) => [
    ...documentRecords(bytesInMemory(encode(text)), { pointer: "/a", name: "t", isMap: false }),
  ];
  assertThrows(() => take('{"a":[1],"b":}'), Error, "at byte 13");
  assertThrows(() => take('{"a":[1]} x'), Error, "something follows");
});

Deno.test("lineRecords() goes on after a bad line", () => {
  const records = [...lineRecords(bytesInMemory(encode('{"a":1}\r\n\n{"a"\n{"a":2}')), 1000)];
  assertEquals(records.map((record) => [record.row, record.offset, "why" in record]), [
    [1, 0, false],
    [2, 10, true],
    [3, 15, false],
  ]);
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
