import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { ScheduleSpec } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";
import {
  checkSchedule,
  type DueRun,
  manualInterval,
  nextRun,
  type NextRunOptions,
  runsBetween,
} from "./next_run.ts";

const daily: ScheduleSpec = { kind: "cron", cron: "0 0 * * *", timezone: "UTC" };
const hourly: ScheduleSpec = { kind: "interval", everyMs: 3_600_000 };
const day = (text: string) => new Date(`${text}T00:00:00Z`);
const options = (some: Partial<NextRunOptions>): NextRunOptions => ({
  lastInterval: null,
  start: null,
  end: null,
  catchup: false,
  now: day("2026-01-10"),
  ...some,
});
const shown = (run: DueRun | null) =>
  run &&
  [run.logicalDate, run.interval.end, run.runAfter].map((at) => at.toISOString().slice(0, 16));

Deno.test("nextRun() is due at the end of its data interval", () => {
  assertEquals(
    shown(nextRun(daily, options({ catchup: true, start: day("2026-01-03") }))),
    ["2026-01-03T00:00", "2026-01-04T00:00", "2026-01-04T00:00"],
  );
});

Deno.test("nextRun() without catchup goes to the latest complete interval", () => {
  const now = new Date("2026-01-10T05:00:00Z");
  assertEquals(
    shown(nextRun(daily, options({ now, start: day("2025-01-01") })))![0],
    "2026-01-09T00:00",
  );
  assertEquals(shown(nextRun(daily, options({ now })))![0], "2026-01-09T00:00");
  const lastInterval = { start: day("2026-01-09"), end: day("2026-01-10") };
  assertEquals(shown(nextRun(daily, options({ now, lastInterval })))![0], "2026-01-10T00:00");
});

Deno.test("nextRun() with catchup goes on after the last interval, also after a changed cron", () => {
  const lastInterval = { start: day("2026-01-03"), end: new Date("2026-01-03T06:00:00Z") };
  assertEquals(
    shown(nextRun(daily, options({ catchup: true, lastInterval })))![0],
    "2026-01-04T00:00",
  );
});

Deno.test("nextRun() keeps to start and end", () => {
  assertEquals(
    shown(nextRun(daily, options({ start: new Date("2026-02-01T10:00:00Z") })))![0],
    "2026-02-02T00:00",
  );
  const lastInterval = { start: day("2026-01-08"), end: day("2026-01-09") };
  assertEquals(nextRun(daily, options({ lastInterval, end: day("2026-01-08") })), null);
  assertEquals(
    shown(nextRun(daily, options({ lastInterval, end: day("2026-01-09") })))![0],
    "2026-01-09T00:00",
  );
});

Deno.test("nextRun() counts intervals from the start, or from the epoch", () => {
  const start = new Date("2026-01-01T00:20:00Z");
  assertEquals(shown(nextRun(hourly, options({ start }))), [
    "2026-01-09T22:20",
    "2026-01-09T23:20",
    "2026-01-09T23:20",
  ]);
  assertEquals(shown(nextRun(hourly, options({})))![0], "2026-01-09T23:00");
});

Deno.test("nextRun() of a once schedule is due once, of none never", () => {
  const once: ScheduleSpec = { kind: "once" };
  const run = nextRun(once, options({ start: day("2026-01-02") }))!;
  assertEquals(shown(run), ["2026-01-02T00:00", "2026-01-02T00:00", "2026-01-02T00:00"]);
  assertEquals(nextRun(once, options({ lastInterval: run.interval })), null);
  assertEquals(nextRun({ kind: "none" }, options({})), null);
});

Deno.test("nextRun() gives days of 23 and 25 hours where clocks change", () => {
  const berlin: ScheduleSpec = { kind: "cron", cron: "0 0 * * *", timezone: "Europe/Berlin" };
  const hours = (start: string) => {
    const run = nextRun(
      berlin,
      options({ catchup: true, start: new Date(start), now: day("2027-01-01") }),
    )!;
    return (run.interval.end.getTime() - run.interval.start.getTime()) / 3_600_000;
  };
  assertEquals([hours("2026-03-28T23:00:00Z"), hours("2026-10-24T22:00:00Z")], [23, 25]);
});

Deno.test("nextRun() with catchup walks intervals without gap or overlap", () => {
  const anySchedule: fc.Arbitrary<ScheduleSpec> = fc.oneof(
    fc.record({
      kind: fc.constant("cron" as const),
      cron: fc.constantFrom("0 6 * * *", "*/20 * * * *", "30 2 * * 1-5", "0 0 1 * *"),
      timezone: fc.constantFrom("UTC", "Europe/Berlin", "America/New_York"),
    }),
    fc.record({
      kind: fc.constant("interval" as const),
      everyMs: fc.integer({ min: 1000, max: 90_000_000 }),
    }),
  );
  const anyStart = fc.date({ min: day("2026-01-01"), max: day("2026-12-31"), noInvalidDate: true });
  fc.assert(
    fc.property(anySchedule, anyStart, (schedule, start) => {
      let last: DueRun | null = null;
      for (let i = 0; i < 20; i++) {
        const run: DueRun = nextRun(
          schedule,
          options({ catchup: true, start, lastInterval: last?.interval ?? null }),
        )!;
        assertEquals(run.interval.start >= start, true);
        assertEquals(run.interval.end > run.interval.start, true);
        if (last) assertEquals(run.interval.start, last.interval.end);
        last = run;
      }
    }),
    { numRuns: 100 },
  );
});

Deno.test("runsBetween() lists complete intervals from first to last logical date, both included", () => {
  const between = (to: string, now: string) =>
    [...runsBetween(daily, {
      from: day("2026-01-01"),
      to: day(to),
      start: null,
      end: null,
      now: day(now),
    })].map((run) => run.logicalDate.toISOString().slice(8, 10));
  assertEquals(between("2026-01-03", "2026-02-01"), ["01", "02", "03"]);
  assertEquals(between("2026-01-03", "2026-01-03"), ["01", "02"]);
  assertEquals(
    [...runsBetween({ kind: "none" }, {
      from: day("2026-01-01"),
      to: day("2026-01-03"),
      start: null,
      end: null,
      now: day("2026-02-01"),
    })],
    [],
  );
});

Deno.test("manualInterval() is the last complete interval", () => {
  const at = new Date("2026-01-10T05:00:00Z");
  assertEquals(manualInterval(daily, at), { start: day("2026-01-09"), end: day("2026-01-10") });
  assertEquals(manualInterval(hourly, at).start.toISOString(), "2026-01-10T04:00:00.000Z");
  assertEquals(manualInterval({ kind: "none" }, at), { start: at, end: at });
});

Deno.test("checkSchedule() names what cannot be used", () => {
  const cron = (cron: string, timezone = "UTC") => () =>
    checkSchedule({ kind: "cron", cron, timezone });
  cron("0 6 * * 1-5")();
  assertThrows(cron("0 6 * *"), AppError, "five are expected");
  assertThrows(cron("0 0 30 2 *"), AppError, "0 0 30 2 *");
  assertThrows(cron("0 6 * * *", "Nowhere"), AppError, "not a known IANA name");
});
