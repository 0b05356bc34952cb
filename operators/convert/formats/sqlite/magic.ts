/** @module How SQLite files begin. */

/** First bytes of every file that is not encrypted. */
export const sqliteMagic = "SQLite format 3\0";
