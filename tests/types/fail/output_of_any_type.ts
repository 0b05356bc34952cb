// expect: Type 'unknown' is not assignable to type
import { dag, task } from "tidewheel";
import { publish } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  const parsed = task({ id: "parse" }, () => JSON.parse("{}"));
  publish({ id: "publish", from: parsed, dataset: "prices.daily", partition: "all" });
});
