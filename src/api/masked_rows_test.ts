import { assertEquals } from "@std/assert";
import { maskedRow } from "./masked_rows.ts";

const row = {
  file: "people.csv",
  rowNumber: 7,
  byteOffset: 99,
  columnName: "email",
  rule: "type",
  reason: 'Column "email" holds "zoë@example.com", and Zoë-1 is below 0',
  raw: 'Zoë-1,"zoë@example.com",1990-02-03',
};

Deno.test("maskedRow() keeps place, rule and form, and no letter or digit of the row", () => {
  assertEquals(maskedRow(row), {
    ...row,
    raw: 'Xxx-#,"xxx@xxxxxxx.xxx",####-##-##',
    reason: 'Column "email" holds "xxx@xxxxxxx.xxx", and Xxx-# is below 0',
  });
});
