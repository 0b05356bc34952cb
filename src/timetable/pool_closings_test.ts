import { assertEquals } from "@std/assert";
import { poolClosingAt } from "./pool_closings.ts";

const closings = {
  timezone: "America/New_York",
  maintenance: [{ from: "22:00", durationMs: 4 * 3_600_000, weekdays: [6] }],
  blackout: [{ from: "2026-12-24", to: "2026-12-25" }],
};

function at(instant: string, given = closings): [boolean, string | undefined] {
  const { isClosed, changesAtMs } = poolClosingAt(given, Date.parse(instant));
  return [isClosed, changesAtMs === null ? undefined : new Date(changesAtMs).toISOString()];
}

Deno.test("a pool closes and opens with its windows and dates, in its zone", () => {
  // Saturday 12 December, 22:00 in New York, is 03:00 UTC on Sunday.
  assertEquals(at("2026-12-13T02:59:59Z"), [false, "2026-12-13T03:00:00.000Z"]);
  assertEquals(at("2026-12-13T03:00:00Z"), [true, "2026-12-13T07:00:00.000Z"]);
  assertEquals(at("2026-12-13T07:00:00Z"), [false, "2026-12-20T03:00:00.000Z"]);
  assertEquals(at("2026-12-24T04:59:00Z"), [false, "2026-12-24T05:00:00.000Z"]);
  assertEquals(at("2026-12-25T12:00:00Z"), [true, "2026-12-26T05:00:00.000Z"]);
});

Deno.test("a pool with past dates only is open for good", () => {
  assertEquals(at("2027-01-01T00:00:00Z", { ...closings, maintenance: [] }), [false, undefined]);
});
