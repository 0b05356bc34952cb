import { assertEquals, assertThrows } from "@std/assert";
import { publish } from "../../operators/publish/mod.ts";
import { AppError } from "../model/errors.ts";
import { dag } from "./dag.ts";
import {
  type DatasetCondition,
  each,
  onDatasets,
  type PartitionMapper,
  rollup,
} from "./on_datasets.ts";
import { allOf, anyOf, type Schedule } from "./schedule.ts";
import { task } from "./task.ts";

const specOf = (...conditions: DatasetCondition[]) => onDatasets(...conditions).spec("UTC");

Deno.test("onDatasets() is the ways in which its condition can be met", () => {
  assertEquals(specOf("prices", { any: ["fx.fed", { all: ["fx.ecb", "prices"] }] }), {
    kind: "datasets",
    datasets: ["fx.ecb", "fx.fed", "prices"],
    anyOf: [["fx.ecb", "prices"], ["fx.fed", "prices"]],
  });
  assertEquals(specOf("b", "a"), specOf({ all: ["a", "b", "a"] }));
});

Deno.test("onDatasets() refuses what can never be met, or in too many ways", () => {
  assertThrows(() => onDatasets(), RangeError, "without a dataset");
  assertThrows(() => onDatasets({ any: [] }), RangeError, "without a dataset");
  assertThrows(() => onDatasets(" "), RangeError, "empty name");
  const many = { any: Array.from({ length: 11 }, (_, i) => `d${i}`) };
  assertThrows(() => onDatasets(many, many), RangeError, "121 ways");
});

Deno.test("a DAG cannot wait for what it publishes itself", () => {
  assertThrows(
    () =>
      dag({ id: "d", schedule: onDatasets("prices.daily") }, () => {
        publish({
          id: "publish",
          from: task({ id: "t" }, () => ({} as never)),
          dataset: "prices.daily",
          partition: "p",
        });
      }),
    AppError,
    'waits for the dataset "prices.daily", which its own tasks publish',
  );
});

Deno.test("onDatasets() with a partition says how partitions become runs", () => {
  const partitionOf = (partition: PartitionMapper) =>
    (onDatasets("a", { partition }).spec("UTC") as { partition: unknown }).partition;
  assertEquals(partitionOf(each()), { kind: "each" });
  assertEquals(partitionOf(rollup("month", { sessions: "XNYS" })), {
    kind: "rollup",
    over: "month",
    sessions: "XNYS",
  });
  assertEquals(partitionOf(rollup({ eu: ["XPAR", "XETR"] })), {
    kind: "groups",
    groups: { eu: ["XETR", "XPAR"] },
  });
  assertThrows(() => rollup("decade" as never), RangeError, "week, month, quarter, year");
  assertThrows(() => rollup("month", { sessions: "XXXX" as never }), RangeError, '"XXXX"');
  assertThrows(() => rollup({}), RangeError, "no group");
  assertThrows(() => rollup({ a: [] }), RangeError, 'no partition in the group "a"');
  assertThrows(() => rollup({ a: ["x"], b: ["x"] }), RangeError, 'in the groups "a" and "b"');
  assertThrows(() => onDatasets("a", { partition: "each" as never }), RangeError, "is none");
  assertThrows(() => onDatasets({ partition: each() }), RangeError, "without a dataset");
});

Deno.test("anyOf() and allOf() put time and datasets together", () => {
  const time = { kind: "cron", cron: "0 18 * * *", timezone: "UTC" };
  const data = onDatasets("a");
  const plain = data.spec("UTC");
  assertEquals(anyOf("0 18 * * *", data).spec("UTC"), { ...plain, or: time } as never);
  assertEquals(
    allOf(data, "0 18 * * *", { orAt: "21:00" }).spec("UTC"),
    { ...plain, at: { time, orAt: "21:00", timezone: "UTC" } } as never,
  );
  const refused = (schedule: Schedule, why: string) =>
    assertThrows(() => schedule.spec("UTC"), RangeError, why);
  refused(allOf("0 18 * * *", data, { orAt: "9pm" }), '"9pm"');
  refused(allOf("0 18 * * *", { orAt: "21:00" }), "waits for no datasets");
  refused(
    allOf("0 18 * * *", onDatasets("a", { partition: rollup({ g: ["x"] }) })),
    "partitions must be dates",
  );
  const daily = allOf("0 18 * * *", onDatasets("a", { partition: each() })).spec("UTC");
  assertEquals((daily as { partition: unknown }).partition, { kind: "each" });
  refused(anyOf(data, onDatasets("b")), "name all datasets in one");
  refused(anyOf(data), "no time");
  assertThrows(
    () => dag({ id: "d", schedule: anyOf("@daily", data), catchup: true }, () => {}),
    AppError,
    "no start",
  );
});
