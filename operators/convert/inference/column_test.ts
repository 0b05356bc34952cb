import { assert, assertEquals } from "@std/assert";
import { inferColumn } from "./column.ts";

const infer = (name: string, values: readonly string[], hints = {}) => {
  const texts = new Map<string, number>();
  for (const value of values) texts.set(value, (texts.get(value) ?? 0) + 1);
  return inferColumn({ name, texts, nulls: 0 }, hints);
};

/** Name of the column, its values, its type, and what else is to be found. */
const cases: readonly [string, string[], string, Record<string, unknown>?][] = [
  ["n", ["1", "-20", "300"], "BIGINT"],
  ["n", ["123456789012345678901", "1"], "DECIMAL(38,0)"],
  ["code", ["007", "008", "123"], "VARCHAR"],
  ["zip", ["02139", "94105"], "VARCHAR"],
  ["x", ["1.5", "22.125"], "DECIMAL(18,3)"],
  ["x", [".5", "5.", "-3"], "DECIMAL(18,1)"],
  ["x", ["1e-5", "2.25"], "DOUBLE"],
  ["x", ["3.0000000000000004e-05", "2.25"], "DOUBLE"],
  ["x", ["1.23456789012345678901e-05", "2.25"], "DECIMAL(38,25)"],
  ["phone", ["+14155552671", "+14155552672"], "VARCHAR"],
  ["px", ["$1,234.50", "($3.00)", "$5"], "DECIMAL(18,2)", { unit: "$" }],
  ["px", ["1,000.00 EUR", "-2.5 EUR"], "DECIMAL(18,2)", { unit: "EUR" }],
  ["px", ["1,000.00 EUR", "2.5 USD"], "VARCHAR"],
  ["w", ["12.5%", "3%"], "DECIMAL(18,1)", { unit: "%" }],
  ["w", ["1.234,56", "2,5"], "DECIMAL(18,2)"],
  ["w", ["1'234.56", "2.5"], "DECIMAL(18,2)"],
  ["w", ["1 234,56", "2,5"], "DECIMAL(18,2)"],
  ["w", ["12,34,567", "5"], "BIGINT"],
  ["w", ["1,234", "56"], "BIGINT"],
  ["pay_usd", ["12.5", "3"], "DECIMAL(18,1)", { unit: "USD" }],
  ["a", ["Y", "N"], "BOOLEAN"],
  ["a", ["yes", "No"], "BOOLEAN"],
  ["a", ["T", "F"], "BOOLEAN"],
  ["a", ["Y"], "VARCHAR"],
  ["a", ["M", "F"], "VARCHAR"],
  ["a", ["0", "1"], "BIGINT"],
  ["is_active", ["0", "1"], "BOOLEAN"],
  ["d", ["2026-01-05", "1999-12-31"], "DATE"],
  ["d", ["05.01.2026", "13.01.2026"], "DATE"],
  ["d", ["1/5/26", "1/13/26"], "DATE"],
  ["d", ["1/5/26", "13/1/26"], "DATE"],
  ["d", ["1/5/26", "2/3/26"], "VARCHAR"],
  ["d", ["13/1/26", "1/13/26"], "VARCHAR"],
  ["d", Array.from({ length: 12 }, (_, i) => `${i + 1}/1/2006`), "DATE"],
  ["d", ["1/1/92", "2/1/92", "3/1/92", "4/1/92", "5/1/92"], "DATE"],
  ["d", ["5/1/26", "6/1/26", "7/1/26", "8/1/26", "9/1/26"], "VARCHAR"],
  ["d", ["10/1/17", "11/1/17", "12/1/17", "1/1/18", "2/1/18"], "DATE"],
  ["d", ["13/1/60", "13/1/70", "13/1/80", "13/1/00"], "DATE"],
  ["d", ["31.02.2026"], "VARCHAR"],
  ["d", ["05-Jan-2026", "14-FEB-2026"], "DATE"],
  ["d", ["January 5, 2026", "May 14, 2026"], "DATE"],
  ["d", ["August 01,2017"], "DATE"],
  ["d", ["Monday, 7 May 2018", "Friday, 4 May 2018"], "DATE"],
  ["t", ["Fri Oct 16 00:00:00 UTC 2015"], "TIMESTAMP WITH TIME ZONE"],
  ["dob", ["1/15/60", "1/15/31"], "VARCHAR"],
  ["d", ["20260105", "20260106", "20260107"], "DATE"],
  ["d", ["20260105", "20261306", "20260107"], "BIGINT"],
  ["t", ["Jan 5, 2026 4:00 PM"], "TIMESTAMP"],
  ["t", ["20260105-16:00:00.123"], "TIMESTAMP"],
  ["t", ["2026-01-05T16:00:00.123456789Z"], "TIMESTAMP_NS", { unit: "UTC" }],
  ["t", ["2026-01-05T16:00:00.123456789+01:00"], "VARCHAR"],
  ["t", ["2026-01-05T16:00:00+01:00"], "TIMESTAMP WITH TIME ZONE"],
  ["t", ["2026-01-05T16:00:00Z", "2026-01-05T16:00:00"], "VARCHAR"],
  ["t", ["Mon, 05 Jan 2026 16:00:00 +0000"], "TIMESTAMP WITH TIME ZONE"],
  ["t", ["16:00:01", "9:30:00"], "TIME"],
  ["t", ["4:00 PM"], "TIME"],
  ["t", ["27:15"], "VARCHAR"],
  ["ts", ["1767629730", "1767629731"], "TIMESTAMP WITH TIME ZONE"],
  ["created_at", ["1767629730123"], "TIMESTAMP WITH TIME ZONE"],
  ["event_time", ["1767629730123456789"], "TIMESTAMP_NS"],
  ["volume", ["1767629730", "1767629731"], "BIGINT"],
  ["n", ["1", "N/A", "3"], "BIGINT", { nullTokens: ["N/A"] }],
  ["n", ["1", "#NULL!", "3"], "BIGINT", { nullTokens: ["#NULL!"] }],
  ["d", ["2026-01-05", "-", "2026-01-06"], "DATE", { nullTokens: ["-"] }],
  ["country", ["NA", "DE", "FR"], "VARCHAR", { nullTokens: [], identifier: "country" }],
  ["name", ["NA", "Meyer"], "VARCHAR", { nullTokens: [] }],
  ["j", ['{"a":1}', "[]"], "JSON"],
  ["isin", ["US0378331005", "N/A", "DE0007164600"], "VARCHAR", { identifier: "isin" }],
  ["isin", ["US0378331006", "DE0007164600"], "VARCHAR", { identifier: null }],
  ["cusip", ["594918104", "459200101"], "VARCHAR", { identifier: "cusip" }],
  ["sedol", ["0263494", "B0WNLY7"], "VARCHAR", { identifier: "sedol" }],
  ["figi", ["BBG000B9XRY4"], "VARCHAR", { identifier: "figi" }],
  ["lei", ["HWUPKR0MPOU8FGXBT394"], "VARCHAR", { identifier: "lei" }],
  ["iban", ["DE89370400440532013000"], "VARCHAR", { identifier: "iban" }],
  ["ccy", ["USD", "EUR"], "VARCHAR", { identifier: "currency" }],
  ["mic", ["XNYS", "XLON"], "VARCHAR", { identifier: "mic" }],
  ["id", ["8579f4a4-a547-463e-ae63-e7c6620d59b4"], "VARCHAR", { identifier: "uuid" }],
  ["url", ["https://example.com/a"], "VARCHAR", { identifier: "url" }],
  ["note", ["the quick fox", "5"], "VARCHAR", { identifier: null }],
];

