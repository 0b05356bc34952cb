/**
 * @module CSV in the shape of Stooq's daily download: one symbol a file, no key, and plain text with
 * status 200 in place of data.
 */
import { type Answer, text } from "../answer.ts";
import { vendorBars } from "../deviations.ts";
import { between, type Vendor, type VendorCall } from "./vendor.ts";

/** Everybody has the same quota here. */
const key = "demo";

/** See the module. */
export const stooq: Vendor = {
  name: "stooq",
  about: "Daily bars of one symbol as CSV: /stooq/q/d/l/?s=aapl.us&i=d&d1=20130201&d2=20130301",
  answer(call) {
    if (call.path !== "/q/d/l/") return text("Not Found", 404);
    return call.admit(key).kind === "ok" ? download(call) : throttled();
  },
  throttled,
  failed: noData,
};

function download({ query, asOf }: VendorCall): Answer {
  const symbol = /^([a-z]+)\.us$/.exec(query.get("s") ?? "")?.[1].toUpperCase();
  const found = vendorBars("stooq", asOf).filter((bar) => bar.symbol === symbol);
  const rows = between(found, isoDate(query.get("d1")), isoDate(query.get("d2")));
  if (query.get("i") !== "d" || rows.length === 0) return noData();
  const lines = rows.map(({ date, open, high, low, close, volume }) =>
    [date, open, high, low, close, volume].join(",")
  );
  const body = ["Date,Open,High,Low,Close,Volume", ...lines, ""].join("\r\n");
  const modifiedAt = new Date(`${rows.at(-1)!.date}T22:00:00Z`);
  return { ...text(body, 200, "text/csv"), modifiedAt };
}

function isoDate(compact: string | null): string | null {
  return compact?.replace(/^(\d{4})(\d{2})(\d{2})$/, "$1-$2-$3") ?? null;
}

function throttled(): Answer {
  return text("Exceeded the daily hits limit");
}

function noData(): Answer {
  return text("No data");
}
