import { assertEquals, assertRejects } from "@std/assert";
import { tableContext } from "../../../../tests/support/table_context.ts";
import { convertFiles } from "../../convert_files.ts";
import { ConvertParams } from "../../params.ts";
import { instantText } from "./decoder.ts";
import { messagepack } from "./mod.ts";
import { messagePackRecords } from "./records.ts";

const bytes = (...parts: (number | string | readonly number[])[]) =>
  Uint8Array.from(parts.flatMap((part) => {
    if (typeof part === "number") return [part];
    if (typeof part !== "string") return part;
    const text = [...new TextEncoder().encode(part)];
    return [0xa0 | text.length, ...text];
  }));
const big = (value: bigint, code: number) => {
  const view = new DataView(new ArrayBuffer(9));
  view.setUint8(0, code);
  view.setBigInt64(1, value);
  return [...new Uint8Array(view.buffer)];
};
const float = (value: number) => {
  const view = new DataView(new ArrayBuffer(9));
  view.setUint8(0, 0xcb);
  view.setFloat64(1, value);
  return [...new Uint8Array(view.buffer)];
};
const map = (members: number) => 0x80 | members;
const list = (elements: number) => 0x90 | elements;
/** 2024-01-02T03:04:05.123456789Z as timestamp 64. */
const stamp = [0xd7, 0xff, ...big((123_456_789n << 34n) | 1_704_164_645n, 0).slice(1)];

const records = [
  bytes(
    map(9),
    "i",
    7,
    "u",
    big(-1n, 0xcf),
    "l",
    big(-(2n ** 63n), 0xd3),
    "f",
    float(0.1),
    "s",
    "é",
  ),
  bytes("b", 0xc4, 2, 0, 255, "t", stamp, "n", map(2), "x", list(2), float(1), 0xc0),
  bytes("y", big(2n ** 63n - 1n, 0xd3), "m", 1),
];
const first = Uint8Array.from(records.flatMap((part) => [...part]));
const second = bytes(map(3), "i", 0xe0, "m", "text", "f", 3);

Deno.test("MessagePack", async (t) => {
  await using context = await tableContext();
  let next = 0;
  const written = async (content: Uint8Array) => {
    const path = `${context.root}/objects/${next++}.msgpack`;
    await Deno.writeFile(path, content);
    return path;
  };
  const convert = async (content: Uint8Array, params: Record<string, unknown> = {}) => {
    const path = await written(content);
    const workDir = `${context.root}/work/${next++}`;
    await Deno.mkdir(workDir);
    const raw = { path, name: "x.msgpack", key: "x", source: "s", labels: {} };
    const { engine, signal } = context.ctx;
    const result = await convertFiles([raw], ConvertParams.parse(params), {
      engine,
      workDir,
      signal,
    });
    await result.quarantine.close();
    const names = result.schema.columns.map(({ name }) => `"${name}"::VARCHAR`).join(", ");
    const { rows } = await engine.run(
      `SELECT ${names} FROM read_parquet('${result.files[0].path}')`,
      { rowsMax: 100 },
    );
    return {
      columns: result.schema.columns.map(({ name, type }) => [name, type]),
      rows,
      accounting: result.accounting,
      refused: result.quarantine.sample,
    };
  };

  const columns = [
    ["i", "BIGINT"],
    ["u", "UBIGINT"],
    ["l", "BIGINT"],
    ["f", "DOUBLE"],
    ["s", "VARCHAR"],
    ["b", "BLOB"],
    ["t", "TIMESTAMP_NS"],
    ["n", "JSON"],
    ["m", "VARCHAR"],
  ];
  const rows = [
    [
      "7",
      "18446744073709551615",
      "-9223372036854775808",
      "0.1",
      "é",
      "\\x00\\xFF",
      "2024-01-02 03:04:05.123456789",
      '{"x":[1.0,null],"y":9223372036854775807}',
      "1",
    ],
    ["-32", null, null, "3.0", null, null, null, null, "text"],
  ];

  await t.step("a stream of maps, and an array of them, keep every value", async () => {
    for (
      const content of [
        Uint8Array.from([...first, ...second]),
        Uint8Array.from([list(2), ...first, ...second]),
        Uint8Array.from([0xdd, 0, 0, 0, 2, ...first, ...second]),
      ]
    ) {
      const { accounting, ...found } = await convert(content);
      assertEquals(found, { columns, rows, refused: [] });
      assertEquals([accounting.in, accounting.out], [2, 2]);
    }
  });

  await t.step("records may be deeper in a document", async () => {
    const content = bytes(map(2), "a", 1, "b", list(2), map(1), "p", 1, map(1), "p", 2);
    const found = await convert(content, { records: "/b" });
    assertEquals(found.rows, [["1"], ["2"]]);
    await assertRejects(() => convert(content, { records: "/c" }), Error, 'no "c" on the way');
  });

  await t.step("a record with a field twice is refused with its bytes", async () => {
    const twice = bytes(map(2), "p", 1, "p", 2);
    const { rows, refused } = await convert(Uint8Array.from([...twice, ...bytes(map(1), "p", 3)]));
    assertEquals(rows, [["3"]]);
    assertEquals(refused.map(({ row, offset, rule, raw }) => [row, offset, rule, raw]), [
      [1, 0, "duplicate_field", twice.toBase64()],
    ]);
  });

  const read = async (content: Uint8Array, options = {}) => {
    const file = { path: await written(content), name: "x", bytes: 0, isAsCollected: true };
    const call = { file, options, signal: new AbortController().signal };
    return [...messagePackRecords(call as Parameters<typeof messagePackRecords>[0])].length;
  };

  await t.step("what is cut off or damaged is read or refused with its offset", async () => {
    const whole = Uint8Array.from([list(2), ...first, ...second]);
    for (let length = 1; length < whole.length; length++) {
      await assertRejects(() => read(whole.subarray(0, length)), Error, `byte ${length}, it ends`);
    }
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const flipped = whole.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      await read(flipped).catch((error) => assertEquals(error.code, "CORRUPT", String(error)));
    }
  });

  await t.step("what is no MessagePack is refused", async () => {
    for (
      const [content, why] of [
        [bytes(0xc1), "0xc1 begins no value"],
        [bytes(map(1), "a", 0xd4, 5, 0), "an extension of type 5"],
        [bytes(map(1), "a", 0xa2, 0xff, 0xff), "no UTF-8"],
        [bytes(map(1), "a", map(2), "b", 1, "b", 2), 'the key "b" twice'],
        [new Uint8Array(100_000).fill(0x91), "nesting is deeper"],
        [bytes(list(1), 1, 2), "something follows"],
        [bytes(0xdf, 255, 255, 255, 255, "a", 1), "a record has 4294967295 fields"],
      ] as const
    ) await assertRejects(() => read(content), Error, why);
  });

  await t.step("files are told by their first object", () => {
    assertEquals(messagepack.recognise(second, "x.bin") > 0.5, true);
    assertEquals(messagepack.recognise(new TextEncoder().encode("a,b\n1,2\n"), "x.csv"), 0);
  });
});

Deno.test("instantText() keeps nanoseconds on both sides of 1970", () => {
  assertEquals(instantText(-1n), "1969-12-31T23:59:59.999999999Z");
  assertEquals(instantText(1_500_000_000n), "1970-01-01T00:00:01.5Z");
});
