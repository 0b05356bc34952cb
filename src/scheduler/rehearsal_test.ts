import { assert, assertEquals, assertThrows } from "@std/assert";
import { specOf } from "../../tests/support/scheduler_world.ts";
import type { DagSpec } from "../model/dag_spec.ts";
import { type RehearsalOptions, rehearse } from "./rehearsal.ts";

const DAY = 86_400_000;
const HOUR = 3_600_000;
const daily = { kind: "cron", cron: "0 6 * * *", timezone: "UTC" } as const;
const hourly = { kind: "interval", everyMs: HOUR } as const;

function chain(given: Partial<DagSpec>): DagSpec {
  return specOf("chain", { a: {}, b: { upstream: ["a"] } }, {
    start: "2026-01-01T00:00:00Z",
    ...given,
  });
}

function played(spec: DagSpec, some: Partial<RehearsalOptions> = {}) {
  const { runs, dags } = rehearse({
    specs: [spec],
    from: new Date("2026-01-05T00:00Z"),
    to: new Date("2026-01-08T00:00Z"),
    durationMs: () => 60_000,
    ...some,
  });
  const short = (at: Date | null) => at?.toISOString().slice(5, 16) ?? "open";
  return {
    dag: dags[0],
    runs: runs.map((run) =>
      `${short(run.logicalDate)} due ${short(run.runAfter)} ${short(run.startedAt)} ` +
      `to ${short(run.endedAt)}${run.isCatchup ? " catch-up" : ""}`
    ),
  };
}

Deno.test("rehearse() starts runs when they are due, and ends them by their tasks' durations", () => {
  assertEquals(played(chain({ schedule: daily })).runs, [
    "01-03T06:00 due 01-04T06:00 01-05T00:00 to 01-05T00:02 catch-up",
    "01-04T06:00 due 01-05T06:00 01-05T06:00 to 01-05T06:02",
    "01-05T06:00 due 01-06T06:00 01-06T06:00 to 01-06T06:02",
    "01-06T06:00 due 01-07T06:00 01-07T06:00 to 01-07T06:02",
  ]);
});

Deno.test("rehearse() catches up within the limit of active runs", () => {
  const { runs, dag } = played(chain({ schedule: daily, catchup: true, maxActiveRuns: 1 }));
  assertEquals(runs.slice(0, 3), [
    "01-01T06:00 due 01-02T06:00 01-05T00:00 to 01-05T00:02 catch-up",
    "01-02T06:00 due 01-03T06:00 01-05T00:02 to 01-05T00:04 catch-up",
    "01-03T06:00 due 01-04T06:00 01-05T00:04 to 01-05T00:06 catch-up",
  ]);
  assertEquals([dag.runs, dag.tasks, dag.backlogMax, dag.waiting], [6, 12, 3, 0]);
});

Deno.test("rehearse() shows what piles up where runs take longer than their interval", () => {
  const slow = { durationMs: () => HOUR };
  const all = played(chain({ schedule: hourly, catchup: true, maxActiveRuns: 1 }), {
    ...slow,
    from: new Date("2026-01-01T00:00Z"),
    to: new Date("2026-01-02T00:00Z"),
  });
  // A run takes two hours: one of two waits, and the last is under way at the end.
  assertEquals([all.dag.runs, all.dag.waiting, all.dag.unfinished], [12, 12, 1]);
  assertEquals(all.dag.backlogMax, 12);
  const three = played(chain({ schedule: hourly, catchup: true, maxActiveRuns: 3 }), {
    ...slow,
    from: new Date("2026-01-01T00:00Z"),
  });
  assertEquals([three.dag.waiting, three.dag.backlogMax], [0, 0]);
  const latest = played(chain({ schedule: hourly, maxActiveRuns: 1 }), slow);
  assert(latest.dag.leftOut > 30, String(latest.dag.leftOut));
});

Deno.test("rehearse() starts nothing while the scheduler is down, and makes up for it after", () => {
  const down = [{ from: new Date("2026-01-05T12:00Z"), to: new Date("2026-01-07T09:00Z") }];
  const all = played(chain({ schedule: daily, catchup: true }), { down });
  assertEquals(all.runs.slice(-2), [
    "01-05T06:00 due 01-06T06:00 01-07T09:00 to 01-07T09:02",
    "01-06T06:00 due 01-07T06:00 01-07T09:00 to 01-07T09:02",
  ]);
  assertEquals(all.dag.lateMsMax > DAY, true);
  // A task under way ends meanwhile; what comes after it waits.
  const amid = [{ from: new Date("2026-01-05T06:00:30Z"), to: new Date("2026-01-05T07:00Z") }];
  assertEquals(
    played(chain({ schedule: daily }), { down: amid }).runs[1],
    "01-04T06:00 due 01-05T06:00 01-05T06:00 to 01-05T07:01",
  );
});

Deno.test("rehearse() makes no runs of a paused DAG, and only the newest after it without catchup", () => {
  const paused = [{ from: new Date("2026-01-05T05:00Z"), to: new Date("2026-01-07T05:00Z") }];
  assertEquals(played(chain({ schedule: daily }), { paused }).runs, [
    "01-03T06:00 due 01-04T06:00 01-05T00:00 to 01-05T00:02 catch-up",
    "01-05T06:00 due 01-06T06:00 01-07T05:00 to 01-07T05:02",
    "01-06T06:00 due 01-07T06:00 01-07T06:00 to 01-07T06:02",
  ]);
});

Deno.test("rehearse() keeps pools, branches of continuous DAGs and mapped tasks to the scheduler's rules", () => {
  const wide = specOf("wide", { list: {}, each: { over: "list" } }, {
    schedule: daily,
    start: "2026-01-01T00:00:00Z",
    maxActiveTasks: 2,
  });
  // Four minutes: the list, then five instances, two at a time.
  assertEquals(
    played(wide, { mapped: 5 }).runs[1].slice(-21),
    "01-05T06:00 to 01-05T06:04".slice(-21),
  );
  const endless = chain({ schedule: { kind: "continuous" }, maxActiveRuns: 1 });
  const to = new Date("2026-01-05T01:00Z");
  const { dag } = played(endless, { to, durationMs: () => 5 * 60_000 });
  assertEquals([dag.runs, dag.unfinished], [7, 1]);
});

Deno.test("rehearse() gives up past its limit of runs", () => {
  assertThrows(
    () => played(chain({ schedule: daily, catchup: true }), { runsMax: 3 }),
    RangeError,
    "Cannot list more than 3 runs",
  );
});

Deno.test("rehearse() makes a year of sessions, each once, through both changes of the clocks", () => {
  const schedule: DagSpec["schedule"] = {
    ...{ kind: "sessions", calendars: ["XNYS"], open: "all", edge: "close", offsetMs: 0 },
    ...{ everyMs: null, nth: null, interval: "session" },
  };
  const { runs } = rehearse({
    specs: [specOf("closes", { a: {} }, { schedule, timezone: "America/New_York" })],
    from: new Date("2026-01-01T00:00Z"),
    to: new Date("2026-12-31T23:00Z"),
    durationMs: () => 0,
  });
  assertEquals(runs.filter((run) => !run.isCatchup).length, 251);
  assertEquals(new Set(runs.map((run) => +run.logicalDate)).size, runs.length);
  const hours = new Set(runs.map(({ runAfter }) => runAfter.getUTCHours()));
  assertEquals([...hours].sort(), [17, 18, 20, 21].filter((hour) => hours.has(hour)));
});
