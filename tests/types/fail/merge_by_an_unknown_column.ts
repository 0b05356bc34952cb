// expect: Type '"isin"' is not assignable to type '"symbol" | 
import { dag } from "tidewheel";
import { Bar, collect, convert, merge } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  const bars = convert({ id: "a", from: collect({ id: "raw", source: "acme" }), schema: Bar });
  merge({ id: "merge", from: [bars], key: ["isin", "date"], resolve: { lastWriteWins: true } });
});
