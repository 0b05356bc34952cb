/** @module Every operator that is shipped: the package `tidewheel/operators`. */
import { collect } from "./collect/mod.ts";
import { convert } from "./convert/mod.ts";
import { retry } from "./retry/mod.ts";

export { collect, convert, retry };
export type { HttpRequestOptions } from "./collect/http/request_params.ts";

export { rowsOfFiles, tableRows } from "./table/rows.ts";

/** All of them, for docs and checks. */
export const operators = [
  collect.http.operator,
  collect.file.operator,
  convert.operator,
  retry.parts.operator,
];
