/** @module Every operator that is shipped: the package `tidewheel/operators`. */
import { collect } from "./collect/mod.ts";

export { collect };

/** All of them, for docs and checks. */
export const operators = [collect.http.operator];
