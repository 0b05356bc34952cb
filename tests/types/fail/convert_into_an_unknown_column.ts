// expect: 'isin' does not exist in type
import { dag } from "tidewheel";
import { Bar, collect, convert } from "../operators.ts";

dag({ id: "d", schedule: null }, () => {
  const from = collect({ id: "raw", source: "acme" });
  convert({ id: "a", from, schema: Bar, columns: { isin: "ISIN" } });
});
