import { assertEquals, assertThrows } from "@std/assert";
import { DagSpec } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";
import { calendar, type CalendarData } from "../sdk/calendar.ts";
import { onDatasets, rollup } from "../sdk/on_datasets.ts";
import { scheduleSpec } from "../sdk/schedule.ts";
import { sessions } from "../sdk/sessions.ts";
import { checkTiming } from "./check.ts";
import { scheduleWarnings } from "./horizon.ts";
import { nextRun, runsBetween } from "./next_run.ts";
import { partitionNeeds } from "./partitions.ts";

const desk: CalendarData = {
  id: "DESK",
  timezone: "Europe/Zurich",
  from: "2025-01-01",
  until: "2026-12-31",
  weekdays: [
    { from: "2025-01-01", days: [1, 2, 3, 4, 5] },
    { from: "2026-01-01", days: [1, 2, 3, 4] },
  ],
  hours: [
    { from: "2025-01-01", open: "09:00", close: "17:30", break: ["12:00", "13:00"] },
    { from: "2026-01-01", open: "08:00", close: "16:00" },
  ],
  closed: ["2025-12-25", "2025-12-29"],
  extra: ["2025-12-27"],
  special: [{ close: "11:30", break: null, dates: ["2025-12-24"] }],
  announced: { "2025-12-29": "2025-12-29T06:00:00Z" },
};

/** As a DAG version has it: read back from JSON. */
function specOf(...given: Parameters<typeof sessions>) {
  const schedule = JSON.parse(JSON.stringify(scheduleSpec(sessions(...given), "UTC")));
  return DagSpec.parse({ dagId: "d", schedule, tasks: [] });
}

function closes(from: string, to: string, ...given: Parameters<typeof sessions>): string[] {
  const options = { from: new Date(from), to: new Date(to), start: null, end: null };
  const now = new Date("2026-06-01");
  return [...runsBetween(specOf(...given).schedule, { ...options, now })].map(({ interval }) =>
    interval.start.toISOString().slice(5, 16) + "/" + interval.end.toISOString().slice(11, 16)
  );
}

Deno.test("a calendar of one's own has its dated hours, half days, extra sessions and closings", () => {
  assertEquals(closes("2025-12-22", "2026-01-04", calendar(desk)), [
    "12-22T08:00/16:30",
    "12-23T08:00/16:30",
    "12-24T08:00/10:30",
    "12-26T08:00/16:30",
    "12-27T08:00/16:30",
    "12-30T08:00/16:30",
    "12-31T08:00/16:30",
    "01-01T07:00/15:00",
  ]);
});

Deno.test("it goes together with bundled ones, and its breaks part the stretches of a session", () => {
  assertEquals(
    closes("2025-12-22", "2025-12-28", [calendar(desk), "XNYS"]).map((one) => one.slice(0, 5)),
    ["12-22", "12-23", "12-24", "12-26"],
  );
  assertEquals(
    closes("2025-12-22", "2025-12-23", calendar(desk), { every: { hours: 2 } }),
    [
      "12-22T08:00/10:00",
      "12-22T10:00/11:00",
      "12-22T12:00/14:00",
      "12-22T14:00/16:00",
      "12-22T16:00/16:30",
    ],
  );
});

Deno.test("a closing that was announced late is a session to whoever asks before", () => {
  const { schedule } = specOf(calendar(desk));
  const next = (now: string) => {
    const lastInterval = {
      start: new Date("2025-12-27T08:00Z"),
      end: new Date("2025-12-27T16:30Z"),
    };
    const options = { start: null, end: null, catchup: true, lastInterval, now: new Date(now) };
    return nextRun(schedule, options)!.runAfter.toISOString().slice(0, 10);
  };
  assertEquals(next("2025-12-28T12:00Z"), "2025-12-29");
  assertEquals(next("2025-12-29T12:00Z"), "2025-12-30");
});

Deno.test("a roll-up needs the sessions of a calendar of one's own", () => {
  const by = onDatasets("a", { partition: rollup("week", { sessions: calendar(desk) }) });
  const schedule = scheduleSpec(by, "UTC");
  if (schedule.kind !== "datasets") throw new Error(schedule.kind);
  assertEquals(partitionNeeds(schedule.partition!, "2025-W52", new Date("2026-02-01")), [
    "2025-12-22",
    "2025-12-23",
    "2025-12-24",
    "2025-12-26",
    "2025-12-27",
  ]);
  assertEquals(partitionNeeds(schedule.partition!, "2027-W10", new Date("2026-02-01")), null);
});

Deno.test("the end of a calendar of one's own is warned of, and refused once it is past", () => {
  const spec = specOf(calendar(desk));
  assertEquals(scheduleWarnings(spec, new Date("2026-01-01")), []);
  assertEquals(scheduleWarnings(spec, new Date("2026-11-01")), [
    'The calendar DESK of DAG "d" ends on 2026-12-31: its schedule makes no runs after that; ' +
    "add its next dates",
  ]);
  const refused = () => checkTiming(spec, new Date("2027-06-01"));
  assertThrows(refused, AppError, "its calendar ended on 2026-12-31");
  assertThrows(refused, AppError, "add its next dates");
});
