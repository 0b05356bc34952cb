import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AppError } from "../model/errors.ts";
import { parseCron } from "./cron.ts";
import { nextTick, previousTick } from "./ticks.ts";
import { stretchAt } from "./zone.ts";

/** Ticks in [from, to). */
function ticks(text: string, timezone: string, from: string, to: string): string[] {
  const cron = parseCron(text);
  const out: string[] = [];
  let at = nextTick(cron, timezone, Date.parse(from));
  while (at !== null && at < Date.parse(to)) {
    out.push(new Date(at).toISOString().replace(":00.000Z", "Z"));
    at = nextTick(cron, timezone, at + 1);
  }
  return out;
}

Deno.test("nextTick() fires a fixed hour that the clocks skip once, at the first valid instant", () => {
  assertEquals(ticks("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00Z", "2026-03-31T00:00Z"), [
    "2026-03-28T01:30Z",
    "2026-03-29T01:00Z",
    "2026-03-30T00:30Z",
  ]);
  assertEquals(ticks("0,30 2-3 * * *", "Europe/Berlin", "2026-03-29T00:00Z", "2026-03-29T12:00Z"), [
    "2026-03-29T01:00Z",
    "2026-03-29T01:30Z",
  ]);
});

Deno.test("nextTick() fires a fixed hour that comes twice the first time only", () => {
  assertEquals(ticks("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", "2026-10-26T12:00Z"), [
    "2026-10-25T00:30Z",
    "2026-10-26T01:30Z",
  ]);
});

Deno.test("nextTick() lets crons without a fixed hour go through both changes of the clocks", () => {
  const quarters = (from: string, to: string) => ticks("*/15 * * * *", "Europe/Berlin", from, to);
  assertEquals(quarters("2026-03-29T00:00Z", "2026-03-29T03:00Z").length, 12);
  assertEquals(quarters("2026-10-25T00:00Z", "2026-10-25T03:00Z").length, 12);
  assertEquals(ticks("5 * * * *", "Europe/Berlin", "2026-03-29T00:00Z", "2026-03-29T03:00Z"), [
    "2026-03-29T00:05Z",
    "2026-03-29T01:05Z",
    "2026-03-29T02:05Z",
  ]);
});

Deno.test("nextTick() handles midnight changes and half-hour changes", () => {
  assertEquals(ticks("0 0 * * *", "Africa/Cairo", "2026-04-22T12:00Z", "2026-04-25T12:00Z"), [
    "2026-04-22T22:00Z",
    "2026-04-23T22:00Z",
    "2026-04-24T21:00Z",
  ]);
  assertEquals(
    ticks("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T00:00Z", "2026-10-05T00:00Z"),
    [
      "2026-10-02T15:45Z",
      "2026-10-03T15:30Z",
      "2026-10-04T15:15Z",
    ],
  );
  assertEquals(
    ticks("45 1 * * *", "Australia/Lord_Howe", "2026-04-03T15:00Z", "2026-04-05T14:00Z"),
    ["2026-04-04T14:45Z"],
  );
});

Deno.test("nextTick() skips a day that a zone skipped", () => {
  assertEquals(ticks("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00Z", "2012-01-01T00:00Z"), [
    "2011-12-29T22:00Z",
    "2011-12-30T10:00Z",
    "2011-12-30T22:00Z",
    "2011-12-31T22:00Z",
  ]);
});

Deno.test("nextTick() reads names, steps, last days and nth weekdays", () => {
  assertEquals(ticks("0 0 L * *", "UTC", "2028-01-15T00:00Z", "2028-04-01T00:00Z"), [
    "2028-01-31T00:00Z",
    "2028-02-29T00:00Z",
    "2028-03-31T00:00Z",
  ]);
  assertEquals(ticks("0 0 * * FRIL", "UTC", "2026-01-01T00:00Z", "2026-03-01T00:00Z"), [
    "2026-01-30T00:00Z",
    "2026-02-27T00:00Z",
  ]);
  assertEquals(ticks("0 0 * * MON#2", "UTC", "2026-01-01T00:00Z", "2026-03-01T00:00Z"), [
    "2026-01-12T00:00Z",
    "2026-02-09T00:00Z",
  ]);
  assertEquals(ticks("0 0 13 * 5", "UTC", "2026-02-01T00:00Z", "2026-02-15T00:00Z"), [
    "2026-02-06T00:00Z",
    "2026-02-13T00:00Z",
  ]);
  assertEquals(ticks("@monthly", "UTC", "2026-01-02T00:00Z", "2026-03-02T00:00Z").length, 2);
  assertEquals(ticks("0 0 29 2 *", "UTC", "2026-01-01T00:00Z", "2033-01-01T00:00Z"), [
    "2028-02-29T00:00Z",
    "2032-02-29T00:00Z",
  ]);
});

