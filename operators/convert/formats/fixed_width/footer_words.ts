/** @module What lines behind a fixed-width table begin with, and how they count its rows. */

/** Begins totals, notes and trailers. */
export const opening =
  /^\W*(?:grand total|total|sub-?total|sum|count|rows?|records?|trailer|trl|tlr|eof|end of|footer|ftr|source|notes?|generated|page)(?![\p{L}])|^\s*\(\d+ rows?/iu;
/** A count behind its word. */
export const counted = /\b(?:rows?|records?|lines?|count|entries)\b[^\d\n]{0,20}(\d[\d,]*)/i;
/** A count before its word. */
export const countOf = /(?:^|[^\d.,])(\d[\d,]*)\s+(?:rows?|records?|entries)\b/i;
/** A sign for the last record, and a count. */
export const trailer = /^\W*(?:trailer|trl|tlr|eof|footer|ftr|[tz]|9{1,3})\s*0*(\d{1,12})\b/i;

/** Does the line look like one behind the table? */
export function isFooterLike(line: string): boolean {
  return opening.test(line) || trailer.test(line);
}
