import { assert, assertEquals } from "@std/assert";
import { dagsFolder } from "../../tests/support/dags_folder.ts";
import { VirtualClock } from "../base/clock.ts";

/** Options of a DAG that cannot be, and what its author is told. */
const cases: Record<string, { options: string; says: string }> = {
  february: { options: `schedule: "0 0 31 2 *"`, says: 'no month of "2" has a day 31' },
  in_a_list: {
    options: `schedule: ["@daily", "0 0 30 FEB *"]`,
    says: 'no month of "FEB" has a day 30',
  },
  hour: { options: `schedule: "0 25 * * *"`, says: '"25" does not fit the hour' },
  never_meet: {
    options: `schedule: allOf("0 6 * * *", "0 7 * * *")`,
    says: "it is never due",
  },
  mic: {
    options: `schedule: sessions("XXXX" as never)`,
    says: 'a calendar "XXXX" that is not known',
  },
  zone: { options: `schedule: "@daily", timezone: "Europe/Frankfurt"`, says: "Europe/Frankfurt" },
  backwards: {
    options: `schedule: "@daily", start: "2026-03-02", end: "2026-03-01"`,
    says: "is not after its start",
  },
  nothing_between: {
    options: `schedule: "0 0 1 7 *", start: "2031-01-01", end: "2031-02-01"`,
    says: "none of its intervals begins between 2031-01-01T00:00:00.000Z and its end",
  },
  all_gone: {
    options: `schedule: events(["2026-01-01T00:00Z"]), start: "2026-02-01"`,
    says: "it is never due after 2026-02-01",
  },
  stands_still: {
    options: `schedule: every({ seconds: 0 })`,
    says: "the shortest interval is 1 second",
  },
  no_events: { options: `schedule: events([])`, says: "lists no instant" },
  always_quiet: {
    options:
      `schedule: "@daily", maintenance: [{ from: "00:00", lasts: { hours: 24 }, then: "skip" }]`,
    says: "leave no time in which a run could start",
  },
  always_put_off: {
    options:
      `schedule: "@daily", maintenance: [{ from: "00:00", lasts: { days: 7 }, then: "delay" }]`,
    says: "leave no time in which a run could start",
  },
  horizon: {
    options: `schedule: sessions("XSHG")`,
    says: "Cannot schedule by XSHG: its calendar ended on",
  },
  before_horizon: {
    options: `schedule: sessions("XNYS"), start: "2045-01-01"`,
    says: "it is never due after 2045-01-01",
  },
  endless: { options: `schedule: continuous()`, says: "give maxActiveRuns: 1" },
};

const fileOf = (id: string, options: string) =>
  `import { allOf, continuous, dag, events, every, sessions, task } from "tidewheel";
void [allOf, continuous, events, every, sessions];
export default dag({ id: "${id}", ${options} }, () => {
  task({ id: "a" }, () => 1);
});
`;

Deno.test("schedules that could never run are refused when their file is read, each by name", async () => {
  const files = Object.entries(cases).map(([id, { options }]) => [`${id}.ts`, fileOf(id, options)]);
  // 2030: the shorter ones of the bundled calendars have ended.
  await using at = await dagsFolder(Object.fromEntries(files), {
    clock: new VirtualClock("2030-06-01T00:00:00Z"),
  });
  await at.parser().runOnce();

  const wrong = Object.entries(cases).map(([id, { says }]) => {
    const message = at.store.importErrors.get(`${id}.ts`)?.message ?? "(it was taken)";
    return message.includes(says) ? null : `${id}: ${message}`;
  });
  assertEquals(wrong.filter((one) => one !== null), []);
  assertEquals(at.store.dags.size, 0);
});

Deno.test("schedules that only look odd are taken", async () => {
  const odd: Record<string, string> = {
    leap_day: `schedule: "0 0 29 2 *"`,
    over: `schedule: "@daily", start: "2020-01-01", end: "2020-02-01"`,
    weekend:
      `schedule: "@daily", maintenance: [{ from: "00:00", lasts: { days: 6 }, on: ["MON"], then: "delay" }]`,
    history: `schedule: sessions("XSHG"), start: "2020-01-01", end: "2020-02-01"`,
  };
  const files = Object.entries(odd).map(([id, options]) => [`${id}.ts`, fileOf(id, options)]);
  await using at = await dagsFolder(Object.fromEntries(files), {
    clock: new VirtualClock("2030-06-01T00:00:00Z"),
  });
  await at.parser().runOnce();

  assertEquals([...at.store.importErrors.values()].map(({ message }) => message), []);
  assertEquals([...at.store.dags.keys()].sort(), Object.keys(odd).sort());
});

Deno.test("two DAGs of one id are refused, in one file and in two", async () => {
  const twice = `import { dag, task } from "tidewheel";
const declare = () => void task({ id: "a" }, () => 1);
export const one = dag({ id: "twin", schedule: null }, declare);
export const two = dag({ id: "twin", schedule: "@daily" }, declare);
`;
  await using at = await dagsFolder({
    "a.ts": fileOf("same", "schedule: null"),
    "b.ts": fileOf("same", `schedule: "@daily"`),
    "twice.ts": twice,
  });
  await at.parser().runOnce();

  assertEquals([...at.store.dags.keys()], ["same"]);
  const { importErrors } = at.store;
  assert(importErrors.get("b.ts")!.message.includes(`the id "same" belongs to a.ts`));
  assert(importErrors.get("twice.ts")!.message.includes(`two of them have the id "twin"`));
});
