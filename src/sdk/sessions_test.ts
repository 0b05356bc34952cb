import { assertEquals, assertThrows } from "@std/assert";
import type { ScheduleSpec } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";
import { dag, type DagOptions } from "./dag.ts";
import { scheduleSpec } from "./schedule.ts";
import { sessions } from "./sessions.ts";
import { task } from "./task.ts";

const of = (...given: Parameters<typeof sessions>) => scheduleSpec(sessions(...given), "UTC");
const plain: ScheduleSpec = {
  ...{ kind: "sessions", calendars: ["XNYS"], open: "all", edge: "close", offsetMs: 0 },
  ...{ everyMs: null, nth: null, interval: "session" },
};

Deno.test("sessions() reads edges, distances, stretches and the nth of a month", () => {
  assertEquals(of("XNYS"), plain);
  assertEquals(of("XNYS", { after: "close", by: { minutes: 45 } }), {
    ...plain,
    offsetMs: 2_700_000,
  });
  assertEquals(of("XNYS", { before: "open", by: { hours: 1 }, interval: "previous" }), {
    ...plain,
    ...{ edge: "open", offsetMs: -3_600_000, interval: "previous" },
  });
  assertEquals(of("XNYS", { every: { minutes: 15 } }), { ...plain, everyMs: 900_000 });
  assertEquals(of("XNYS", { nth: -1 }), { ...plain, nth: -1 });
});

Deno.test("sessions() takes several calendars in whatever order, each once", () => {
  assertEquals(of(["XNYS", "XLON", "XNYS"], { open: "any" }), {
    ...plain,
    ...{ calendars: ["XLON", "XNYS"], open: "any" },
  });
});

Deno.test("sessions() says what it cannot take", () => {
  const refused = (text: string, ...given: Parameters<typeof sessions>) =>
    assertThrows(() => sessions(...given), RangeError, text);
  refused('a calendar "XXXX" that is not known; there are 24x7, ASEX, BVMF', "XXXX" as never);
  refused("names no calendar; give a MIC", []);
  refused("takes one of before, after and every", "XNYS", { before: "open", after: "close" });
  refused("has stretches of the session", "XNYS", { every: { hours: 1 }, interval: "previous" });
  refused("every below 1 second", "XNYS", { every: { seconds: 0.5 } });
  for (const nth of [0, 24, -24, 1.5]) refused(`has nth: ${nth}`, "XNYS", { nth });
  refused("has by above 7 days", "XNYS", { by: { days: 8 } });
});

const declared = (options: Partial<DagOptions>) =>
  dag({ id: "quiet", schedule: "@daily", ...options }, () => {
    task({ id: "a" }, () => 1);
  }).spec;

Deno.test("dag() reads jitter, maintenance windows and blackout dates", () => {
  const { jitterMs, maintenance, blackout } = declared({
    jitter: { minutes: 2 },
    maintenance: [
      { from: "22:00", lasts: { hours: 4 }, on: ["SAT", "MON"], then: "delay" },
      { from: "06:30", lasts: { minutes: 30 }, then: "skip" },
    ],
    blackout: ["2026-12-24", { from: "2026-12-29", to: "2026-12-31" }],
  });
  assertEquals(jitterMs, 120_000);
  assertEquals(maintenance, [
    { from: "22:00", durationMs: 14_400_000, weekdays: [1, 6], then: "delay" },
    { from: "06:30", durationMs: 1_800_000, weekdays: [1, 2, 3, 4, 5, 6, 7], then: "skip" },
  ]);
  assertEquals(blackout, [
    { from: "2026-12-24", to: "2026-12-24" },
    { from: "2026-12-29", to: "2026-12-31" },
  ]);
});

Deno.test("dag() leaves out quiet time that is not given, so that a version stays what it was", () => {
  const spec = declared({});
  assertEquals(["jitterMs", "maintenance", "blackout"].filter((name) => name in spec), []);
});

Deno.test("dag() says what is no window and no date", () => {
  const refused = (text: string, options: Partial<DagOptions>) =>
    assertThrows(() => declared(options), AppError, text);
  const window = { from: "22:00", lasts: { hours: 1 }, then: "skip" } as const;
  refused('its maintenance begins at "10pm"', { maintenance: [{ ...window, from: "10pm" }] });
  refused("maintenance", { maintenance: [{ ...window, lasts: { days: 8 } }] });
  refused('names "24.12.2026"', { blackout: ["24.12.2026"] });
  refused('names "2026-02-30"', { blackout: ["2026-02-30"] });
  refused("ends on 2026-01-01, before it begins", {
    blackout: [{ from: "2026-01-02", to: "2026-01-01" }],
  });
});
