/** @module ITCH 5.0: fields at their places, prices exact, frames that are none refused. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { converter, readAlone } from "../../../../tests/support/converted.ts";
import { AppError } from "../../../../src/model/errors.ts";
import { layouts } from "./layouts.ts";
import { itch } from "./mod.ts";

const ascii = (text: string) => [...text].map((char) => char.charCodeAt(0));

/** A message in its frame: its type, then the head and the bytes of its fields. */
function frame(type: string, fields: number[], timestamp = 34_200_000_000_123n): number[] {
  const head = [...ascii(type), 0, 7, 0, 2];
  const time = Array.from(
    { length: 6 },
    (_, i) => Number((timestamp >> BigInt(8 * (5 - i))) & 255n),
  );
  const body = [...head, ...time, ...fields];
  return [body.length >> 8, body.length & 255, ...body];
}

const start = frame("S", ascii("O"));
const add = frame("A", [
  ...[0, 0, 0, 0, 0, 0, 1, 0],
  ...ascii("B"),
  ...[0, 0, 0, 100],
  ...ascii("IBM     "),
  ...[0, 27, 207, 130],
]);
const decline = frame("V", [
  ...[0, 0, 0, 0, 0, 0, 0, 1],
  ...[255, 255, 255, 255, 255, 255, 255, 255],
  ...[0, 0, 0, 0, 0, 0, 0, 0],
]);

Deno.test("itch", async (t) => {
  await using convert = await converter();

  await t.step("a row per message; prices are exact to the last unit", async () => {
    const table = await convert.table(Uint8Array.from([...start, ...add, ...decline]), {
      file: "01302019.NASDAQ_ITCH50",
    });
    assertEquals([table.format, table.accounting.in, table.refused], ["itch", 3, []]);
    const [first, order, levels] = table.rows;
    assertEquals([first.message_type, first.message, first.event_code], ["S", "system_event", "O"]);
    assertEquals(
      [
        order.stock_locate,
        order.tracking_number,
        order.timestamp_ns,
        order.stock,
        order.shares,
        order.price,
      ],
      [7, 2, 34_200_000_000_123, "IBM", 100, "182.2594"],
    );
    assertEquals([order.order_reference_number, order.buy_sell_indicator, order.event_code], [
      256,
      "B",
      null,
    ]);
    assertEquals([levels.level_1, levels.level_2], ["0.00000001", "184467440737.09551615"]);
  });

  await t.step("a frame of another length or type is refused, what follows is read", async () => {
    const other = frame("Z", ascii("??"));
    const short = frame("D", [1, 2, 3]);
    const { rows, refused } = await convert.table(
      Uint8Array.from([...start, ...other, ...short, ...add]),
      { format: "itch" },
    );
    assertEquals([rows.length, refused.map(({ row, offset }) => [row, offset])], [2, [[2, 14], [
      3,
      29,
    ]]]);
    assert(refused[0].reason.includes('no message of type "Z"'), refused[0].reason);
    assert(refused[1].reason.includes("has 19 bytes, this one 14"), refused[1].reason);
  });

  await t.step("layouts are those of the specification", () => {
    assertEquals(layouts.size, 23);
    const price = layouts.get("Q".charCodeAt(0))!.fields.find(({ name }) =>
      name === "cross_price"
    )!;
    assertEquals([price.offset, price.kind], [27, 4]);
  });

  await t.step("cut off at any byte, the last message is refused", async () => {
    const bytes = Uint8Array.from([...start, ...add]);
    for (let length = 1; length < bytes.length; length++) {
      const { rows, refused } = await readAlone(itch, bytes.subarray(0, length));
      const whole = length >= start.length ? 1 : 0;
      assertEquals([rows, refused.length], [whole, length === start.length ? 0 : 1], `${length}`);
    }
    await assertRejects(
      () => readAlone(itch, new TextEncoder().encode("not at all")),
      AppError,
      "byte 0",
    );
  });
});
