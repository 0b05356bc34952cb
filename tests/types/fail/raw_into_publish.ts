// expect: is not assignable to type 'Ref<{ kind: "table";
import { dag } from "tidewheel";
import { collect, publish } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  const raw = collect({ id: "raw", source: "acme" });
  publish({ id: "publish", from: raw, dataset: "prices.daily", partition: "all" });
});
