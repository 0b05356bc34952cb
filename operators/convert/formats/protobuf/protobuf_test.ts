import { assertEquals, assertRejects } from "@std/assert";
import protobufjs from "protobufjs";
import "protobufjs/ext/descriptor/index.js";
import { tableContext } from "../../../../tests/support/table_context.ts";
import { convertFiles } from "../../convert_files.ts";
import { ConvertParams } from "../../params.ts";

const schema = `
  syntax = "proto3";
  package market;
  import "google/protobuf/timestamp.proto";
  import "google/protobuf/wrappers.proto";
  import "side.proto";
  message Trade {
    int64 id = 1;
    uint64 seq = 2;
    sint64 delta = 3;
    string symbol = 4;
    Side side = 5;
    double price = 6;
    google.protobuf.Timestamp at = 7;
    repeated Leg legs = 8;
    map<string, int64> sizes = 9;
    oneof who { string name = 10; bytes key = 11; }
    optional int32 maybe = 12;
    google.protobuf.DoubleValue fee = 13;
    Tree tree = 14;
    repeated sint32 packed = 15;
    fixed64 f64 = 16;
    sfixed32 f32 = 17;
    float small = 18;
    bool flag = 19;
    Leg leg = 20;
    message Leg { uint32 ratio = 1; string note = 2; }
    message Tree { int64 value = 1; repeated Tree children = 2; }
  }
  message Day { string date = 1; Book book = 2; int64 count = 3; }
  message Book { repeated Trade trades = 5; }
`;
const imports = {
  "side.proto": 'syntax = "proto3"; package market; enum Side { NONE = 0; BUY = 1; }',
};
const root = new protobufjs.Root();
protobufjs.parse(schema, root, { keepCase: true });
protobufjs.parse(imports["side.proto"], root, { keepCase: true });
for (const name of ["timestamp", "wrappers"]) {
  root.addJSON(protobufjs.common.get(`google/protobuf/${name}.proto`)!.nested!);
}
root.resolveAll();
const Trade = root.lookupType("market.Trade");
const encode = (values: Record<string, unknown>, type = Trade) =>
  type.encode(type.fromObject(values)).finish();

const full = encode({
  id: "-9223372036854775808",
  seq: "18446744073709551615",
  delta: "-9007199254740993",
  symbol: "Zürich",
  side: 1,
  price: 0.1,
  at: { seconds: "1704164645", nanos: 123456789 },
  legs: [{ ratio: 4294967295, note: "a" }, {}],
  sizes: { x: "9007199254740993", y: 0 },
  key: new Uint8Array([0, 255]),
  maybe: 0,
  fee: { value: 0 },
  tree: { value: "9007199254740993", children: [{ value: 1 }, { children: [{ value: 2 }] }] },
  packed: [-1, 0, 2147483647],
  f64: "18446744073709551615",
  f32: -5,
  small: 0.5,
  flag: true,
  leg: { ratio: 1 },
});
const delimited = (...messages: Uint8Array[]) =>
  Uint8Array.from(messages.flatMap((message) => {
    const { length } = message;
    return [...(length < 128 ? [length] : [length & 127 | 128, length >> 7]), ...message];
  }));

