import { assertEquals } from "@std/assert";
import { DagSpec } from "../model/dag_spec.ts";
import { isNewestInterval } from "./newest.ts";

function specOf(some: Partial<DagSpec>) {
  return DagSpec.parse({ dagId: "d", schedule: { kind: "none" }, tasks: [], ...some });
}

const daily = specOf({ schedule: { kind: "cron", cron: "0 0 * * *", timezone: "UTC" } });
const day = (from: string, to: string) => ({ start: new Date(from), end: new Date(to) });
const first = day("2030-01-01", "2030-01-02");

Deno.test("isNewestInterval() is so from a run's due instant to the next one's", () => {
  const at = (instant: string) => isNewestInterval(daily, first, new Date(instant));
  assertEquals(at("2030-01-02T00:00:00Z"), true);
  assertEquals(at("2030-01-02T23:59:59.999Z"), true);
  assertEquals(at("2030-01-03T00:00:00Z"), false);
  assertEquals(at("2030-02-01T00:00:00Z"), false);
});

Deno.test("isNewestInterval() counts intervals that catchup leaves out, and the schedule's end", () => {
  const end = specOf({ ...daily, end: "2030-01-01T12:00:00Z" });
  assertEquals(isNewestInterval(end, first, new Date("2031-01-01")), true);
  const none = specOf({ ...daily, catchup: "none" });
  assertEquals(isNewestInterval(none, first, new Date("2030-01-09")), false);
});

Deno.test("isNewestInterval() is so where a schedule has no intervals", () => {
  for (const schedule of [{ kind: "none" }, { kind: "continuous" }, { kind: "once" }] as const) {
    assertEquals(isNewestInterval(specOf({ schedule }), first, new Date("2031-01-01")), true);
  }
});
