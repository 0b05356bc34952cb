/** @module Flags of the verbs on files; loads nothing. */
import type { VerbOption } from "../../cli/verb.ts";

/** As commander takes them. */
export const fileOptions: readonly VerbOption[] = [
  { flags: "--format <format>", doc: "Format of the files; found out without it" },
  { flags: "--encoding <label>", doc: "Encoding of texts; found out without it" },
  {
    flags: "--read <json>",
    doc: 'Other parameters of `convert` for reading, such as {"delimiter":";"}',
  },
  { flags: "--members <glob>", doc: "Only these members of archives, such as *.csv" },
  { flags: "--memory <size>", doc: "What the engine may hold in memory", default: "1GB" },
  { flags: "--download-max <size>", doc: "The most that is downloaded of a URL", default: "10GB" },
];
