/** @module What a reader of SDMX tells: observations, each with all its dimensions and attributes. */

/** One observation: values by component. */
export interface Observation {
  values: ReadonlyMap<string, string | null>;
  offset: number;
  endOffset: number;
}

/** What a message says instead of data. */
export class SdmxMessage extends Error {
  constructor(
    /** Goes on from "Cannot read F as SDMX: ". */
    readonly why: string,
  ) {
    super(why);
  }
}
