import { assertEquals } from "@std/assert";
import { DagSpec } from "../model/dag_spec.ts";
import { expandRuns } from "./expand.ts";

function expanded(given: Partial<DagSpec>, from: string, to: string) {
  const spec = DagSpec.parse({ dagId: "prices", tasks: [], ...given });
  return [...expandRuns(spec, new Date(from), new Date(to))];
}

Deno.test("expandRuns() makes a year of sessions, each once", () => {
  const schedule: DagSpec["schedule"] = {
    kind: "sessions",
    calendars: ["XNYS"],
    open: "all",
    edge: "close",
    offsetMs: 0,
    everyMs: null,
    nth: null,
    interval: "session",
  };
  const runs = expanded({ schedule }, "2026-01-01T00:00Z", "2026-12-31T23:00Z");
  assertEquals(runs.filter((run) => !run.isCatchup).length, 251);
  assertEquals(new Set(runs.map((run) => run.logicalDate.getTime())).size, runs.length);
});

Deno.test("expandRuns() tells runs that catch up from those that are on time", () => {
  const schedule = { kind: "cron", cron: "0 6 * * *", timezone: "UTC" } as const;
  const runs = expanded(
    { schedule, start: "2026-01-01T00:00:00Z", catchup: true },
    "2026-01-05T00:00Z",
    "2026-01-06T23:00Z",
  );
  assertEquals(runs.map((run) => run.isCatchup), [true, true, true, false, false]);
});
