/** @module Units that names of columns say. */
import { currencyCodes } from "./codes.ts";

const words: Readonly<Record<string, string>> = {
  pct: "%",
  percent: "%",
  percentage: "%",
  bps: "bp",
  bp: "bp",
  ms: "ms",
  millis: "ms",
  us: "µs",
  micros: "µs",
  ns: "ns",
  nanos: "ns",
  sec: "s",
  secs: "s",
  seconds: "s",
  minutes: "min",
  mins: "min",
  hours: "h",
  hrs: "h",
  days: "d",
  months: "months",
  years: "years",
  kg: "kg",
  lbs: "lb",
  lb: "lb",
  grams: "g",
  tonnes: "t",
  bbl: "bbl",
  oz: "oz",
  km: "km",
  miles: "mi",
  meters: "m",
  cm: "cm",
  mm: "mm",
  ft: "ft",
  inches: "in",
  kwh: "kWh",
  mwh: "MWh",
  mw: "MW",
  mb: "MB",
  gb: "GB",
  kb: "kB",
  bytes: "B",
  celsius: "°C",
  fahrenheit: "°F",
  thousands: "thousands",
  millions: "millions",
  billions: "billions",
};

const currencies: ReadonlySet<string> = new Set(currencyCodes);

/** The last word of a numeric column's name, where that is a unit. */
export function unitOfName(name: string, type: string): string | null {
  if (!/^(?:BIGINT|DECIMAL|DOUBLE)/.test(type)) return null;
  const parts = name.replace(/([a-z])([A-Z])/g, "$1 $2").split(/[^A-Za-z%]+/).filter(Boolean);
  if (parts.length < 2) return name.includes("%") ? "%" : null;
  const last = parts[parts.length - 1];
  if (currencies.has(last.toUpperCase())) return last.toUpperCase();
  return words[last.toLowerCase()] ?? (name.includes("%") ? "%" : null);
}
