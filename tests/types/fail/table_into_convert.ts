// expect: is missing the following properties from type '{ kind: "raw";
import { dag } from "tidewheel";
import { Bar, collect, convert } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  const bars = convert({ id: "a", from: collect({ id: "raw", source: "acme" }), schema: Bar });
  convert({ id: "b", from: bars, schema: Bar });
});
