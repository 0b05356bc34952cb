import { assertEquals } from "@std/assert";
import { inferColumn } from "../column.ts";
import { meaningOf } from "./model.ts";

const meaning = (name: string, values: readonly string[]) => {
  const texts = new Map<string, number>();
  for (const value of values) texts.set(value, (texts.get(value) ?? 0) + 1);
  return meaningOf(inferColumn({ name, texts, nulls: 0 }).column).meaning;
};
const many = (value: (i: number) => string) => Array.from({ length: 2_000 }, (_, i) => value(i));

Deno.test("meaningOf() tells figures, categories, dates, texts and keys", () => {
  assertEquals(meaning("close_price", many((i) => (100 + Math.sin(i) * 20).toFixed(2))), "numeric");
  assertEquals(meaning("side", many((i) => i % 3 ? "BUY" : "SELL")), "categorical");
  assertEquals(
    meaning("trade_date", many((i) => new Date(i * 86_400_000).toISOString().slice(0, 10))),
    "datetime",
  );
  assertEquals(meaning("website", many((i) => `https://www.example.com/page/${i}`)), "url");
  assertEquals(meaning("market_cap", many((i) => `$${i + 1},234,567`)), "embedded-number");
  assertEquals(meaning("id", many((i) => String(i + 1))), "not-generalizable");
  assertEquals(
    meaning(
      "description",
      many((i) => `The fund number ${i} invests in bonds of the world's states.`),
    ),
    "sentence",
  );
});
