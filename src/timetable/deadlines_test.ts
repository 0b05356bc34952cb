import { assertEquals } from "@std/assert";
import type { DeadlineSpec } from "../model/deadline_spec.ts";
import type { SessionsSpec } from "../model/schedule_spec.ts";
import { deadlinesOf } from "./deadlines.ts";

function at(by: DeadlineSpec["by"], runAfter: string, now = runAfter): string | undefined {
  const run = { logicalDate: new Date("2026-01-04T23:00:00Z"), runAfter: new Date(runAfter) };
  const spec = { tasks: [], deadlines: [{ name: "n", by, notify: [] }] };
  const { deadlines = [] } = deadlinesOf(spec, run, { now: new Date(now), newId: () => "id" });
  return deadlines[0] && deadlines[0].at?.toISOString().replace(":00.000Z", "Z");
}

const clock = (time: string, timezone = "Europe/London") =>
  ({ kind: "clock", time, timezone }) as const;

Deno.test("a time of the clock is the first one after the run is due, in its zone", () => {
  assertEquals(at(clock("18:30"), "2026-01-05T16:00:00Z"), "2026-01-05T18:30Z");
  assertEquals(at(clock("18:30"), "2026-01-05T18:30:00Z"), "2026-01-06T18:30Z");
  assertEquals(at(clock("18:30"), "2026-07-06T16:00:00Z"), "2026-07-06T17:30Z");
  // Clocks go forward at 01:00 on 29 March: 01:30 is no time of that day.
  assertEquals(at(clock("01:30"), "2026-03-29T00:00:00Z"), "2026-03-29T01:30Z");
});

Deno.test("an edge of a session is the first one after the run is due, holidays and half-days too", () => {
  const session = (edge: "open" | "close", offsetMs: number): DeadlineSpec["by"] => ({
    kind: "session",
    session: {
      ...{ kind: "sessions", calendars: ["XNYS"], open: "all", edge, offsetMs },
      ...{ everyMs: null, nth: null, interval: "session" },
    } as SessionsSpec,
  });
  // Friday's close at 21:00 UTC; Monday 19 January is a holiday, so the next open is Tuesday's.
  const friday = "2026-01-16T21:45:00Z";
  assertEquals(at(session("open", -30 * 60_000), friday), "2026-01-20T14:00Z");
  assertEquals(at(session("close", 2 * 3_600_000), friday), "2026-01-16T23:00Z");
  // The day after Thanksgiving closes at 13:00 in New York.
  assertEquals(at(session("close", 0), "2026-11-27T15:00:00Z"), "2026-11-27T18:00Z");
});

Deno.test("queued, due and logicalDate count from their instants; the past of a day is left out", () => {
  const due = "2026-01-05T06:00:00Z";
  const now = "2026-01-05T07:00:00Z";
  const within = { withinMs: 1_800_000 };
  assertEquals(at({ kind: "queued", ...within }, due, now), "2026-01-05T07:30Z");
  assertEquals(at({ kind: "due", ...within }, due, now), "2026-01-05T06:30Z");
  assertEquals(at({ kind: "logicalDate", ...within }, due, now), "2026-01-04T23:30Z");
  assertEquals(at({ kind: "due", ...within }, due, "2026-01-07T00:00:00Z"), undefined);
  assertEquals(at({ kind: "instant", at: "2026-02-01T00:00:00Z" }, due, now), "2026-02-01T00:00Z");
});
