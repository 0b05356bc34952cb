/** @module Bloomberg replies: fields by name, missing values, files that are not whole. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { converter, readAlone } from "../../../../tests/support/converted.ts";
import { AppError } from "../../../../src/model/errors.ts";
import { bloomberg } from "./mod.ts";

const data = `START-OF-FILE
RUNDATE=20260105
PROGRAMNAME=getdata
START-OF-FIELDS
PX_LAST
NAME
END-OF-FIELDS
TIMESTARTED=Mon Jan  5 10:42:10 EST 2026
START-OF-DATA
# a comment
IBM US Equity|0|2|105.230000|INTL BUSINESS MACHINES|
XYZ US Equity|10|2| | |
ABC US Equity|0|2|N.A.|ABC|
END-OF-DATA
DATARECORDS=3
TIMEFINISHED=Mon Jan  5 10:43:46 EST 2026
END-OF-FILE
`;

const history = `START-OF-FILE
PROGRAMNAME=gethistory
START-OF-FIELDS
PX_OPEN
END-OF-FIELDS
START-OF-DATA
START SECURITY|SPX Index|PX_OPEN|
SPX Index|01/05/2026|2087.38|
SPX Index|01/16/2026|2090.1|
END SECURITY|SPX Index|PX_OPEN|0|
END-OF-DATA
END-OF-FILE
`;

Deno.test("bloomberg", async (t) => {
  await using convert = await converter();

  await t.step(
    "getdata: a row per security, with its return code; missing values are null",
    async () => {
      const table = await convert.table(data, { file: "x.out" });
      assertEquals([table.format, table.refused], ["bloomberg", []]);
      assertEquals(
        table.rows.map((row) => [row.security, row.return_code, row.PX_LAST, row.NAME]),
        [
          ["IBM US Equity", 0, "105.230000", "INTL BUSINESS MACHINES"],
          ["XYZ US Equity", 10, null, null],
          ["ABC US Equity", 0, null, "ABC"],
        ],
      );
    },
  );

  await t.step("gethistory: a row per security, field and date", async () => {
    const { rows } = await convert.table(history);
    assertEquals(rows.map(({ security, field, date, value }) => [security, field, date, value]), [
      ["SPX Index", "PX_OPEN", "2026-01-05", "2087.38"],
      ["SPX Index", "PX_OPEN", "2026-01-16", "2090.10"],
    ]);
  });

  await t.step("a row of another shape is refused with its place", async () => {
    const bent = data.replace("|105.230000|", "|");
    const { rows, refused } = await convert.table(bent, { format: "bloomberg" });
    assertEquals([rows.length, refused[0].row, refused[0].offset], [2, 1, bent.indexOf("IBM US")]);
    assert(refused[0].reason.includes("1 values for 2 fields"), refused[0].reason);
  });

  await t.step("a file without its end is still being written", async () => {
    const bytes = new TextEncoder().encode(data);
    for (let length = 0; length < bytes.length - 1; length++) {
      await assertRejects(
        () => readAlone(bloomberg, bytes.subarray(0, length)),
        AppError,
        "END-OF-FILE",
        `${length}`,
      );
    }
    const fewer = new TextEncoder().encode(data.replace("DATARECORDS=3", "DATARECORDS=4"));
    await assertRejects(() => readAlone(bloomberg, fewer), AppError, "DATARECORDS=4, and has 3");
  });
});
