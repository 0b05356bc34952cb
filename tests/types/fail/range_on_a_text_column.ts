// expect: 'symbol' does not exist in type
import { dag } from "tidewheel";
import { Bar, check, collect, convert } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  const bars = convert({ id: "a", from: collect({ id: "raw", source: "acme" }), schema: Bar });
  check({ id: "check", from: bars, ranges: { symbol: { min: 0 } } });
});
