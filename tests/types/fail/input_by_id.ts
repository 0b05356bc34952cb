// expect: Type 'string' is not assignable to type 'Ref<
import { dag } from "tidewheel";
import { publish } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  publish({ id: "publish", from: "merge", dataset: "prices.daily", partition: "all" });
});
