/**
 * @module Daily bars from two vendors and a desk's file drop, as one published dataset.
 *
 * Each source is collected as it is, converted to one declared table, checked, and merged by key: the
 * desk is believed first, then marketstack, then Stooq. Vendors correct late, so each partition holds
 * the bars of the days before it too, as they stood on that day.
 */
import { dag, type RunFacts } from "tidewheel";
import { collect, convert, merge, publish, quality } from "tidewheel/operators";
import { z } from "zod";
import { DailyBar } from "./schemas/daily_bar.ts";

const symbols = ["AAPL", "FB", "GOOG", "IBM", "MSFT"];

/** The last day of the sandbox's figures: what a run by hand without any date collects. */
const lastDay = "2013-03-01";

const Params = z.object({
  date: z.iso.date().optional().meta({
    doc: `Day to collect; left out: the run's logical date, without one ${lastDay}`,
  }),
  days: z.int().min(1).max(366).default(35).meta({
    doc: "Days before it to collect again, since vendors correct late",
  }),
});

type Facts = RunFacts<z.output<typeof Params>>;

export default dag({
  id: "standard_ingestion",
  description: "Daily bars of two vendors and a desk, merged and published as prices.daily",
  schedule: null,
  tags: ["prices"],
  params: Params,
  defaults: { retries: 2, retryDelay: { seconds: 5 }, backoff: "exponential" },
}, ({ fromRun }) => {
  const partition = fromRun(dayOf);

  const marketstack = collect.http({
    id: "collect_marketstack",
    doc: "All symbols at once, page by page",
    source: "marketstack.eod",
    connection: "marketstack",
    path: "/v1/eod",
    query: fromRun((facts) => ({
      symbols: symbols.join(","),
      date_from: firstDayOf(facts),
      date_to: dayOf(facts),
      sort: "ASC",
    })),
    format: "json",
    records: "/data",
    paging: { kind: "offset", limit: 40, total: "/pagination/total" },
    partition,
  });

  const stooq = collect.http({
    id: "collect_stooq",
    doc: "One CSV file a symbol; the symbol is not in it",
    source: "stooq.daily",
    connection: "stooq",
    path: "/q/d/l/",
    query: fromRun((facts) => ({
      i: "d",
      d1: firstDayOf(facts).replaceAll("-", ""),
      d2: dayOf(facts).replaceAll("-", ""),
    })),
    parts: symbols.map((symbol) => ({
      name: symbol,
      query: { s: `${symbol.toLowerCase()}.us` },
      labels: { symbol },
    })),
    format: "csv",
    throttledWhen: [{ text: "Exceeded the daily hits limit" }],
    emptyWhen: [{ text: "No data" }],
    partition,
  });

  const desk = collect.file({
    id: "collect_desk",
    doc: "What the desk dropped for the day, if anything",
    source: "desk.bars",
    connection: "desk_drop",
    pattern: fromRun((facts) => `desk_bars_${dayOf(facts)}*.csv`),
    ready: { kind: "settled", quietMs: 100 },
    partition,
  });

  const tables = {
    marketstack: convert({
      id: "convert_marketstack",
      from: marketstack,
      schema: DailyBar,
      records: "/data",
      ignore: [
        "adj_open",
        "adj_high",
        "adj_low",
        "adj_close",
        "adj_volume",
        "split_factor",
        "dividend",
        "exchange",
      ],
    }),
    stooq: convert({ id: "convert_stooq", from: stooq, schema: DailyBar }),
    desk: convert({ id: "convert_desk", from: desk, schema: DailyBar }),
  };

  const checked = Object.entries(tables).map(([name, from]) =>
    quality({
      id: `check_${name}`,
      from,
      rules: [
        { rule: "ohlc", name: "prices lie between low and high" },
        { rule: "range", column: "volume", min: 0 },
        { rule: "in_set", column: "symbol", values: symbols },
      ],
    })
  );

  const golden = merge({
    id: "merge",
    doc: "One row a symbol and day; a source that has nothing today is left out",
    from: checked,
    key: ["symbol", "date"],
    resolve: { priority: ["desk.bars", "marketstack.eod", "stooq.daily"] },
    triggerRule: "none_failed_min_one_success",
  });

  publish({ id: "publish", from: golden, dataset: "prices.daily", partition });
});

/** The day that a run is about. */
function dayOf({ params, logicalDate, interval }: Facts): string {
  return params.date ?? (logicalDate === null ? lastDay : interval.date);
}

/** The first day that it collects. */
function firstDayOf(facts: Facts): string {
  return Temporal.PlainDate.from(dayOf(facts)).subtract({ days: facts.params.days }).toString();
}
