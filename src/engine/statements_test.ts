import { assertEquals, assertThrows } from "@std/assert";
import { AppError } from "../model/errors.ts";
import { checkText } from "./statements.ts";

const refused = [
  "from query('select 1')",
  `from "query" /* x */ -- y
    ('select 1')`,
  `from "Query"('select 1')`,
  "from main.query\u00a0\u200b('select 1')",
  "from query /* a /* b */ c */ ('select 1')",
  "from query -- x\r('select 1')",
  "select '''', 'a\\' from query('select 1') --'",
  "select e'\\'' from query('select 1') --'",
  "select date'2020-01-01', '--' from query('select 1')",
  `select 1 as "it's" from query('select 1') --'`,
  "select 1 -- don't\nfrom query('select 1') --'",
  "select /* ' */ 1 from query('select 1') /* ' */",
  "select $$'$$ from query('select 1') --'",
  "select $a$ $$ ' $a$ from query('select 1') --'",
  "select 0x1a$$'$$ from query('select 1') --'",
  "select 1e'\\' from query('select 1') --'",
  "select 1 as a$$, '$$' from query('select 1')",
  "from json_execute_serialized_sql('{}')",
];

Deno.test("checkText() refuses calls of functions that run a text, however they are written", () => {
  for (const sql of refused) assertThrows(() => checkText(sql), AppError, "Cannot run SQL", sql);
});

Deno.test("checkText() lets strings, names and comments speak of such functions", () => {
  for (
    const sql of [
      "select 'x query (v2)' as source",
      "select 'it''s a query (v2)', E'it\\'s a query (v2)', $$query ()$$",
      'select "query (v2)", "my "" query (x)" from t',
      "select 1 -- query (\n/* query ( /* query ( */ query ( */",
      "select query, count(*) from t where date'2020-01-01' < day and a = $1 and b = $2",
    ]
  ) {
    assertEquals(checkText(sql), undefined, sql);
  }
});
