import { assertEquals } from "@std/assert";
import { commonType } from "./common_type.ts";

Deno.test("commonType() holds all values of its types, or is text", () => {
  const cases: [string[], string][] = [
    [["BIGINT", "BIGINT"], "BIGINT"],
    [["INTEGER", "BIGINT", "SMALLINT"], "BIGINT"],
    [["INTEGER", "UINTEGER"], "DECIMAL(18,0)"],
    [["BIGINT", "DECIMAL(18,2)"], "DECIMAL(38,2)"],
    [["DECIMAL(18,2)", "DECIMAL(18,4)"], "DECIMAL(38,4)"],
    [["DECIMAL(38,0)", "DECIMAL(18,4)"], "VARCHAR"],
    [["INTEGER", "DOUBLE"], "DOUBLE"],
    [["BIGINT", "DOUBLE"], "VARCHAR"],
    [["DATE", "TIMESTAMP"], "TIMESTAMP"],
    [["DATE", "BIGINT"], "VARCHAR"],
    [["HUGEINT", "BIGINT"], "VARCHAR"],
  ];
  for (const [types, wanted] of cases) assertEquals(commonType(types), wanted, types.join());
});
