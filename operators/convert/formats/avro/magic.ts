/** @module How Avro's container files begin. */

/** First bytes of a file. */
export const MAGIC = "Obj\x01";
/** The same, of Avro before 1.3. */
export const OLD_MAGIC = "Obj\x00";
