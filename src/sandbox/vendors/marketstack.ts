/**
 * @module A paginated JSON API in the shape of marketstack's `/v1/eod`: `access_key` in the query,
 * `limit` and `offset`, status codes that mean what they say, 429 with Retry-After.
 */
import { type Answer, json } from "../answer.ts";
import { vendorBars } from "../deviations.ts";
import { type Bar, exchanges } from "../figures.ts";
import { between, type Vendor, type VendorCall } from "./vendor.ts";

const limitDefault = 100;
const limitMax = 1000;

/** See the module. */
export const marketstack: Vendor = {
  name: "marketstack",
  about: "Daily bars, paginated JSON: /marketstack/v1/eod?access_key=demo&symbols=AAPL,IBM&" +
    "date_from=2013-02-01&date_to=2013-03-01&limit=50&offset=0",
  answer(call) {
    const refusal = refuse(call);
    return refusal ?? eod(call);
  },
  throttled,
  failed: () => error(500, "internal_error", "An internal error occurred."),
};

function refuse(call: VendorCall): Answer | null {
  const verdict = call.admit(call.query.get("access_key"));
  switch (verdict.kind) {
    case "ok":
      return null;
    case "missing":
      return error(401, "missing_access_key", "You have not supplied an API Access Key.");
    case "unknown":
      return error(401, "invalid_access_key", "You have not supplied a valid API Access Key.");
    case "over":
      return throttled(verdict.retryAfterS);
  }
}

function eod({ path, query, asOf }: VendorCall): Answer {
  const day = /^\/v1\/eod(?:\/(\d{4}-\d{2}-\d{2}|latest))?$/.exec(path);
  if (!day) return error(404, "not_found_error", "Resource not found.");
  const wanted = (query.get("symbols") ?? "").split(",").filter((s) => s !== "");
  if (wanted.length === 0) return invalid("symbols", "You did not specify any symbols.");
  const limit = count(query.get("limit"), limitDefault);
  const offset = count(query.get("offset"), 0);
  if (limit === null || limit === 0 || limit > limitMax) {
    return invalid("limit", `The limit must be between 1 and ${limitMax}.`);
  }
  if (offset === null) return invalid("offset", "The offset must be a whole number.");
  const all = vendorBars("marketstack", asOf).filter((bar) => wanted.includes(bar.symbol));
  const last = all.at(-1)?.date ?? null;
  const from = day[1] === "latest" ? last : day[1] ?? query.get("date_from");
  const to = day[1] === "latest" ? last : day[1] ?? query.get("date_to");
  const found = between(all, from, to);
  if (query.get("sort") !== "ASC") found.sort((a, b) => b.date.localeCompare(a.date));
  const page = found.slice(offset, offset + limit);
  const pagination = JSON.stringify({ limit, offset, count: page.length, total: found.length });
  return json(`{"pagination":${pagination},"data":[${page.map(record).join(",")}]}`);
}

/** Figures are written as the text that they are, so that no digit is lost or made up. */
function record({ symbol, date, open, high, low, close, volume, adjClose }: Bar): string {
  return `{"open":${open},"high":${high},"low":${low},"close":${close},"volume":${volume}.0,` +
    `"adj_high":null,"adj_low":null,"adj_close":${adjClose},"adj_open":null,"adj_volume":null,` +
    `"split_factor":1.0,"dividend":null,"symbol":"${symbol}","exchange":"${exchanges[symbol]}",` +
    `"date":"${date}T00:00:00+0000"}`;
}

function throttled(retryAfterS: number): Answer {
  const answer = error(429, "rate_limit_reached", "You have exceeded the maximum rate limitation.");
  return { ...answer, headers: { "retry-after": String(retryAfterS) } };
}

function invalid(field: string, message: string): Answer {
  return json({
    error: {
      code: "validation_error",
      message: "Request failed with validation error",
      context: { [field]: [{ key: `invalid_${field}`, message }] },
    },
  }, 422);
}

function error(status: number, code: string, message: string): Answer {
  return json({ error: { code, message } }, status);
}

function count(text: string | null, otherwise: number): number | null {
  if (text === null) return otherwise;
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}
