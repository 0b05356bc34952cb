import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { zstdCompressSync } from "node:zlib";
import { converter, readAlone } from "../../../../tests/support/converted.ts";
import {
  message,
  orcFile,
  orcKind,
  type OrcParts,
  varintField,
} from "../../../../tests/support/orc_file.ts";
import { unpackBlock } from "./blocks.ts";
import { orc } from "./mod.ts";

const { struct, int, string, timestamp, decimal, list, union, long } = orcKind;
const utf8 = (text: string) => [...new TextEncoder().encode(text)];

/** Two columns, a null in each, and a list. */
const small: OrcParts = {
  types: [
    { kind: struct, subtypes: [1, 2, 3], names: ["n", "s", "l"] },
    { kind: int },
    { kind: string },
    { kind: list, subtypes: [4] },
    { kind: long },
  ],
  stripes: [{
    rows: 4,
    streams: [
      { column: 1, kind: 0, bytes: [0xff, 0b1110_0000] },
      { column: 1, kind: 1, bytes: [0xfd, 2, 3, 4] },
      { column: 2, kind: 0, bytes: [0xff, 0b1011_0000] },
      { column: 2, kind: 1, bytes: utf8("aé") },
      { column: 2, kind: 2, bytes: [0xfd, 1, 2, 0] },
      { column: 3, kind: 2, bytes: [0xfc, 1, 0, 2, 0] },
      { column: 4, kind: 1, bytes: [0xfd, 2, 4, 6] },
    ],
    encodings: Array(5).fill({ kind: 0 }),
  }],
};
const rows = [
  { n: 1, s: "a", l: "[1]" },
  { n: -2, s: null, l: "[]" },
  { n: 2, s: "é", l: "[2, 3]" },
  { n: null, s: "", l: "[]" },
];

Deno.test("ORC is converted", async (t) => {
  await using convert = await converter();
  for (const codec of [undefined, "zlib"] as const) {
    await t.step(`nulls, empty texts and lists, ${codec ?? "not"} compressed`, async () => {
      const table = await convert.table(orcFile({ ...small, codec }), { file: "small.orc" });
      assertEquals(table.format, "orc");
      assertEquals(table.types, { n: "INTEGER", s: "VARCHAR", l: "BIGINT[]" });
      assertEquals(
        table.rows.map(({ n, s, l }) => ({
          n,
          s,
          l: `[${(l as unknown as unknown[]).join(", ")}]`,
        })),
        rows,
      );
      assertEquals(table.accounting.in, 4);
    });
  }

  await t.step("a row that the schema refuses is quarantined with its ordinal", async () => {
    const schema = {
      name: "t",
      key: [],
      columns: [{ name: "n", type: "INTEGER", nullable: false }],
    };
    const table = await convert.table(orcFile(small), { file: "a.orc", schema, ignore: ["*"] });
    assertEquals(table.rows.map(({ n }) => n), [1, -2, 2]);
    assertEquals(table.refused.map(({ row, rule }) => [row, rule]), [[4, "not_null"]]);
  });

  await t.step(
    "timestamps take the writer's clock and widen for what nanoseconds cannot hold",
    async () => {
      const stamps = (seconds: number[], zone: string) =>
        orcFile({
          types: [{ kind: struct, subtypes: [1], names: ["at"] }, { kind: timestamp }],
          stripes: [{
            rows: 2,
            zone,
            streams: [
              { column: 1, kind: 1, bytes: seconds },
              // 123,000,000: its six zeros cut off; 1 of none.
              { column: 1, kind: 5, bytes: [0xfe, 0xdd, 0x07, 0x08] },
            ],
            encodings: [{ kind: 0 }, { kind: 0 }],
          }],
        });
      const near = await convert.table(stamps([0xfe, 0, 0], "America/New_York"), { file: "a.orc" });
      assertEquals(near.types, { at: "TIMESTAMP_NS" });
      assertEquals(near.rows.map(({ at }) => at), [
        "2015-01-01 00:00:00.123",
        "2015-01-01 00:00:00.000000001",
      ]);
      // 10,000,000,000 seconds on: past 2262.
      const far = await convert.table(stamps([0xfe, 0x80, 0x90, 0xdf, 0xc0, 0x4a, 0], "UTC"), {
        file: "a.orc",
      });
      assertEquals(far.types, { at: "VARCHAR" });
      assertEquals(far.rows.map(({ at }) => at), [
        "2331-11-21 17:46:40.123",
        "2015-01-01 00:00:00.000000001",
      ]);
    },
  );

  await t.step("a value beyond its decimal makes texts; a union tells its branch", async () => {
    const table = await convert.table(
      orcFile({
        types: [
          { kind: struct, subtypes: [1, 2], names: ["d", "u"] },
          { kind: decimal, precision: 3, scale: 1 },
          { kind: union, subtypes: [3, 4] },
          { kind: int },
          { kind: string },
        ],
        stripes: [{
          rows: 2,
          streams: [
            // 1.5, and 1234.56 that three digits do not hold.
            { column: 1, kind: 1, bytes: [30, 0x80, 0x89, 0x0f] },
            { column: 1, kind: 5, bytes: [0xfe, 2, 4] },
            { column: 2, kind: 1, bytes: [0xfe, 0, 1] },
            { column: 3, kind: 1, bytes: [0xff, 14] },
            { column: 4, kind: 1, bytes: utf8("x") },
            { column: 4, kind: 2, bytes: [0xff, 1] },
          ],
          encodings: Array(5).fill({ kind: 0 }),
        }],
      }),
      { file: "a.orc" },
    );
    assertEquals(table.types, {
      d: "VARCHAR",
      u: 'STRUCT("tag" UTINYINT, "field0" INTEGER, "field1" VARCHAR)',
    });
    assertEquals(table.rows.map(({ d }) => d), ["1.5", "1234.56"]);
  });
});

