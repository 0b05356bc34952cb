/** @module FIX: a row per message, groups as they were sent, faults refused with their place. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { converter, readAlone } from "../../../../tests/support/converted.ts";
import { AppError } from "../../../../src/model/errors.ts";
import { fix } from "./mod.ts";

/** A message with its length and checksum; `|` stands for SOH. */
function message(body: string, version = "FIX.4.4"): string {
  const fields = `${body}|`.replaceAll("|", "\x01");
  const head = `8=${version}\x019=${new TextEncoder().encode(fields).length}\x01${fields}`;
  const sum = new TextEncoder().encode(head).reduce((a, b) => a + b, 0) & 255;
  return `${head}10=${String(sum).padStart(3, "0")}\x01`;
}

const order = message(
  "35=D|49=BUY|56=SELL|34=7|43=N|52=20260105-14:30:00.123456|11=A1|55=IBM|54=1|38=100|44=182.2500|" +
    "75=20260105|5001=own",
);
const snapshot = message(
  "35=W|49=SELL|56=BUY|34=8|52=20260105-14:30:01|55=IBM|268=2|269=0|270=182.25|271=100|269=1|" +
    "270=182.5|58=late|60=20260105-14:30:01.5",
);

Deno.test("fix", async (t) => {
  await using convert = await converter();

  await t.step("a message is a row with a column a tag; numbers keep their digits", async () => {
    const table = await convert.table(order + snapshot, { file: "orders.log" });
    assertEquals([table.format, table.refused], ["fix", []]);
    const [first, second] = table.rows;
    assertEquals(
      [first.MsgType, first.Symbol, first.OrderQty, first.Price, first.PossDupFlag, first["5001"]],
      ["D", "IBM", 100, "182.2500", false, "own"],
    );
    assertEquals([first.TradeDate, first.SendingTime], [
      "2026-01-05",
      "2026-01-05 14:30:00.123456+00",
    ]);
    assertEquals(table.types.SendingTime, "TIMESTAMP WITH TIME ZONE");
    assertEquals([second.TransactTime, "Text" in second], ["2026-01-05 14:30:01.5+00", false]);
    assertEquals(JSON.parse(second.NoMDEntries as string), [
      { MDEntryType: "0", MDEntryPx: "182.25", MDEntrySize: "100" },
      { MDEntryType: "1", MDEntryPx: "182.5", Text: "late" },
    ]);
  });

  await t.step("a field belongs to the group only in messages where it does", async () => {
    // In 35=W of FIX 4.4 the Symbol stands beside the entries, in 35=X it is one of theirs.
    const x = message("35=X|34=1|268=1|279=0|269=0|55=IBM|270=1");
    const w = message("35=W|34=1|268=1|269=0|270=1|55=IBM");
    const { rows } = await convert.table(x + w, { format: "fix" });
    assertEquals(rows.map(({ Symbol }) => Symbol), [null, "IBM"]);
    assertEquals(JSON.parse(rows[0].NoMDEntries as string)[0].Symbol, "IBM");
  });

  await t.step("groups in groups, repeated fields, raw data with the delimiter in it", async () => {
    const nested = message("35=8|453=2|448=A|447=D|802=1|523=x|803=4|448=B|447=D|58=a|58=b");
    const raw = message("35=B|95=5|96=a\x01b=c|58=t");
    const { rows } = await convert.table(nested + raw, { format: "fix" });
    assertEquals(JSON.parse(rows[0].NoPartyIDs as string), [
      {
        PartyID: "A",
        PartyIDSource: "D",
        NoPartySubIDs: [{ PartySubID: "x", PartySubIDType: "4" }],
      },
      { PartyID: "B", PartyIDSource: "D" },
    ]);
    assertEquals([rows[0].Text, rows[0].RepeatedFields], ["a", '[["Text","b"]]']);
    assertEquals([rows[1].RawData, rows[1].Text], [btoa("a\x01b=c"), "t"]);
  });

  await t.step(
    "nanoseconds are kept: one such stamp makes the columns TIMESTAMP_NS, in UTC",
    async () => {
      const { rows, types } = await convert.table(
        message("35=0|52=20260105-14:30:00.123456789|122=20260105-14:30:00"),
        { format: "fix" },
      );
      assertEquals([types.SendingTime, types.OrigSendingTime], ["TIMESTAMP_NS", "TIMESTAMP_NS"]);
      assertEquals(rows[0].SendingTime, "2026-01-05 14:30:00.123456789");
    },
  );

  await t.step(
    "logs: other delimiters, time stamps before messages, lines between them",
    async () => {
      for (const delimiter of ["|", "^A", "\x01", ";"]) {
        const log = [order, snapshot].map((text) =>
          `2026-01-05 14:30:00,123 INFO > ${text.replaceAll("\x01", delimiter)}\n# connected\n`
        ).join("");
        const table = await convert.table(log, { format: "fix" });
        assertEquals([table.rows.length, table.refused.length], [2, 0], delimiter);
        assertEquals(table.rows[0].Price, "182.2500");
      }
    },
  );

  await t.step("a message that was bent is refused, those around it are not", async () => {
    const bent = order.replace("182.2500", "182.3500");
    const table = await convert.table(order + bent + snapshot, { format: "fix" });
    assertEquals(table.rows.length, 2);
    const [{ row, offset, reason, rule }] = table.refused;
    assertEquals([row, offset, rule], [2, order.length, "fix"]);
    assert(/checksum \(tag 10\) says \d{3}, and its bytes sum up to \d{3}/.test(reason), reason);
    const ignored = await convert.table(bent, { format: "fix", fix: { checks: "ignore" } });
    assertEquals(ignored.rows[0].Price, "182.3500");
  });

  await t.step("values that their fields cannot have, and groups of another length", async () => {
    for (
      const [body, why] of [
        ["35=D|43=maybe", 'PossDupFlag (43) is "maybe", not Y or N'],
        ["35=D|52=20261305-00:00:00", "SendingTime (52)"],
        ["35=W|268=2|269=0|270=1", "NoMDEntries (268) says 2 entries, and 1 follow"],
        ["35=B|95=9|96=abc|58=t", "field 96 is not as long as the 9 bytes"],
      ]
    ) {
      const { refused } = await convert.table(order + message(body), { format: "fix" });
      assert(refused[0]?.reason.includes(why), `${body}: ${refused[0]?.reason}`);
    }
    await assertRejects(() => convert.table("no message", { format: "fix" }), AppError, "8=FIX");
  });

  await t.step("cut off at any byte, or one bit other: refused, never another row", async () => {
    const bytes = new TextEncoder().encode(order + snapshot);
    const outcome = (content: Uint8Array) =>
      readAlone(fix, content).catch((error) => {
        if (error instanceof AppError) return null;
        throw error;
      });
    for (let length = 1; length < bytes.length - 1; length++) {
      const table = await outcome(bytes.subarray(0, length));
      if (table === null) continue;
      assertEquals(table.rows, length >= order.length - 1 ? 1 : 0, `${length}`);
      const isBetween = length === order.length - 1 || length === order.length ||
        length < order.length + 5;
      assert(table.refused.length === 1 || isBetween, `${length}`);
    }
    for (let bit = 0; bit < 8 * bytes.length; bit += 13) {
      const bent = bytes.slice();
      bent[bit >> 3] ^= 1 << (bit & 7);
      const table = await outcome(bent);
      // A message may end without its last delimiter.
      const isLast = [order.length - 1, bytes.length - 1].includes(bit >> 3);
      assert(table === null || table.rows <= (isLast ? 2 : 1), `bit ${bit}`);
    }
  });
});
