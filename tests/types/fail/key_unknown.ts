// expect: Type '"isin"' is not assignable to type '"symbol" | "date"'
import { column, table } from "tidewheel";

table("bar", {
  symbol: column.varchar(),
  date: column.date(),
  close: column.double().nullable(),
}, { key: ["isin"] });
