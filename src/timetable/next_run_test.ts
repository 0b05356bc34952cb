import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { ScheduleSpec } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";
import {
  type DueRun,
  manualInterval,
  nextRun,
  type NextRunOptions,
  runsBetween,
} from "./next_run.ts";
import { checkSchedule } from "./schedules.ts";

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
    checkSchedule({ kind: "cron", cron, timezone }, null);
  const never = { kind: "all" as const, of: ["0 6 * * *", "30 7 * * *"].map(utc) };
  assertThrows(() => checkSchedule(never, null), AppError, "it is never due");
  const lunch = { ...sessionsOf("XNYS"), edge: "break_end" as const };
  assertThrows(() => checkSchedule(lunch, null), AppError, "it is never due");
  assertThrows(
    () => checkSchedule(sessionsOf("XNYS"), day("2031-02-01")),
    AppError,
    "it is never due after 2031-02-01",
  );
  checkSchedule(sessionsOf("XNYS"), day("2030-02-01"));
  cron("0 6 * * 1-5")();
  assertThrows(cron("0 6 * *"), AppError, "five are expected");
  assertThrows(cron("0 0 30 2 *"), AppError, "0 0 30 2 *");
  assertThrows(cron("0 6 * * *", "Nowhere"), AppError, "not a known IANA name");
});

const utc = (cron: string) => ({ kind: "cron" as const, cron, timezone: "UTC" });

function sessionsOf(name: string): ScheduleSpec & { kind: "sessions" } {
  return {
    ...{ kind: "sessions", calendars: [name], open: "all", edge: "close", offsetMs: 0 },
    ...{ everyMs: null, nth: null, interval: "session" },
  };
}

/** Due instants of the runs one after the other, made as soon as they are due. */
function walk(schedule: ScheduleSpec, given: Partial<NextRunOptions>, count: number): string[] {
  const out: string[] = [];
  let run: DueRun | null = null;
  let now = given.now ?? day("2026-01-01");
  for (let i = 0; i < count; i++) {
    const lastInterval: NextRunOptions["lastInterval"] = run?.interval ?? null;
    run = nextRun(schedule, options({ ...given, lastInterval, now }));
    if (!run) break;
    if (run.runAfter > now) now = run.runAfter;
    out.push(run.runAfter.toISOString().slice(0, 16));
  }
  return out;
}

Deno.test("nextRun() goes by any of several schedules, or all of them", () => {
  const now = day("2026-02-12");
  const any: ScheduleSpec = { kind: "any", of: [utc("0 6 * * *"), utc("0 18 * * *")] };
  assertEquals(walk(any, { now }, 3), ["2026-02-11T18:00", "2026-02-12T06:00", "2026-02-12T18:00"]);
  const all: ScheduleSpec = { kind: "all", of: [utc("0 6 13 * *"), utc("* * * * 5")] };
  assertEquals(walk(all, { now }, 4).slice(1), [
    "2026-02-13T06:00",
    "2026-03-13T06:00",
    "2026-11-13T06:00",
  ]);
});

Deno.test("nextRun() of events is due at each of them", () => {
  const events: ScheduleSpec = {
    kind: "events",
    at: ["2026-03-18T18:00:00.000Z", "2026-04-29T18:00:00.000Z"],
  };
  assertEquals(walk(events, {}, 5), ["2026-03-18T18:00", "2026-04-29T18:00"]);
});

Deno.test("nextRun() of a continuous schedule is due at the last run's end", () => {
  const now = day("2026-01-02");
  const lastInterval = { start: day("2026-01-01"), end: new Date("2026-01-01T20:00Z") };
  const run = nextRun({ kind: "continuous" }, options({ now, lastInterval }))!;
  assertEquals([run.interval.start, run.interval.end], [lastInterval.end, now]);
  assertEquals(run.runAfter <= now, true);
});

Deno.test("nextRun() makes up for what the catchup policy says", () => {
  const now = new Date("2026-01-10T05:00Z");
  const next = (catchup: NextRunOptions["catchup"]) =>
    nextRun(daily, options({ start: day("2026-01-01"), catchup, now }))!.logicalDate
      .toISOString().slice(8, 10);
  assertEquals(
    [true, false, "none" as const, { windowMs: 3 * 86_400_000 }].map(next),
    ["01", "09", "10", "07"],
  );
  const lastInterval = { start: day("2026-01-08"), end: day("2026-01-09") };
  const onTime = nextRun(
    daily,
    options({ lastInterval, catchup: "none", now: new Date("2026-01-10T00:00:01Z") }),
  )!;
  assertEquals(onTime.logicalDate, day("2026-01-09"));
});

const rules = { dagId: "prices", timezone: "UTC" };
const everyHour: ScheduleSpec = utc("0 * * * *");

Deno.test("nextRun() skips, delays or coalesces runs that are due in maintenance", () => {
  const due = (then: "skip" | "delay" | "run_after") =>
    walk(everyHour, {
      ...{ catchup: true, start: day("2026-01-09"), now: new Date("2026-01-09T01:30Z") },
      rules: {
        ...rules,
        maintenance: [{ from: "02:30", durationMs: 9_000_000, weekdays: [5], then }],
      },
    }, 5).map((at) => at.slice(11));
  assertEquals(due("skip"), ["01:00", "02:00", "05:00", "06:00", "07:00"]);
  assertEquals(due("delay"), ["01:00", "02:00", "05:00", "05:00", "05:00"]);
  assertEquals(due("run_after"), ["01:00", "02:00", "05:00", "05:00", "06:00"]);
});

Deno.test("nextRun() leaves blackout dates out, in the DAG's zone", () => {
  const blackout = [{ from: "2026-12-24", to: "2026-12-26" }];
  const due = walk(utc("0 23 * * *"), {
    ...{ now: day("2026-12-23"), rules: { ...rules, timezone: "Europe/Berlin", blackout } },
  }, 3);
  assertEquals(due, ["2026-12-22T23:00", "2026-12-26T23:00", "2026-12-27T23:00"]);
});

Deno.test("nextRun() holds a late run until quiet time is over", () => {
  const blackout = [{ from: "2026-01-10", to: "2026-01-10" }];
  const now = new Date("2026-01-10T12:00Z");
  const run = nextRun(utc("0 18 * * *"), options({ now, rules: { ...rules, blackout } }))!;
  assertEquals(run.runAfter, day("2026-01-11"));
});

Deno.test("nextRun() adds jitter that is the same for a run whenever it is asked for", () => {
  const at = (dagId: string, now: string) =>
    nextRun(
      daily,
      options({ now: new Date(now), rules: { ...rules, dagId, jitterMs: 600_000 } }),
    )!.runAfter.getTime() - day("2026-01-10").getTime();
  const [a, again, b] = [
    at("a", "2026-01-10T00:00Z"),
    at("a", "2026-01-10T09:00Z"),
    at("b", "2026-01-10T00:00Z"),
  ];
  assertEquals([a === again, a !== b, a >= 0 && a < 600_000], [true, true, true]);
});

Deno.test("nextRun() of a continuous schedule lets a second pass between two starts", () => {
  const start = new Date("2030-01-01T00:00:00.000Z");
  const lastInterval = { start, end: new Date(start.getTime() + 20) };

  const run = nextRun({ kind: "continuous" }, options({ now: lastInterval.end, lastInterval }))!;

  assertEquals(run.interval.start, lastInterval.end);
  assertEquals(run.runAfter, new Date(start.getTime() + 1_000));
});
