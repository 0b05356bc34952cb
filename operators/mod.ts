/** @module Every operator that is shipped: the package `tidewheel/operators`. */
import { collect } from "./collect/mod.ts";
import { retry } from "./retry/mod.ts";

export { collect, retry };
export type { HttpRequestOptions } from "./collect/http/request_params.ts";

/** All of them, for docs and checks. */
export const operators = [
  collect.http.operator,
  collect.file.operator,
  retry.parts.operator,
];
