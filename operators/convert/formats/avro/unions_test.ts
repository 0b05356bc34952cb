import { assertEquals } from "@std/assert";
import { converter } from "../../../../tests/support/converted.ts";
import { ByteSink } from "./byte_sink.ts";

const node = {
  type: "record",
  name: "Node",
  fields: [{ name: "v", type: "long" }, { name: "next", type: ["null", "Node"] }],
};
const schema = {
  type: "record",
  name: "a.Row",
  fields: [
    { name: "whole", type: ["null", "int", "long"] },
    { name: "real", type: ["float", "double", "null"] },
    { name: "any", type: ["string", "null", { type: "enum", name: "Side", symbols: ["B", "S"] }] },
    { name: "node", type: node },
    { name: "pairs", type: { type: "map", values: ["null", "a.Side"] } },
  ],
};

/** A file of one block, whose records `write` puts into it. */
function fileOf(records: number, write: (out: ByteSink, text: (text: string) => void) => void) {
  const encoder = new TextEncoder();
  const texts = (out: ByteSink) => (text: string) => {
    const bytes = encoder.encode(text);
    out.number(bytes.length);
    out.copy(bytes, 0, bytes.length);
  };
  const block = new ByteSink();
  write(block, texts(block));
  const file = new ByteSink();
  file.copy(encoder.encode("Obj\x01"), 0, 4);
  file.number(1);
  texts(file)("avro.schema");
  texts(file)(JSON.stringify(schema));
  file.byte(0);
  const sync = new Uint8Array(16).fill(7);
  file.copy(sync, 0, 16);
  file.number(records);
  file.number(block.length);
  file.copy(block.bytes, 0, block.length);
  file.copy(sync, 0, 16);
  return file.bytes.slice();
}

Deno.test("unions become their widest number, or a struct of their branches", async () => {
  await using convert = await converter();
  const double = new Uint8Array(new Float64Array([0.1]).buffer);
  const float = new Uint8Array(new Float32Array([1.5]).buffer);
  const table = await convert.table(fileOf(2, (out, text) => {
    // An int, a double, a text, a record in itself, a pair and a null.
    out.number(1);
    out.number(-7);
    out.number(1);
    out.copy(double, 0, 8);
    out.number(0);
    text("x");
    for (const v of [1, 2]) {
      out.number(v);
      out.number(v === 1 ? 1 : 0);
    }
    out.number(2);
    text("k");
    out.number(1);
    out.number(1);
    text("l");
    out.number(0);
    out.byte(0);
    // A long, a float, a symbol, no further record, no pair.
    out.number(2);
    out.number(2 ** 40);
    out.number(0);
    out.copy(float, 0, 4);
    out.number(2);
    out.number(1);
    out.number(3);
    out.number(0);
    out.byte(0);
  }));
  assertEquals(table.types, {
    whole: "BIGINT",
    real: "DOUBLE",
    any: 'STRUCT("string" VARCHAR, "a.Side" VARCHAR)',
    node: 'STRUCT("v" BIGINT, "next" JSON)',
    pairs: "MAP(VARCHAR, VARCHAR)",
  });
  const rows = table.rows.map(({ whole, real, any, node, pairs }) => [
    whole,
    real,
    any,
    node,
    pairs,
  ]);
  assertEquals(rows, [
    [-7, 0.1, { string: "x", "a.Side": null }, { v: 1, next: '{"v":2,"next":null}' }, [
      ["k", "S"],
      ["l", null],
    ]],
    [2 ** 40, 1.5, { string: null, "a.Side": "S" }, { v: 3, next: null }, []],
  ]);
});
