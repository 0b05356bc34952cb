import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { isIsin, isLei } from "../convert/inference/check_digits.ts";
import { piiOfColumn } from "./column.ts";
import { findPii } from "./text.ts";

const found = (text: string) =>
  findPii(text).map(({ kind, start, end }) => `${kind}:${text.slice(start, end)}`);

const cases: readonly [string, string[]][] = [
  ["pay with 4111 1111 1111 1111 please", ["card:4111 1111 1111 1111"]],
  ["pay with 4111 1111 1111 1112 please", []],
  ["my card 3530111333300000", ["card:3530111333300000"]],
  ["IBAN DE89 3704 0044 0532 0130 00.", ["iban:DE89 3704 0044 0532 0130 00"]],
  ["IBAN DE89 3704 0044 0532 0130 01.", []],
  ["write to zoë.b+x@mail.example.co.uk!", ["email:zoë.b+x@mail.example.co.uk"]],
  ["call +44 20 7946 0958 or (212) 555-0123", ["phone:+44 20 7946 0958", "phone:(212) 555-0123"]],
  ["order 5550123 of 2026-01-05, total 1234.56", []],
  ["My phone is 668 5702", ["phone:668 5702"]],
  ["from 192.168.10.1 and 2001:db8::8a2e:370:7334", [
    "ip:192.168.10.1",
    "ip:2001:db8::8a2e:370:7334",
  ]],
  ["Chrome version: 4.0.225.0", []],
  ["SSN 856-45-6789", ["national_id:856-45-6789"]],
  ["SSN 000-45-6789", []],
  ["NINO AB 12 34 56 C", ["national_id:AB 12 34 56 C"]],
  ["IdNr 86 095 742 719", ["tax_id:86 095 742 719"]],
  ["NIR 2 55 08 14 168 025 38", ["national_id:2 55 08 14 168 025 38"]],
  ["CF RSSMRA85T10A562S", ["national_id:RSSMRA85T10A562S"]],
  ["DNI 12345678Z", ["national_id:12345678Z"]],
  ["DNI 12345678A", []],
  ["BSN 111222333", ["national_id:111222333"]],
  ["CPF 111.444.777-35", ["national_id:111.444.777-35"]],
  ["AHV 756.9217.0769.85", ["national_id:756.9217.0769.85"]],
  ["passport number C01X00T47", []],
  ["passport number L8988901", ["passport:L8988901"]],
  ["she was born on 2/8/1935", ["birth_date:2/8/1935"]],
  ["a 25 year old man", ["age:25"]],
  ["see https://www.example.com/a.", ["url:https://www.example.com/a"]],
  ["Dear Mrs. Annette Schmidt, call us", ["name:Annette Schmidt"]],
  ["it was said by Laura Meyer-Brown in 1977", ["name:Laura Meyer-Brown"]],
  ["shares of Morgan Stanley and Charles Schwab Corp fell", []],
  ["The Federal Reserve and General Motors", []],
  ["ship to 137 Acadia Street, Springfield, IL 62704 please", [
    "address:137 Acadia Street, Springfield, IL 62704",
  ]],
  ["US0378331005 HWUPKR0MPOU8FGXBT394 037833100 BBG000B9XRY4 XNYS", []],
];

Deno.test("findPii() finds what has a check or a word beside it, and nothing else", async (t) => {
  for (const [text, spans] of cases) {
    await t.step(text, () => assertEquals(found(text), spans));
  }
});

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** The code with the check digits that make it pass. */
function completed(stem: string, width: number, test: (code: string) => boolean): string | null {
  for (let i = 0; i < 10 ** width; i++) {
    const code = stem + String(i).padStart(width, "0");
    if (test(code)) return code;
  }
  return null;
}

Deno.test("findPii() takes no ISIN and no LEI for personal data", () => {
  const text = (length: number) =>
    fc.string({ unit: fc.constantFrom(...letters), minLength: length, maxLength: length });
  const isin = fc.tuple(fc.constantFrom("US", "DE", "GB", "XS", "FR"), text(9));
  fc.assert(
    fc.property(isin, text(18), ([country, body], stem) => {
      const codes = [completed(country + body, 1, isIsin), completed(stem, 2, isLei)];
      for (const code of codes) {
        if (code !== null) assertEquals(found(`position ${code} 100`), []);
      }
    }),
    { numRuns: 2_000, seed: 1 },
  );
});

Deno.test("piiOfColumn() knows columns by name and texts", async (t) => {
  const columns: readonly [string, string[], string | null][] = [
    ["c7", ["a@example.com", "b@example.com"], "email"],
    ["E-Mail", ["a@example.com", ""], "email"],
    ["first_name", ["Anna", "Jürgen"], "name"],
    ["name", ["Anna Schmidt", "Smith, John"], "name"],
    ["name", ["Apple Inc.", "International Business Machines"], null],
    ["trader", ["DESK1", "DESK2"], null],
    ["phoneNumber", ["6685702"], "phone"],
    ["volume", ["2125550123", "4155550199"], null],
    ["pan", ["4111111111111111"], "card"],
    ["ref", ["4111111111111111", "5500005555555559"], "card"],
    ["dob", ["1990-02-03"], "birth_date"],
    ["date", ["1990-02-03"], null],
    ["zip_code", ["02139"], "postcode"],
    ["street", ["137 Acadia St"], "address"],
    ["age", ["30", "41"], "age"],
    ["isin", ["US0378331005"], null],
  ];
  for (const [name, texts, kind] of columns) {
    await t.step(`${name}: ${texts[0]}`, () => assertEquals(piiOfColumn(name, texts).kind, kind));
  }
  await t.step("a comment with an address within", () => {
    assertEquals(piiOfColumn("comment", ["write to a@example.com, please, soon", "none"]), {
      kind: null,
      within: ["email"],
    });
  });
});