Deno.test("inferColumn() finds the narrowest type and what else the texts say", async (t) => {
  for (const [name, values, type, more = {}] of cases) {
    await t.step(`${name}: ${values.slice(0, 3).join(" | ")}`, () => {
      const verdict = infer(name, values);
      assertEquals(verdict.type, type);
      for (const [key, value] of Object.entries(more)) {
        assertEquals(verdict[key as keyof typeof verdict], value);
      }
    });
  }
});

Deno.test("inferColumn() takes commas for thousands where the file says so, else asks", () => {
  const values = ["1,234", "5,678"];
  assertEquals(infer("n", values, { delimiter: "," }).type, "BIGINT");
  const unsure = infer("n", values, { delimiter: ";" });
  assertEquals(unsure.type, "VARCHAR");
  assert(unsure.notes[0].includes("decimalMark"));
  assertEquals(
    infer("n", values, { delimiter: ";", marks: { decimalMark: "," } }).type,
    "DECIMAL(18,3)",
  );
});

Deno.test("inferColumn() reads a date of two orders as the author says", () => {
  const verdict = infer("d", ["1/5/26", "2/3/26"], { formats: ["%d/%m/%y"] });
  assertEquals([verdict.type, verdict.reading], ["DATE", {
    kind: "formats",
    formats: ["%d/%m/%y"],
  }]);
});

Deno.test("inferColumn() is surer after more texts, and lists the values of few", () => {
  const few = infer("side", ["BUY", "SELL"]);
  const many = infer("side", Array.from({ length: 100 }, (_, i) => i % 3 ? "BUY" : "SELL"));
  assert(many.confidence > few.confidence);
  assertEquals([few.values, many.values], [null, ["BUY", "SELL"]]);
  assertEquals(many.evidence.texts, 100);
});
