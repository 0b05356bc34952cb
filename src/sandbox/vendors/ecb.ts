/**
 * @module The ECB's euro reference rates: SDMX-CSV of the data portal (`…/data/EXR/D.USD.EUR.SP00.A`,
 * several currencies joined by `+`, none for all) and the wide file `eurofxref-hist.csv`.
 */
import { type Answer, text } from "../answer.ts";
import { currencies, type Rate, rates } from "../figures.ts";
import { between, type Vendor, type VendorCall } from "./vendor.ts";

/** The hour, UTC, at which a day's rates are published. */
const publishHour = 15;

/** See the module. */
export const ecb: Vendor = {
  name: "ecb",
  about: "Euro reference rates: /ecb/service/data/EXR/D.USD+GBP.EUR.SP00.A?format=csvdata&" +
    "startPeriod=2013-02-01&endPeriod=2013-03-01 or /ecb/stats/eurofxref/eurofxref-hist.csv",
  answer(call) {
    if (call.admit("demo").kind !== "ok") return throttled(60);
    const known = rates.filter(({ date }) =>
      Date.parse(`${date}T${publishHour}:00:00Z`) <= call.asOf.getTime()
    );
    if (call.path === "/stats/eurofxref/eurofxref-hist.csv") return wide(known);
    const series = /^\/service\/data\/EXR\/D\.([A-Z+]*)\.EUR\.SP00\.A$/.exec(call.path);
    return series ? sdmxCsv(known, series[1], call) : failed();
  },
  throttled,
  failed,
};

function sdmxCsv(known: Rate[], series: string, { query }: VendorCall): Answer {
  const wanted = series === "" ? currencies : series.split("+");
  const found = between(known, query.get("startPeriod"), query.get("endPeriod"))
    .filter(({ currency }) => wanted.includes(currency));
  if (found.length === 0) return failed();
  const last = Number(query.get("lastNObservations") ?? Infinity);
  const lines = wanted.flatMap((currency) =>
    found.filter((rate) => rate.currency === currency).slice(-last).map(({ date, value }) =>
      `EXR.D.${currency}.EUR.SP00.A,D,${currency},EUR,SP00,A,${date},${value}`
    )
  );
  const header = "KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE";
  return dated([header, ...lines, ""].join("\r\n"), found);
}

/** Newest first, one column a currency and a comma at the end of each line, as the ECB has it. */
function wide(known: Rate[]): Answer {
  const byDate = Map.groupBy(known, ({ date }) => date);
  const lines = [...byDate].reverse().map(([date, row]) =>
    `${date},${currencies.map((c) => row.find((r) => r.currency === c)!.value).join(",")},`
  );
  return dated([`Date,${currencies.join(",")},`, ...lines, ""].join("\n"), known);
}

function dated(body: string, found: Rate[]): Answer {
  const modifiedAt = new Date(`${found.map((r) => r.date).sort().at(-1)}T${publishHour}:00:00Z`);
  return { ...text(body, 200, "text/csv"), modifiedAt };
}

function throttled(retryAfterS: number): Answer {
  return { ...text("Too many requests", 429), headers: { "retry-after": String(retryAfterS) } };
}

function failed(): Answer {
  return text("No results found.", 404);
}