/** Blocks as the simplest writers of each codec make them: literals, and one repetition. */
const codecs: Record<string, { number: number; pack(bytes: Uint8Array): Uint8Array }> = {
  snappy: {
    number: 2,
    pack: (bytes) =>
      Uint8Array.of(
        ...varint(bytes.length),
        ...chunked(bytes, 60).flatMap((part) => [(part.length - 1) << 2, ...part]),
      ),
  },
  lz4: {
    number: 4,
    pack: (bytes) =>
      bytes.length < 15
        ? Uint8Array.of(bytes.length << 4, ...bytes)
        : Uint8Array.of(0xf0, ...lengthsOf(bytes.length - 15), ...bytes),
  },
  zstd: { number: 5, pack: (bytes) => zstdCompressSync(bytes) },
};

function varint(value: number): number[] {
  return value < 128 ? [value] : [value % 128 + 128, ...varint(value >> 7)];
}

function lengthsOf(length: number): number[] {
  return length < 255 ? [length] : [255, ...lengthsOf(length - 255)];
}

function chunked(bytes: Uint8Array, length: number): number[][] {
  return Array.from(
    { length: Math.ceil(bytes.length / length) },
    (_, i) => [...bytes.subarray(i * length, (i + 1) * length)],
  );
}

Deno.test("ORC is read from blocks of every codec", async () => {
  for (const [name, codec] of Object.entries(codecs)) {
    assertEquals((await readAlone(orc, orcFile({ ...small, codec }))).rows, 4, name);
  }
});

Deno.test("a block that repeats what came before unpacks, and one that goes too far back does not", () => {
  const snappy = (...bytes: number[]) => unpackBlock(Uint8Array.from(bytes), "snappy", 100);
  const lz4 = (...bytes: number[]) => unpackBlock(Uint8Array.from(bytes), "lz4", 100);
  // "ab", then six more from two back.
  assertEquals([...snappy(8, 0x04, 97, 98, (5 << 2) | 2, 2, 0)], utf8("abababab"));
  assertEquals([...lz4(0x22, 97, 98, 2, 0, 0x10, 99)], utf8("ababababc"));
  assertThrows(() => snappy(8, 0x04, 97, 98, (5 << 2) | 2, 3, 0), Error, "3 bytes back");
  assertThrows(() => lz4(0x22, 97, 98, 3, 0), Error, "3 bytes back");
  assertThrows(() => lz4(0x2f, 97, 98, 2, 0, 255, 255, 0), Error, "more than the 100 bytes");
});

Deno.test("ORC without rows, without stripes or without fields is read", async () => {
  const types = small.types;
  assertEquals((await readAlone(orc, orcFile({ types, stripes: [] }))).rows, 0);
  const none = await readAlone(orc, orcFile({ types: [{ kind: struct }], stripes: [] }));
  assertEquals([none.rows, none.source.columns.length], [0, 1]);
});

Deno.test("an encrypted column is refused, since its mask would be read for its values", async () => {
  const footer = message(10, message(3, varintField(1, 2)));
  const error = await assertRejects(() => readAlone(orc, orcFile({ ...small, footer })));
  assertStringIncludes((error as Error).message, "columns 2 (by number) are encrypted");
});

Deno.test("ORC cut off at any byte is refused with its offset", async () => {
  for (const codec of [undefined, "zlib"] as const) {
    const whole = orcFile({ ...small, codec });
    for (let length = 1; length < whole.length; length++) {
      const error = await assertRejects(() => readAlone(orc, whole.subarray(0, length)));
      assert(/ as ORC: at byte \d+, /.test((error as Error).message), (error as Error).message);
    }
  }
});

Deno.test("ORC with any bit flipped is read or refused with its offset", async () => {
  for (const codec of [undefined, "zlib"] as const) {
    const whole = orcFile({ ...small, codec });
    for (let bit = 0; bit < 8 * whole.length; bit += 3) {
      const flipped = whole.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      await readAlone(orc, flipped).catch((error) => {
        assert(/ as ORC: at byte \d+, /.test(error.message), `bit ${bit}: ${error.stack}`);
      });
    }
  }
});
