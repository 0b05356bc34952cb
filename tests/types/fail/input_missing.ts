// expect: Property 'from' is missing in type
import { dag } from "tidewheel";
import { publish } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  publish({ id: "publish", dataset: "prices.daily", partition: "all" });
});