Deno.test("Protocol Buffers", async (t) => {
  await using context = await tableContext();
  const { engine, signal } = context.ctx;
  let next = 0;
  const convert = async (
    content: Uint8Array,
    { protobuf, ...params }: { protobuf?: Record<string, unknown>; records?: string } = {},
  ) => {
    const path = `${context.root}/objects/${next++}.pb`;
    await Deno.writeFile(path, content);
    const workDir = `${context.root}/work/${next++}`;
    await Deno.mkdir(workDir);
    const raw = { path, name: "x.pb", key: "x", source: "s", labels: {} };
    const parsed = ConvertParams.parse({
      format: "protobuf",
      protobuf: { schema, imports, message: "market.Trade", ...protobuf },
      ...params,
    });
    const result = await convertFiles([raw], parsed, { engine, workDir, signal });
    await result.quarantine.close();
    const names = result.schema.columns.map(({ name }) => `"${name}"::VARCHAR`).join(", ");
    const { rows } = await engine.run(
      `SELECT ${names} FROM read_parquet('${result.files[0].path}')`,
      { rowsMax: 1000 },
    );
    return {
      columns: result.schema.columns.map(({ name, type }) => [name, type]),
      rows: rows as (string | null)[][],
      refused: result.quarantine.sample,
      accounting: result.accounting,
    };
  };

  await t.step("every kind of field keeps its value and its type", async () => {
    const { columns, rows } = await convert(delimited(full, encode({})));
    const found = columns.map(([name, type], i) => [name, type, rows[0][i], rows[1][i]]);
    assertEquals(found, [
      ["id", "BIGINT", "-9223372036854775808", "0"],
      ["seq", "UBIGINT", "18446744073709551615", "0"],
      ["delta", "BIGINT", "-9007199254740993", "0"],
      ["symbol", "VARCHAR", "Zürich", ""],
      ["side", "VARCHAR", "BUY", "NONE"],
      ["price", "DOUBLE", "0.1", "0.0"],
      ["at", "TIMESTAMP_NS", "2024-01-02 03:04:05.123456789", null],
      [
        "legs",
        'STRUCT("ratio" UINTEGER, "note" VARCHAR)[]',
        "[{'ratio': 4294967295, 'note': a}, {'ratio': 0, 'note': ''}]",
        "[]",
      ],
      ["sizes", "MAP(VARCHAR, BIGINT)", "{x=9007199254740993, y=0}", "{}"],
      ["name", "VARCHAR", null, null],
      ["key", "BLOB", "\\x00\\xFF", null],
      ["maybe", "INTEGER", "0", null],
      ["fee", "DOUBLE", "0.0", null],
      [
        "tree",
        "JSON",
        '{"value":9007199254740993,"children":[{"value":1},{"value":0,"children":[{"value":2}]}]}',
        null,
      ],
      ["packed", "INTEGER[]", "[-1, 0, 2147483647]", "[]"],
      ["f64", "UBIGINT", "18446744073709551615", "0"],
      ["f32", "INTEGER", "-5", "0"],
      ["small", "FLOAT", "0.5", "0.0"],
      ["flag", "BOOLEAN", "true", "false"],
      ["leg", 'STRUCT("ratio" UINTEGER, "note" VARCHAR)', "{'ratio': 1, 'note': ''}", null],
    ]);
  });

  await t.step("a descriptor does as well as the text", async () => {
    const set = (root as unknown as { toDescriptor(edition: string): protobufjs.Message })
      .toDescriptor("proto3");
    const descriptor = set.$type.encode(set).finish().toBase64();
    const { rows } = await convert(delimited(full), {
      protobuf: { schema: undefined, descriptor },
    });
    assertEquals(rows, (await convert(delimited(full))).rows);
  });

  await t.step("framings: four bytes, one message, a repeated field of one message", async () => {
    const { length } = full;
    const want = (await convert(delimited(full))).rows;
    const big = Uint8Array.from([0, 0, length >> 8, length & 255, ...full]);
    assertEquals((await convert(big, { protobuf: { framing: "fixed32be" } })).rows, want);
    const little = Uint8Array.from([length & 255, length >> 8, 0, 0, ...full]);
    assertEquals((await convert(little, { protobuf: { framing: "fixed32le" } })).rows, want);
    assertEquals((await convert(full, { protobuf: { framing: "single" } })).rows, want);
    const trades = [Trade.toObject(Trade.decode(full)), { id: 7 }];
    const day = encode({ date: "d", book: { trades }, count: 2 }, root.lookupType("market.Day"));
    const inside = await convert(day, {
      protobuf: { message: "market.Day", framing: "single" },
      records: "/book/trades",
    });
    assertEquals([inside.rows[0], inside.rows[1][0]], [want[0], "7"]);
  });

  await t.step("fields that the type has not are kept, with where they were", async () => {
    const { columns, rows } = await convert(
      delimited(
        encode({ id: 1 }),
        Uint8Array.from([8, 2, 0xfa, 1, 1, 65, 0xa2, 1, 2, 0x18, 5]),
      ),
    );
    const at = columns.findIndex(([name]) => name === "unknown_fields");
    assertEquals(rows.map((row) => row[at]), [
      null,
      '[{"in":"","field":31,"wire":2,"base64":"+gEBQQ=="},' +
      '{"in":"leg","field":3,"wire":0,"base64":"GAU="}]',
    ]);
  });

  await t.step("the last of a oneof counts, and a message that comes twice is merged", async () => {
    const { columns, rows } = await convert(delimited(
      Uint8Array.from([0x52, 1, 65, 0x5a, 1, 66, 0xa2, 1, 2, 8, 5, 0xa2, 1, 3, 0x12, 1, 67]),
    ));
    const value = (name: string) => rows[0][columns.findIndex(([column]) => column === name)];
    assertEquals([value("name"), value("key"), value("leg")], [
      null,
      "B",
      "{'ratio': 5, 'note': C}",
    ]);
  });

  await t.step("a message that is none is refused; the others are read", async () => {
    const { rows, refused, accounting } = await convert(
      delimited(encode({ id: 1 }), Uint8Array.from([0x22, 1, 0xff]), encode({ id: 3 })),
    );
    assertEquals(rows.map(([id]) => id), ["1", "3"]);
    assertEquals([accounting.in, accounting.quarantined], [3, 1]);
    assertEquals(refused.map(({ row, offset, rule, raw }) => [row, offset, rule, raw]), [
      [2, 4, "protobuf", "IgH/"],
    ]);
  });

  await t.step("what is cut off or damaged is read or refused, never a crash", async () => {
    const whole = delimited(encode({ id: 5, symbol: "AB", sizes: { x: 1 }, leg: { note: "n" } }));
    for (let length = 1; length < whole.length; length++) {
      await assertRejects(() => convert(whole.subarray(0, length)), Error, "ends too early");
    }
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const flipped = whole.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      await convert(flipped).catch((error) => assertEquals(error.code, "CORRUPT", String(error)));
    }
  });

  await t.step("a schema that is none, or has not the message, is said to be so", async () => {
    const reject = (protobuf: Record<string, unknown>, why: string, records?: string) =>
      assertRejects(() => convert(full, { protobuf, records }), Error, why);
    await reject({ schema: "nonsense" }, "is no .proto file");
    await reject({ message: "market.Quote" }, "Quote");
    await reject({ imports: {} }, 'imports side.proto, of which "imports" has no text');
    await reject({ schema: undefined, descriptor: "AAAA" }, "no FileDescriptorSet");
    await reject({ framing: "single" }, 'in market.Trade "leg"', "/leg");
    await assertRejects(
      () => convert(full, { protobuf: { schema: undefined } }),
      Error,
      "Give either",
    );
  });
});
