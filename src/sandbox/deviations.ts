/**
 * @module Where a vendor's figures differ from the source: the gaps, slips and disagreements that
 * real vendors have, put in by hand and listed here in full. All else is as in the source.
 */
import { type Bar, bars } from "./figures.ts";

/** Vendors of daily bars. */
export type BarVendor = "marketstack" | "alpha_vantage" | "stooq";

interface Deviation {
  vendor: BarVendor;
  symbol: string;
  date: string;
  /** Why it is the kind of thing that happens. */
  why: string;
  /** Fields with other values. */
  values?: Partial<Bar>;
  missing?: true;
  /** The row is there twice. */
  twice?: true;
  /** Not before this instant, when the sandbox is asked as of an earlier one. */
  publishedAt?: string;
  /** Other values until this instant, when they were corrected. */
  until?: string;
}

/** Every deviation. */
export const deviations: readonly Deviation[] = [
  {
    vendor: "marketstack",
    symbol: "FB",
    date: "2013-02-08",
    missing: true,
    why: "a gap that was never filled",
  },
  {
    vendor: "marketstack",
    symbol: "MSFT",
    date: "2013-02-19",
    values: { high: "2.809" },
    why: "a decimal point that slipped: the high is below the low",
  },
  {
    vendor: "marketstack",
    symbol: "GOOG",
    date: "2013-03-01",
    publishedAt: "2013-03-02T06:00:00Z",
    why: "one listing comes the morning after",
  },
  {
    vendor: "marketstack",
    symbol: "MSFT",
    date: "2013-02-28",
    values: { close: "27.08" },
    until: "2013-03-01T14:00:00Z",
    why: "a first print with a digit wrong, corrected the next day",
  },
  {
    vendor: "stooq",
    symbol: "AAPL",
    date: "2013-02-06",
    values: { volume: "N/D" },
    why: "this vendor's mark for a figure that it does not have, in a column of numbers",
  },
  {
    vendor: "stooq",
    symbol: "IBM",
    date: "2013-02-14",
    values: { close: "199.66" },
    why: "a close that differs by a cent",
  },
  {
    vendor: "stooq",
    symbol: "GOOG",
    date: "2013-02-21",
    twice: true,
    why: "a row that is there twice",
  },
];

/** Hour of the day, UTC, at which a day's bars are published. */
const publishHour = 22;

/** The bars of a vendor as it would have given them out at `asOf`. */
export function vendorBars(vendor: BarVendor, asOf: Date): Bar[] {
  return bars.flatMap((bar) => {
    const publishedAt = Date.parse(`${bar.date}T${publishHour}:00:00Z`);
    if (publishedAt > asOf.getTime()) return [];
    return deviations
      .filter((d) => d.vendor === vendor && d.symbol === bar.symbol && d.date === bar.date)
      .reduce((rows, deviation) => deviate(rows, deviation, asOf), [bar]);
  });
}

function deviate(rows: Bar[], deviation: Deviation, asOf: Date): Bar[] {
  const before = (instant: string) => asOf.getTime() < Date.parse(instant);
  if (deviation.missing) return [];
  if (deviation.publishedAt && before(deviation.publishedAt)) return [];
  if (deviation.until && !before(deviation.until)) return rows;
  if (deviation.twice) return [...rows, ...rows];
  return rows.map((row) => ({ ...row, ...deviation.values }));
}
