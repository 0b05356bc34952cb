import { assertEquals, assertThrows } from "@std/assert";
import { calendar, type CalendarData } from "./calendar.ts";
import { dag } from "./dag.ts";
import { each, onDatasets, rollup } from "./on_datasets.ts";
import { scheduleSpec } from "./schedule.ts";
import { sessions } from "./sessions.ts";
import { task } from "./task.ts";

const desk: CalendarData = {
  id: "DESK",
  timezone: "Europe/Zurich",
  from: "2025-01-01",
  until: "2026-12-31",
  weekdays: [{ from: "2025-01-01", days: [1, 2, 3, 4, 5] }],
  hours: [{ from: "2025-01-01", open: "09:00", close: "17:30", break: ["12:00", "13:00"] }],
  closed: { "2025": "12-25 12-26", "2026": "01-01" },
  special: [{ close: "12:30", break: null, dates: ["2025-12-24"] }],
};

Deno.test("sessions() carries the data of a calendar of one's own, days as a list", () => {
  const spec = scheduleSpec(sessions(["XNYS", calendar(desk)]), "UTC");
  if (spec.kind !== "sessions") throw new Error(spec.kind);
  assertEquals(spec.calendars, ["DESK", "XNYS"]);
  assertEquals(Object.keys(spec.own!), ["DESK"]);
  assertEquals(spec.own!.DESK.closed, ["2025-12-25", "2025-12-26", "2026-01-01"]);
  assertEquals(spec.own!.DESK.hours[0].openDayOffset, 0);
});

Deno.test("roll-ups and deadlines go by a calendar of one's own", () => {
  const mine = calendar(desk);
  const by = onDatasets("a", { partition: rollup("month", { sessions: mine }) });
  const { schedule, deadlines } = dag({
    id: "d",
    schedule: by,
    deadlines: [{ session: mine, after: "close", by: { hours: 1 } }],
  }, () => task({ id: "t" }, () => 1)).spec;
  if (schedule.kind !== "datasets" || schedule.partition?.kind !== "rollup") throw new Error("");
  assertEquals([schedule.partition.sessions, schedule.partition.own!.DESK.id], ["DESK", "DESK"]);
  const [{ name, by: due }] = deadlines!;
  assertEquals(name, "DESK close + 1h");
  assertEquals(due.kind === "session" && Object.keys(due.session.own!), ["DESK"]);
  assertEquals(scheduleSpec(onDatasets("a", { partition: each() }), "UTC").kind, "datasets");
});

Deno.test("calendar() says what cannot be, and where", () => {
  const refused = (change: object, text: string) =>
    assertThrows(() => calendar({ ...desk, ...change }), RangeError, text);
  assertThrows(() => calendar({} as CalendarData), RangeError, "calendar() has a calendar that is");
  refused({ colour: "red" }, 'the calendar "DESK" that is none: Unrecognized key');
  refused({ until: "2026-13-01" }, "until: ");
  refused({ closed: "2025-12-25" }, "closed: must be a list of dates, or days by year");
  refused({ hours: [{ from: "2025-01-01", open: "9", close: "17:00" }] }, "a time like 09:30");
  refused({ timezone: "Mars/Olympus" }, "Mars/Olympus");
  refused({ id: "XNYS" }, "id is that of a calendar that comes with the product");
  refused({ from: "2027-01-01", closed: [], special: [] }, "from 2027-01-01 is after until");
  refused({ closed: ["2031-01-01"] }, "2031-01-01 is not between from and until");
  refused({ extra: ["2026-01-01"] }, "2026-01-01 is closed, and has a session");
  refused({ announced: { "2026-03-02": "2026-03-01T00:00:00Z" } }, "not among closed");
  refused(
    { hours: [{ from: "2025-01-01", open: "17:00", close: "17:00" }] },
    "hours.0 closes at 17:00, which is not after its open, 17:00",
  );
  refused(
    { special: [{ close: "12:30", dates: ["2025-12-24"] }] },
    "special.0 on 2025-12-24 has a break that does not lie within its session",
  );
  refused(
    { special: [...desk.special!, { open: "10:00", dates: ["2025-12-24"] }] },
    "special names 2025-12-24 twice",
  );
  refused(
    { weekdays: [{ from: "2025-02-01", days: [1] }, { from: "2025-01-01", days: [2] }] },
    "weekdays must be in the order of their dates",
  );
  const other = calendar({ ...desk, closed: [] });
  assertThrows(() => sessions([calendar(desk), other]), RangeError, 'two calendars "DESK"');
});
