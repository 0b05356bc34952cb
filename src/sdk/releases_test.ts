import { assertEquals, assertThrows } from "@std/assert";
import { AppError } from "../model/errors.ts";
import { anyOf, dag, type ReleaseCalendar, releases, type ReleasesOptions, task } from "./mod.ts";

const declare = (calendar: unknown, options?: ReleasesOptions) =>
  dag({
    id: "d",
    schedule: releases(calendar as ReleaseCalendar, options),
    timezone: "America/New_York",
  }, () => {
    task({ id: "a" }, () => 1);
  }).spec.schedule;

const one = (release: object) => ({ id: "x", releases: [{ for: "2026-01", ...release }] });

Deno.test("releases are instants, read in the calendar's zone or the DAG's", () => {
  const calendar = {
    id: "x",
    timezone: "Europe/London",
    until: "2026-12-31",
    releases: [
      { for: "b", at: "2026-07-01T09:30", announced: "2026-06-01T00:00Z" },
      { for: "a", at: "2026-01-14T07:00", changes: [{ announced: "2026-01-02", at: null }] },
    ],
  };
  assertEquals(declare(calendar, { before: { minutes: 5 } }), {
    kind: "releases",
    id: "x",
    offsetMs: -300_000,
    until: "2026-12-31T00:00:00.000Z",
    releases: [
      {
        at: "2026-01-14T07:00:00.000Z",
        changes: [{ announced: "2026-01-02T00:00:00.000Z", at: null }],
      },
      { at: "2026-07-01T08:30:00.000Z", announced: "2026-06-01T00:00:00.000Z" },
    ],
  });
  const own = declare(one({ at: "2026-01-14T08:30" }));
  assertEquals(own.kind === "releases" && own.releases[0].at, "2026-01-14T13:30:00.000Z");
  const both = dag({
    id: "d",
    schedule: anyOf("0 6 * * *", releases(one({ at: "2026-01-14T08:30Z" }) as ReleaseCalendar)),
  }, () => {
    task({ id: "a" }, () => 1);
  });
  assertEquals(both.spec.schedule.kind, "any");
});

Deno.test("releases that cannot be are refused, with what would be right", () => {
  const broken = (calendar: unknown, part: string, options?: ReleasesOptions) => {
    const error = assertThrows(() => declare(calendar, options)) as Error;
    assertEquals(error.message.includes(part), true, error.message);
  };
  broken(undefined, "a calendar that is none");
  broken({ id: "x", releases: [] }, "releases");
  broken(one({ at: "soon" }), 'release x "2026-01"');
  broken(one({ on: "2026-01-14" }), "at");
  const twice = { id: "x", releases: [one({}).releases[0], one({}).releases[0]] };
  twice.releases.forEach((each, i) => Object.assign(each, { at: `2026-01-0${i + 1}` }));
  broken(twice, "twice");
  broken({ ...one({ at: "2026-01-14" }), timezone: "Mars" }, "does not exist");
  broken(one({ at: "2026-01-14" }), "one of before and after", { before: 1, after: 1 });
  broken(
    one({
      at: "2026-01-14",
      changes: [{ announced: "2026-01-03", at: "2026-01-20" }, {
        announced: "2026-01-02",
        at: null,
      }],
    }),
    "not oldest first",
  );
  assertThrows(() => declare(one({ at: "soon" })), AppError, 'declare DAG "d"');
});
