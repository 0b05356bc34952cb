/** @module How Arrow's files begin. */

/** A file of format version 4 and 5; it ends with this, too. */
export const MAGIC = "ARROW1";
/** A Feather file of version 1. */
export const OLD_FEATHER = "FEA1";
