import { assert, assertEquals, assertThrows } from "@std/assert";
import { CronExpressionParser } from "cron-parser";
import { cronProblem } from "./cron_check.ts";
import { every, instantOf, once, scheduleSpec } from "./schedule.ts";

Deno.test("scheduleSpec() reads presets, cron strings, intervals, once and null", () => {
  const spec = (schedule: Parameters<typeof scheduleSpec>[0]) => scheduleSpec(schedule, "UTC");
  assertEquals(spec("@daily"), { kind: "cron", cron: "0 0 * * *", timezone: "UTC" });
  assertEquals(spec(" 0  6 * * mon-fri "), {
    kind: "cron",
    cron: "0 6 * * MON-FRI",
    timezone: "UTC",
  });
  assertEquals(spec(every({ minutes: 15 })), { kind: "interval", everyMs: 900_000 });
  assertEquals(spec(once()), { kind: "once" });
  assertEquals(spec("@once"), { kind: "once" });
  assertEquals(spec(null), { kind: "none" });
});

Deno.test("scheduleSpec() says what a wrong schedule should be", () => {
  const message = (schedule: unknown, text: string) =>
    assertThrows(() => scheduleSpec(schedule as never, "UTC"), RangeError, text);
  message("@dayly", "@once, @continuous, @hourly, @daily");
  message("0 6 * *", "it has 4 fields; give five");
  message("0 25 * * *", '"25" does not fit the hour (0 to 23');
  message({ minutes: 5 }, "give a cron string, every({ … }), sessions(…), once() or null");
  assertThrows(() => every({ seconds: 0.5 }), RangeError, "the shortest interval is 1 second");
});

Deno.test("cronProblem() agrees with cron-parser on what is a cron string", () => {
  const good = [
    "* * * * *",
    "*/5 0-6,22 1,15 JAN-MAR,12 *",
    "0 6 * * MON-FRI",
    "0 6 ? * 1-5",
    "59 23 31 12 7",
    "0 0 L * *",
    "0 0 * * 5L",
    "0 0 * * 1#2",
    "0 9-17/2 * * *",
    "0 0 29 2 *",
    "0 0 31 2 1",
    "*/10 0 6 * * 1-5",
  ];
  const bad = [
    "60 * * * *",
    "60 0 6 * * *",
    "0 0 0 31 2 *",
    "* 24 * * *",
    "* * 0 * *",
    "* * 32 * *",
    "* * * 13 *",
    "* * * * 8",
    "* * * * FOO",
    "5-1 * * * *",
    "*/0 * * * *",
    "a * * * *",
    "1, * * * *",
    "0 0 31 2 *",
  ];
  for (const cron of good) {
    assertEquals(cronProblem(cron), null, cron);
    assert(CronExpressionParser.parse(cron, { tz: "UTC" }).next());
  }
  for (const cron of bad) {
    assert(cronProblem(cron) !== null, cron);
    assertThrows(() => CronExpressionParser.parse(cron, { tz: "UTC" }).next(), Error);
  }
});

Deno.test("instantOf() reads dates in the DAG's zone and keeps instants", () => {
  assertEquals(instantOf("2026-07-01", "America/New_York", "start"), "2026-07-01T04:00:00.000Z");
  assertEquals(instantOf("2026-07-01T09:30", "UTC", "start"), "2026-07-01T09:30:00.000Z");
  assertEquals(
    instantOf("2026-07-01T09:30:00+02:00", "America/New_York", "start"),
    "2026-07-01T07:30:00.000Z",
  );
  for (const bad of ["01/07/2026", "2026-02-30", "", new Date(NaN)]) {
    assertThrows(() => instantOf(bad, "UTC", "start"), RangeError, "its start is");
  }
});