Deno.test("nextTick() goes by seconds where there are six fields", () => {
  assertEquals(ticks("*/20 59 23 * * *", "UTC", "2026-01-01T00:00Z", "2026-01-02T00:00Z"), [
    "2026-01-01T23:59Z",
    "2026-01-01T23:59:20.000Z",
    "2026-01-01T23:59:40.000Z",
  ]);
  assertEquals(
    ticks("30 30 2 * * *", "Europe/Berlin", "2026-03-28T00:00Z", "2026-03-31T00:00Z"),
    ["2026-03-28T01:30:30.000Z", "2026-03-29T01:00Z", "2026-03-30T00:30:30.000Z"],
  );
});

Deno.test("parseCron() refuses what is not five or six known fields", () => {
  for (
    const text of ["", "bad", "* * *", "61 * * * *", "0 0 0 0 * * *", "H H * * *", "@every 5m"]
  ) {
    assertThrows(() => parseCron(text), AppError, `Cannot read the cron expression "${text}"`);
  }
});

Deno.test("stretchAt() refuses an unknown time zone", () => {
  assertThrows(() => stretchAt("Mars/Olympus", 0), AppError, "not a known IANA name");
});

const anyCron = fc.tuple(
  fc.constantFrom("0", "30", "*/15", "*", "7,53"),
  fc.constantFrom("*", "*/2", "2", "1-3", "0", "23", "0,12"),
  fc.constantFrom("*", "1", "L", "13,28"),
  fc.constantFrom("*", "3,10", "4-9"),
  fc.constantFrom("*", "0", "1-5", "FRI"),
  fc.constantFrom("", "0 ", "*/20 ", "15,45 "),
).map(([minute, hour, day, month, weekday, second]) =>
  `${second}${minute} ${hour} ${day} ${month} ${weekday}`
);
const anyZone = fc.constantFrom(
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Africa/Cairo",
  "America/Havana",
  "Africa/Casablanca",
);
const anyInstant = fc.integer({
  min: Date.parse("2025-01-01T00:00Z"),
  max: Date.parse("2027-12-31T00:00Z"),
});

Deno.test("previousTick() is the inverse of nextTick()", () => {
  fc.assert(
    fc.property(anyCron, anyZone, anyInstant, (text, timezone, at) => {
      const cron = parseCron(text);
      const next = nextTick(cron, timezone, at)!;
      assertEquals(previousTick(cron, timezone, next), next);
      const before = previousTick(cron, timezone, next - 1)!;
      assertEquals(before < at, true);
      assertEquals(nextTick(cron, timezone, before), before);
      assertEquals(nextTick(cron, timezone, before + 1), next);
    }),
    { numRuns: 300 },
  );
});

Deno.test("nextTick() gives a fixed daily time once for every local date", () => {
  fc.assert(
    fc.property(anyZone, fc.integer({ min: 0, max: 1439 }), anyInstant, (zone, minute, at) => {
      const cron = parseCron(`${minute % 60} ${Math.floor(minute / 60)} * * *`);
      const dates = new Set<string>();
      let tick = at;
      for (let i = 0; i < 30; i++) {
        tick = nextTick(cron, zone, tick + 1)!;
        dates.add(new Date(tick + stretchAt(zone, tick).offsetMs).toISOString().slice(0, 10));
      }
      assertEquals(dates.size, 30);
    }),
    { numRuns: 100 },
  );
});
