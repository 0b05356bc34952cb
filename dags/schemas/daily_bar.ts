/** @module One day's prices of one share. */
import { column, type RowOf, table } from "tidewheel";

/** A daily bar: unadjusted prices in the currency of the listing. */
export const DailyBar = table("daily_bar", {
  symbol: column.varchar().doc("Symbol at its exchange"),
  date: column.date().doc("Trading day"),
  open: column.decimal(18, 4).doc("First price"),
  high: column.decimal(18, 4).doc("Highest price"),
  low: column.decimal(18, 4).doc("Lowest price"),
  close: column.decimal(18, 4).doc("Last price"),
  volume: column.int64().doc("Shares traded"),
}, { key: ["symbol", "date"] });

/** A row of it; exact numbers are strings. */
export type DailyBar = RowOf<typeof DailyBar>;
