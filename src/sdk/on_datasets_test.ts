import { assertEquals, assertThrows } from "@std/assert";
import { publish } from "../../operators/publish/mod.ts";
import { AppError } from "../model/errors.ts";
import { dag } from "./dag.ts";
import { type DatasetCondition, onDatasets } from "./on_datasets.ts";
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
