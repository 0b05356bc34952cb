/** @module A delimited file once its dialect and what is around its table are known. */
import type { Dialect } from "./dialect.ts";
import type { Footer, RowCount } from "./footer.ts";
import type { FileState } from "./sample.ts";

/** Where the rows of a file are, and how they are written. */
export interface Table {
  dialect: Dialect;
  /** The file when it was looked at. */
  state: FileState;
  /** The beginning of the file. */
  records: string;
  footer: Footer | null;
  /** What the footer says on the number of rows. */
  rowCount: RowCount | null;
  /** Offset of the footer; null: the table goes to the end of the file. */
  end: number | null;
}
