/** @module The real figures that the sandbox gives out; origin and licence: data/README.md. */
import barsCsv from "./data/daily_bars.csv" with { type: "text" };
import ratesCsv from "./data/ecb_rates.csv" with { type: "text" };

/** A daily bar. Numbers stay the text that they are in the source. */
export interface Bar {
  symbol: string;
  /** Trading day, ISO. */
  date: string;
  open: string;
  high: string;
  low: string;
  close: string;
  volume: string;
  adjClose: string;
}

/** An ECB euro reference rate: units of `currency` for one euro. */
export interface Rate {
  date: string;
  currency: string;
  value: string;
}

/** All bars, by date and symbol. */
export const bars: readonly Bar[] = rows(barsCsv).map((
  [symbol, date, open, high, low, close, volume, adjClose],
) => ({ symbol, date, open, high, low, close, volume, adjClose }));

/** Symbols with bars, sorted. */
export const symbols: readonly string[] = [...new Set(bars.map((bar) => bar.symbol))].sort();

/** Where each symbol is listed, as an operating MIC. */
export const exchanges: Readonly<Record<string, string>> = {
  AAPL: "XNAS",
  FB: "XNAS",
  GOOG: "XNAS",
  IBM: "XNYS",
  MSFT: "XNAS",
};

/** All reference rates, by date. */
export const rates: readonly Rate[] = rows(ratesCsv).flatMap(([date, ...values]) =>
  values.map((value, i) => ({ date, currency: header(ratesCsv)[i + 1], value }))
);

/** Currencies with rates. */
export const currencies: readonly string[] = header(ratesCsv).slice(1);

function rows(csv: string): string[][] {
  return csv.trimEnd().split("\n").slice(1).map((line) => line.split(","));
}

function header(csv: string): string[] {
  return csv.slice(0, csv.indexOf("\n")).split(",");
}
