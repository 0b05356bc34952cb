/** @module Apache's own files, value by value as Apache expects them. */
import { assert, assertEquals } from "@std/assert";
import { gunzipSync } from "node:zlib";
import { corpus } from "../../../../tests/support/corpora.ts";
import type { StagedType } from "../staged_type.ts";
import { StagedTexts, type StagedValues } from "../staging.ts";
import { OrcFile } from "./reader.ts";
import { Misfit, type WiderTypes } from "./types.ts";

const dir = corpus("orc");

/** Rows of files without expected ones, as their writers tell. */
const rowsOf: Readonly<Record<string, number>> = {
  "TestOrcFile.testSargSkipPickupGroupWithoutIndexCPlusPlus": 10_000,
  "TestOrcFile.testWithoutCompressionBlockSize": 100,
  "bad_bloom_filter_1.6.0": 5,
  complextypes_iceberg: 1,
  decimal64_v2: 10,
  "demo-11-zlib": 1_920_800,
  version1999: 0,
};

Deno.test(
  { name: "every file of Apache's is read as expected", ignore: dir === null },
  async (t) => {
    for (const { name } of Deno.readDirSync(`${dir}/examples`)) {
      const stem = name.replace(/\.orc$/, "");
      await t.step(stem, () => {
        using file = Deno.openSync(`${dir}/examples/${name}`);
        const orc = new OrcFile(file);
        const wider = widened(orc);
        const expected = expectedRows(stem);
        let rows = 0;
        for (const batch of orc.batches(wider)) {
          if (expected) compareBatch(orc, wider, { ...batch, expected, from: rows });
          rows += batch.rows;
        }
        assertEquals(rows, expected?.length ?? rowsOf[stem] ?? orc.rows);
      });
    }
  },
);

function widened(orc: OrcFile): WiderTypes {
  const wider: WiderTypes = new Map();
  while (true) {
    try {
      for (const _ of orc.batches(wider));
      return wider;
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      wider.set(error.column, error.wider);
    }
  }
}

function expectedRows(stem: string): string[] | null {
  try {
    const packed = Deno.readFileSync(`${dir}/expected/${stem}.jsn.gz`);
    return gunzipSync(packed).toString().split("\n").filter((line) => line !== "");
  } catch {
    return null;
  }
}

interface Compared {
  columns: readonly StagedValues[];
  rows: number;
  expected: readonly string[];
  from: number;
}

function compareBatch(orc: OrcFile, wider: WiderTypes, batch: Compared): void {
  const columns = orc.columns(wider);
  const columnsOf = batch.columns.map((column) =>
    column instanceof StagedTexts ? column.values() : column
  );
  for (let i = 0; i < batch.rows; i++) {
    const row = parseExact(batch.expected[batch.from + i]);
    for (const [k, { name, type }] of columns.entries()) {
      const wanted = columns.length === 1 && name === "value"
        ? row
        : (row as Record<string, unknown>)[name];
      const found = columnsOf[k][i];
      if (isSame(type, found, wanted)) continue;
      assertEquals(found, wanted, `row ${batch.from + i + 1}, ${name}`);
      assert(false, `row ${batch.from + i + 1}, ${name}: ${found} is not ${wanted}`);
    }
  }
}

/** Numbers stay the texts that they are. */
function parseExact(line: string): unknown {
  return JSON.parse(
    line,
    (_, value, context?: { source?: string }) =>
      typeof value === "number" ? { number: context!.source! } : value,
  );
}

function isSame(type: StagedType, found: unknown, wanted: unknown): boolean {
  if (wanted === null || found === null) return wanted === found;
  if (typeof type === "object") return isSameNested(type, found, wanted);
  const number = (wanted as { number?: string }).number;
  switch (type) {
    case "FLOAT":
    case "DOUBLE":
      return isNear(found as number, Number(number), type === "FLOAT" ? 1e-6 : 1e-13);
    case "VARCHAR":
      return new TextDecoder().decode(found as Uint8Array) === wanted;
    case "BLOB":
      return [...found as Uint8Array].join() ===
        (wanted as { number: string }[]).map((byte) => byte.number).join();
    case "DATE":
      return new Date((found as number) * 86_400_000).toISOString().slice(0, 10) === wanted;
    case "TIMESTAMP_NS":
      return stampOf(found as bigint) === wanted;
    case "BOOLEAN":
      return found === wanted;
    default:
      return String(found) === number;
  }
}

function isSameNested(
  type: Exclude<StagedType, string>,
  found: unknown,
  wanted: unknown,
): boolean {
  if ("decimal" in type) {
    const [whole, fraction = ""] = (wanted as { number: string }).number.split(".");
    return found === BigInt(whole + fraction.padEnd(type.decimal[1], "0"));
  }
  if ("struct" in type) {
    return type.struct.every(({ name, type }) =>
      isSame(
        type,
        (found as Record<string, unknown>)[name],
        (wanted as Record<string, unknown>)[name],
      )
    );
  }
  const all = found as unknown[];
  const element: StagedType = "list" in type ? type.list : {
    struct: [{ name: "key", type: type.map[0] }, { name: "value", type: type.map[1] }],
  };
  return all.length === (wanted as unknown[]).length &&
    all.every((each, i) => isSame(element, each, (wanted as unknown[])[i]));
}

function isNear(found: number, wanted: number, part: number): boolean {
  return Math.abs(found - wanted) <= part * Math.abs(found);
}

function stampOf(nanoseconds: bigint): string {
  const second = nanoseconds - ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const text = new Date(Number(second / 1_000_000n)).toISOString().slice(0, 19).replace("T", " ");
  const fraction = String(nanoseconds - second).padStart(9, "0").replace(/0+$/, "") || "0";
  return `${text}.${fraction}`;
}
