/** @module Every operator that is shipped: the package `tidewheel/operators`. */
import { collect } from "./collect/mod.ts";
import { convert } from "./convert/mod.ts";
import { merge } from "./merge/mod.ts";
import { publish } from "./publish/mod.ts";
import { quality } from "./quality/mod.ts";
import { retry } from "./retry/mod.ts";
import { command } from "../src/sdk/command.ts";

export { collect, convert, merge, publish, quality, retry };
export type { HttpRequestOptions } from "./collect/http/request_params.ts";
export type { MergeOptions, Resolve } from "./merge/mod.ts";

export { rowsOfFiles, tableRows } from "./table/rows.ts";

/** All of them, for docs and checks. */
export const operators = [
  collect.http.operator,
  collect.file.operator,
  convert.operator,
  quality.operator,
  retry.parts.operator,
  merge.operator,
  publish.operator,
  command.operator,
];
