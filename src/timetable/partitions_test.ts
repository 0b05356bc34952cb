import { assertEquals } from "@std/assert";
import type { DatasetsSpec, PartitionSpec } from "../model/schedule_spec.ts";
import {
  partitionFor,
  partitionInterval,
  partitionNeeds,
  partitionQuestions,
  partitionStates,
} from "./partitions.ts";

const now = new Date("2026-12-01T00:00:00Z");
const month: PartitionSpec = { kind: "rollup", over: "month", sessions: "XNYS" };

Deno.test("partitionFor() maps days to weeks, months, quarters and years", () => {
  const over = (over: "week" | "month" | "quarter" | "year", key: string) =>
    partitionFor({ kind: "rollup", over, sessions: null }, key);
  assertEquals(over("week", "2027-01-03"), "2026-W53");
  assertEquals(over("week", "2024-12-30"), "2025-W01");
  assertEquals(over("month", "2026-02-28"), "2026-02");
  assertEquals(over("quarter", "2026-04-01"), "2026-Q2");
  assertEquals(over("year", "2026-04-01"), "2026");
  for (const odd of ["", "2026-02-30", "2026-02", "IBM"]) assertEquals(over("month", odd), null);
});

Deno.test("partitionNeeds() lists a month's sessions, or all of its days", () => {
  assertEquals(partitionNeeds(month, "2026-11", now)!.length, 20);
  assertEquals(partitionNeeds(month, "2026-11", now)!.includes("2026-11-26"), false);
  const days = partitionNeeds({ ...month, sessions: null }, "2026-02", now)!;
  assertEquals([days.length, days[0], days.at(-1)], [28, "2026-02-01", "2026-02-28"]);
  assertEquals(partitionNeeds({ ...month, over: "week" }, "2026-W53", now)!.length, 4);
  assertEquals(partitionNeeds(month, "1890-01", now), null);
  assertEquals(partitionNeeds(month, "rubbish", now), null);
});

Deno.test("partitionInterval() gives the days in the DAG's zone", () => {
  const interval = partitionInterval(month, "2026-03", "Europe/Berlin")!;
  assertEquals(interval.start.toISOString(), "2026-02-28T23:00:00.000Z");
  assertEquals(interval.end.toISOString(), "2026-03-31T22:00:00.000Z");
  assertEquals(partitionInterval({ kind: "each" }, "IBM", "UTC"), null);
});

Deno.test("partitionStates() says what a roll-up lacks, of the way that lacks least", () => {
  const schedule: DatasetsSpec = {
    kind: "datasets",
    datasets: ["a", "b"],
    anyOf: [["a"], ["a", "b"]],
    partition: { kind: "groups", groups: { eu: ["x", "y"], us: ["n"] } },
  };
  const pending = [
    { dataset: "a", partition: "x" },
    { dataset: "b", partition: "n" },
    { dataset: "a", partition: "?" },
  ];
  assertEquals(partitionQuestions(schedule, pending, now), [
    { dataset: "a", partition: "y" },
    { dataset: "b", partition: "x" },
    { dataset: "b", partition: "y" },
    { dataset: "a", partition: "n" },
  ]);
  const none = partitionStates(schedule, pending, () => false, now);
  assertEquals(none.map(({ partition, missing, isWhole }) => [partition, missing, isWhole]), [
    ["eu", [{ dataset: "a", partitions: ["y"] }], false],
    ["us", [{ dataset: "a", partitions: ["n"] }], false],
  ]);
  const some = partitionStates(schedule, pending, (_, key) => key === "y", now);
  assertEquals(some.map(({ from, isWhole }) => [from, isWhole]), [[["x"], true], [["n"], false]]);
});
