import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { tableContext } from "../../tests/support/table_context.ts";
import { columnType } from "../table/column_type.ts";
import { literal } from "../table/sql.ts";
import { castText } from "./cast.ts";

/** The digits of a number's text, exactly: value = digits / 10^places; null: no such number. */
function exactNumber(text: string): { digits: bigint; places: number } | null {
  const match = text.match(/^\s*([+-]?)(\d*)(?:(\.)(\d*))?(?:[eE]([+-]?\d+))?\s*$/);
  if (!match || (match[2] === "" && !match[4])) return null;
  const [, sign, whole, , fraction = "", exponent = "0"] = match;
  const digits = BigInt(whole + fraction || "0") * (sign === "-" ? -1n : 1n);
  return { digits, places: fraction.length - Number(exponent) };
}

/** What a DECIMAL of this scale must hold, as the engine shows it; null: it cannot hold it. */
function expected(text: string, precision: number, scale: number): string | null {
  const number = exactNumber(text);
  if (!number) return null;
  let { digits, places } = number;
  if (digits === 0n) places = 0;
  while (places > scale) {
    if (digits % 10n !== 0n) return null;
    digits /= 10n;
    places--;
  }
  if (scale - places > 60) return null;
  digits *= 10n ** BigInt(scale - places);
  const plain = String(digits < 0n ? -digits : digits).padStart(scale + 1, "0");
  if (plain.replace(/^0+/, "").length > precision) return null;
  const sign = digits < 0n ? "-" : "";
  return scale === 0 ? sign + plain : `${sign}${plain.slice(0, -scale)}.${plain.slice(-scale)}`;
}

const digits = (max: number) =>
  fc.string({ unit: fc.constantFrom(..."0001259999"), minLength: 0, maxLength: max });
const numberText = fc.tuple(
  fc.constantFrom("", "", "", "-", "+", " "),
  digits(9),
  fc.constantFrom("", ".", ".", "."),
  digits(8),
  fc.constantFrom("", "", "", "", "e-1", "E2", "e-9", "e+3", "e-12", "e1", "x", " "),
).map(([sign, whole, point, fraction, end]) => sign + whole + point + fraction + end);

Deno.test("a number is taken when its type holds all its digits, and only then", async (t) => {
  await using context = await tableContext();
  const texts = fc.sample(numberText, { numRuns: 8000, seed: 42 });
  const values = texts.map((text) => `(${literal(text)})`).join(", ");
  for (
    const [sql, precision, scale] of [
      ["DECIMAL(9,2)", 9, 2],
      ["DECIMAL(18,4)", 18, 4],
      ["DECIMAL(38,7)", 38, 7],
      ["DECIMAL(12,0)", 12, 0],
      ["BIGINT", 18, 0],
    ] as const
  ) {
    await t.step(sql, async () => {
      const cast = castText("x", columnType(sql), { decimalMark: "." });
      const rows = await context.query(
        `SELECT x, v::VARCHAR, coalesce(${cast.fast("x", "v")}, false), ${cast.exact("x", "v")} ` +
          `FROM (SELECT x, ${cast.value} AS v FROM (VALUES ${values}) AS t(x))`,
      );
      let taken = 0;
      for (const [text, value, isFast, isExact] of rows) {
        const reference = expected(text as string, precision, scale);
        const hasExponent = /[eE]/.test(text as string);
        if (isExact) assertEquals(value, reference, `exact: ${JSON.stringify(text)} as ${sql}`);
        // Numbers with exponents may be refused when the engine's own cast gives up on them.
        else if (!hasExponent) assertEquals(null, reference, `${JSON.stringify(text)} as ${sql}`);
        if (isFast) assertEquals(value, reference, `fast: ${JSON.stringify(text)} as ${sql}`);
        if (isExact) taken++;
      }
      assertEquals(taken > 1000, true);
    });
  }
});
