/** @module What the parser keeps in the metadata database; declared beside its implementation. */
export type * from "../store/port_parser.ts";
