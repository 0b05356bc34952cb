/** @module `collect.*`: from sources to raw files. */
import { collectHttp } from "./http/mod.ts";

/** Operators that collect. */
export const collect = { http: collectHttp };
