/** @module `collect.*`: from sources to raw files. */
import { collectFile } from "./file/mod.ts";
import { collectHttp } from "./http/mod.ts";

/** Operators that collect. */
export const collect = { http: collectHttp, file: collectFile };
