/** @module Runs as the specification writes them. */
import { assertEquals, assertThrows } from "@std/assert";
import { ByteRuns } from "./byte_runs.ts";
import { IntegerRuns } from "./integer_runs.ts";
import type { FileBytes } from "./file_bytes.ts";
import { OrcStream } from "./stream.ts";

function stream(bytes: number[]): OrcStream {
  const file = {
    bytes: bytes.length,
    read: (from: number, length: number) => Uint8Array.from(bytes.slice(from, from + length)),
  } as unknown as FileBytes;
  const place = { file, offset: 0, bytes: bytes.length, name: "test" };
  return new OrcStream({ ...place, codec: "none", blockBytesMax: 1024 });
}

interface Case {
  what: string;
  version: 1 | 2;
  isSigned?: boolean;
  bytes: number[];
  values: (number | bigint)[];
}

const cases: Case[] = [
  { what: "v1 run", version: 1, bytes: [0x61, 0x00, 0x07], values: Array(100).fill(7) },
  {
    what: "v1 run that falls",
    version: 1,
    bytes: [0x61, 0xff, 0x64],
    values: Array.from({ length: 100 }, (_, i) => 100 - i),
  },
  {
    what: "v1 literals",
    version: 1,
    bytes: [0xfb, 0x02, 0x03, 0x04, 0x07, 0xb],
    values: [2, 3, 4, 7, 11],
  },
  { what: "v2 repeat", version: 2, bytes: [0x0a, 0x27, 0x10], values: Array(5).fill(10_000) },
  {
    what: "v2 direct",
    version: 2,
    bytes: [0x5e, 0x03, 0x5c, 0xa1, 0xab, 0x1e, 0xde, 0xad, 0xbe, 0xef],
    values: [23_713, 43_806, 57_005, 48_879],
  },
  {
    what: "v2 patched base",
    version: 2,
    // deno-fmt-ignore
    bytes: [
      0x8e, 0x13, 0x2b, 0x21, 0x07, 0xd0, 0x1e, 0x00, 0x14, 0x70, 0x28, 0x32, 0x3c, 0x46, 0x50,
      0x5a, 0x64, 0x6e, 0x78, 0x82, 0x8c, 0x96, 0xa0, 0xaa, 0xb4, 0xbe, 0xfc, 0xe8,
    ],
    // deno-fmt-ignore
    values: [
      2030, 2000, 2020, 1_000_000, 2040, 2050, 2060, 2070, 2080, 2090, 2100, 2110, 2120, 2130,
      2140, 2150, 2160, 2170, 2180, 2190,
    ],
  },
  {
    what: "v2 delta",
    version: 2,
    bytes: [0xc6, 0x09, 0x02, 0x02, 0x22, 0x42, 0x42, 0x46],
    values: [2, 3, 5, 7, 11, 13, 17, 19, 23, 29],
  },
  {
    what: "v2 delta that falls over zero",
    version: 2,
    isSigned: true,
    bytes: [0xc2, 0x03, 0x06, 0x05, 0x50],
    values: [3, 0, -1, -2],
  },
  {
    what: "v1 literals of 64 bits",
    version: 1,
    isSigned: true,
    bytes: [0xfe, ...Array(9).fill(0xff), 0x01, 0xfe, ...Array(8).fill(0xff), 0x01],
    values: [-(2n ** 63n), 2n ** 63n - 1n],
  },
];

for (const { what, version, isSigned = false, bytes, values } of cases) {
  Deno.test(`IntegerRuns: ${what}`, () => {
    const runs = new IntegerRuns(stream(bytes), { version, isSigned });
    assertEquals([...runs.takeInt64(values.length)], values.map(BigInt));
  });
}

Deno.test("IntegerRuns gives runs in pieces, and raises at the end of its stream", () => {
  const runs = new IntegerRuns(stream([0x61, 0x00, 0x07]), { version: 1, isSigned: false });
  assertEquals([...runs.takeInt32(99), ...runs.takeNumbers(1)], Array(100).fill(7));
  assertThrows(() => runs.takeInt32(1), Error, "it ends before all of its values");
});

Deno.test("ByteRuns gives runs and literals", () => {
  const runs = new ByteRuns(stream([0x61, 0x00, 0xfe, 0x44, 0x45]));
  const values = Array.from({ length: 102 }, () => runs.next());
  assertEquals(values, [...Array(100).fill(0), 0x44, 0x45]);
});
