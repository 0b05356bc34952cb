/**
 * @module JSON in the shape of Alpha Vantage's `TIME_SERIES_DAILY`: one symbol a request, values as
 * text under numbered keys, and every refusal, too many requests among them, with status 200.
 */
import { type Answer, json, text } from "../answer.ts";
import { vendorBars } from "../deviations.ts";
import type { Bar } from "../figures.ts";
import type { Vendor, VendorCall } from "./vendor.ts";

const compactRows = 100;

/** See the module. */
export const alphaVantage: Vendor = {
  name: "alpha_vantage",
  about: "Daily bars of one symbol, errors with status 200: /alpha_vantage/query?" +
    "function=TIME_SERIES_DAILY&symbol=IBM&outputsize=compact&datatype=json&apikey=demo",
  answer(call) {
    if (call.path !== "/query") return text("Not Found", 404);
    const verdict = call.admit(call.query.get("apikey"));
    if (verdict.kind === "missing" || verdict.kind === "unknown") {
      return json({
        "Error Message": "the parameter apikey is invalid or missing. Please claim your free API " +
          "key on (https://www.alphavantage.co/support/#api-key). It should take less than 20 " +
          "seconds.",
      });
    }
    if (verdict.kind === "over") {
      return verdict.window === "minute" ? throttled() : json({
        "Information": "We have detected your API key and our standard API rate limit is " +
          `${verdict.limit} requests per day.`,
      });
    }
    return series(call);
  },
  throttled,
  failed: invalidCall,
};

function series({ query, asOf }: VendorCall): Answer {
  const symbol = query.get("symbol") ?? "";
  const found = vendorBars("alpha_vantage", asOf).filter((bar) => bar.symbol === symbol).reverse();
  if (query.get("function") !== "TIME_SERIES_DAILY" || found.length === 0) return invalidCall();
  const full = query.get("outputsize") === "full";
  const rows = full ? found : found.slice(0, compactRows);
  if (query.get("datatype") === "csv") {
    const lines = rows.map((bar) =>
      [bar.date, ...figures(bar).map(([, value]) => value)].join(",")
    );
    const body = ["timestamp,open,high,low,close,volume", ...lines, ""].join("\r\n");
    return text(body, 200, "application/x-download");
  }
  return json({
    "Meta Data": {
      "1. Information": "Daily Prices (open, high, low, close) and Volumes",
      "2. Symbol": symbol,
      "3. Last Refreshed": rows[0].date,
      "4. Output Size": full ? "Full size" : "Compact",
      "5. Time Zone": "US/Eastern",
    },
    "Time Series (Daily)": Object.fromEntries(
      rows.map((bar) => [bar.date, Object.fromEntries(figures(bar))]),
    ),
  });
}

function figures({ open, high, low, close, volume }: Bar): [string, string][] {
  return [
    ["1. open", fourDigits(open)],
    ["2. high", fourDigits(high)],
    ["3. low", fourDigits(low)],
    ["4. close", fourDigits(close)],
    ["5. volume", volume],
  ];
}

/** Four digits behind the point, as this vendor writes prices; by text, so that none is lost. */
function fourDigits(price: string): string {
  const [whole, fraction = ""] = price.split(".");
  return `${whole}.${fraction.padEnd(4, "0")}`;
}

function throttled(): Answer {
  return json({
    "Note": "Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per " +
      "minute and 500 calls per day.",
  });
}

function invalidCall(): Answer {
  return json({
    "Error Message": "Invalid API call. Please retry or visit the documentation " +
      "(https://www.alphavantage.co/documentation/) for TIME_SERIES_DAILY.",
  });
}
