// expect: Type '"isin"' is not assignable to type '"symbol" | 
import { dag } from "tidewheel";
import { Bar, collect, convert, quality } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  const bars = convert({ id: "a", from: collect({ id: "raw", source: "acme" }), schema: Bar });
  quality({ id: "check", from: bars, rules: [{ rule: "not_null", columns: ["isin"] }] });
});
