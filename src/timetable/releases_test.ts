import { assertEquals } from "@std/assert";
import type { ReleasesSpec } from "../model/schedule_spec.ts";
import { nextRun, runsBetween } from "./next_run.ts";
import { checkSchedule, horizonOf } from "./schedules.ts";

/** September's was moved before it was due, November's after it had come, January's is called off. */
const spec: ReleasesSpec = {
  ...{ kind: "releases", id: "cpi", offsetMs: 0, until: null },
  releases: [
    {
      at: "2030-10-15T12:30:00.000Z",
      changes: [{ announced: "2030-10-10T16:00:00.000Z", at: "2030-11-20T12:30:00.000Z" }],
    },
    { at: "2030-11-07T13:30:00.000Z" },
    {
      at: "2030-12-10T13:30:00.000Z",
      changes: [{ announced: "2030-12-11T00:00:00.000Z", at: "2030-12-18T13:30:00.000Z" }],
    },
    {
      at: "2031-01-10T13:30:00.000Z",
      changes: [{ announced: "2031-01-05T00:00:00.000Z", at: null }],
    },
    { at: "2031-01-20T13:30:00.000Z", announced: "2031-01-18T09:00:00.000Z" },
  ],
};

/** Runs that a scheduler makes which looks once an hour. */
function madeBy(schedule: ReleasesSpec): string[] {
  const made: string[] = [];
  let lastInterval: { start: Date; end: Date } | null = null;
  const start = new Date("2030-10-01T00:00:00Z");
  for (let at = start.getTime(); at < Date.parse("2031-02-01T00:00:00Z"); at += 3_600_000) {
    const now = new Date(at);
    const run = nextRun(schedule, { lastInterval, start, end: null, catchup: true, now });
    if (!run || run.runAfter > now) continue;
    made.push(run.runAfter.toISOString().slice(0, 16));
    lastInterval = run.interval;
  }
  return made;
}

Deno.test("a moved release runs once, at the date that was known when it came, in any order", () => {
  assertEquals(madeBy(spec), [
    "2030-11-07T13:30",
    "2030-11-20T12:30",
    "2030-12-10T13:30",
    "2031-01-20T13:30",
  ]);
});

Deno.test("before a release its run is over when the change is announced after it", () => {
  const before = { ...spec, offsetMs: -6 * 86_400_000 };
  // September's run was due on 9 October, a day before the change.
  assertEquals(madeBy(before)[0], "2030-10-09T12:30");
});

Deno.test("a backfill makes the runs as they were, and after the horizon there are none", () => {
  const now = new Date("2031-06-01T00:00:00Z");
  const all = [...runsBetween(spec, {
    ...{ from: new Date("2030-01-01T00:00:00Z"), to: now, start: null, end: null, now },
  })];
  assertEquals(all.map((run) => run.runAfter.toISOString().slice(0, 16)), madeBy(spec));
  assertEquals(horizonOf(spec), new Date("2031-01-20T13:30:00Z"));
  assertEquals(
    horizonOf({ kind: "any", of: [spec, { kind: "interval", everyMs: 1000 }] }),
    horizonOf(spec),
  );
  assertEquals(horizonOf({ kind: "none" }), null);
});

Deno.test("a start after the last release is refused, by its name", () => {
  let message = "";
  try {
    checkSchedule(spec, new Date("2032-01-01T00:00:00Z"));
  } catch (error) {
    message = (error as Error).message;
  }
  assertEquals(
    message,
    'Cannot schedule by the releases "cpi": it is never due after 2032-01-01T00:00:00.000Z',
  );
});
