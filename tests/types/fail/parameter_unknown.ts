// expect: 'sorce' does not exist in type 'OperatorOptions<
import { dag } from "tidewheel";
import { collect } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  collect({ id: "raw", sorce: "acme", source: "acme" });
});
