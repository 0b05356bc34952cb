/**
 * @module Runs the benches and prints their figures. `deno task bench [name…]`: pipeline, idle,
 * listing, database, convert, simulate, due, two_schedulers, types; all of these by default. By name only, for they
 * take long: convert_binary (beside tools of Python), csv, history, json, mapped, recognise, waits. Figures are of this
 * machine, now: compare only what one call printed.
 */
import { columnarBench } from "./columnar.ts";
import { convertBench } from "./convert.ts";
import { convertBinaryBench } from "./convert_binary.ts";
import { jsonBench } from "./convert_json.ts";
import { csvBench } from "./csv.ts";
import { databaseBench } from "./database.ts";
import { dueBench } from "./due.ts";
import { historyBench } from "./history.ts";
import { idleBench } from "./idle.ts";
import { listingBench } from "./listing.ts";
import { mappedBench } from "./mapped.ts";
import { type Figure, pipelineBench } from "./pipeline.ts";
import { recogniseBench } from "./recognise.ts";
import { simulateBench } from "./simulate.ts";
import { twoSchedulersBench } from "./two_schedulers.ts";
import { typesBench } from "./types.ts";
import { waitsBench } from "./waits.ts";

const benches: Record<string, () => Promise<Figure[]>> = {
  database: databaseBench,
  pipeline: pipelineBench,
  listing: listingBench,
  idle: idleBench,
  convert: convertBench,
  convert_binary: convertBinaryBench,
  columnar: () => columnarBench(),
  csv: csvBench,
  json: jsonBench,
  history: historyBench,
  mapped: mappedBench,
  recognise: recogniseBench,
  simulate: simulateBench,
  due: dueBench,
  two_schedulers: twoSchedulersBench,
  types: typesBench,
  waits: waitsBench,
};
const long: ReadonlySet<string> = new Set([
  "convert_binary",
  "csv",
  "history",
  "json",
  "mapped",
  "recognise",
  "waits",
]);

const names = Deno.args.filter((arg) => !arg.startsWith("--"));
const asked = names.length > 0 ? names : Object.keys(benches).filter((name) => !long.has(name));
for (const name of asked) {
  const bench = benches[name];
  if (!bench) {
    console.error(`No bench "${name}": there are ${Object.keys(benches).join(", ")}`);
    Deno.exit(2);
  }
  console.log(`\n== ${name}`);
  for (const { what, value, unit, goal } of await bench()) {
    const figure = value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
    console.log(`${what.padEnd(62)} ${figure.padStart(9)} ${unit}${goal ? `   goal ${goal}` : ""}`);
  }
}
