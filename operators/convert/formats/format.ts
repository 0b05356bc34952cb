/** @module What a format is: how to recognise it, read it as rows, and write rows in it. */
import type { EngineTarget } from "../../../src/contract/child.ts";
import type { TaskContext } from "../../../src/sdk/context.ts";
import type { CsvParams } from "./csv/params.ts";
import type { RefusedRow } from "../../table/quarantine.ts";
import type { FormatOptions } from "./options.ts";
import type { EncodingFinding } from "../prepare/detect.ts";

/** A file to be read. */
export interface SourceFile {
  /** Where it lies, as plain bytes: not compressed, text as UTF-8. */
  path: string;
  /** Name for people. */
  name: string;
  bytes: number;
  /** Are offsets in it those of the raw file? Not when that was compressed or in other encoding. */
  isAsCollected: boolean;
  /** What the raw file was packed in, as `gzip`. */
  compression?: string | null;
  /**
   * Encoding of the raw text, null when it is binary. What `path` has is UTF-8, whatever the text
   * says of itself; a UTF-8 file may begin with a mark.
   */
  encoding?: EncodingFinding | null;
}

/** How a file is to be read; every format takes what concerns it. */
export interface ReadOptions extends FormatOptions {
  delimiter?: string;
  quote?: string;
  header?: boolean;
  skipLines?: number;
  csv?: CsvParams;
  /** Texts that mean null; in CSV only without quotes. */
  nullTokens: string[];
  /** JSON pointer to the records. */
  records?: string;
  /** Name of the column for the keys of a map of records. */
  recordKey?: string;
  /** Fields inside of records, as JSON pointers, that are wanted as columns of that name. */
  pointers: string[];
  /** Fields that are wanted as the JSON that they are, texts in their quotes. */
  jsonFields?: string[];
  /** Fields that are wanted as doubles. */
  floatFields?: string[];
  /** Column names that a header may have. */
  knownColumns: string[];
  /** By column of the file: what its texts look like, null for those that may be anything. */
  plausible?: (RegExp | null)[];
}

/** What a reader gets. */
export interface ReadCall {
  file: SourceFile;
  options: ReadOptions;
  engine: TaskContext["engine"];
  signal: AbortSignal;
  /** A path in the work folder at which nothing is yet. */
  tempPath(extension: string): string;
  /** Takes a record that is none. */
  refuse(row: RefusedRow): Promise<void>;
  /**
   * False: as fast as can be, and it may fail or leave records out when it says so. True: every
   * record is either in the rows or refused, and rows carry their position.
   */
  isCareful: boolean;
}

/** A column of a {@link RowSource}. */
export interface SourceColumn {
  name: string;
  type: string;
  /** Texts of a typed source whose type is found out, as amounts with as many digits as they have. */
  isLoose?: boolean;
}

/** How a delimited text is written. */
export interface SourceDialect {
  delimiter: string;
  quote: string;
  escape: NonNullable<CsvParams["escape"]>;
  header: boolean;
  newLine: string;
  /** Lines above the table. */
  skipLines: number;
  comment: string;
  /** What is below the table, cut off after a while. */
  footer: string;
}

/** Rows that SQL can read. */
export interface RowSource {
  /** Names as in the file; in SQL they are `c0`, `c1`, … Types: VARCHAR for texts. */
  columns: SourceColumn[];
  /**
   * A SELECT of c0, c1, … and, when carried, of `_tw_row`, `_tw_offset` (in the raw file),
   * `_tw_at` (in the file that was read) and `_tw_bytes`.
   */
  relation: string;
  /** `implied`: the n-th row is the n-th record. */
  position: "implied" | "carried";
  /** Records that the relation left out: known once it was read. */
  leftOut(): Promise<number>;
  /**
   * May texts stand in the columns beside their own? It can only be so where a column that is not
   * the last one holds nulls.
   */
  isShifted?(): Promise<boolean>;
  /** Texts of the header: a row with them is no row. */
  headerTexts?: readonly string[];
  /** Throws CORRUPT when the file says that it has another number of records than this. */
  checkRows?(rows: number): void;
  /** Records of the file, where the file says it. */
  declaredRows?: number;
  /** Columns have types of their own; texts in them are meant as texts. */
  isTyped: boolean;
  /** How bytes are written in its texts, where it is not as the engine does. */
  blobs?: "base64";
  /** Null tokens have become nulls already. */
  hasNulls: boolean;
  /** Of an implied source: the same rows with their position carried; slower to read. */
  numbered?: RowSource;
  /** Where these records lie in the file, for those whose row does not say it. */
  locate?(rows: readonly number[]): Promise<Map<number, { offset: number; bytes: number }>>;
  /** Quoted texts may have line ends in them, so a quote that is never closed can swallow rows. */
  isQuoted?: boolean;
  /**
   * Its DOUBLEs stand for decimal texts of at most 15 digits, which a double tells apart, and its
   * BIGINTs and BOOLEANs for the texts that they are shown as; only `check` says whether this is so.
   */
  hasShortNumbers?: boolean;
  /** Its columns are those of the first records: another reading may find more. */
  isGuess?: boolean;
  /** A relation of the same columns, of the first rows or of all (null), as the file's own texts. */
  sample?(rowsMax: number | null): Promise<string>;
  /**
   * Look at the whole file while the relation is read: how many records there are; null when one is
   * not as the relation has it.
   */
  check?(signal: AbortSignal): Promise<number | null>;
  /** For people. */
  dialect?: SourceDialect;
  /** For people: what was chosen, or taken for nothing, where another reading could be meant. */
  notes?: readonly string[];
}

/** Rows written in a format: the SELECT that makes them, and the file. */
export interface WriteStatement {
  sql: string;
  to: Omit<EngineTarget, "path">;
  /** Makes the file at `path` of what the engine wrote to `from`, where that is not yet it. */
  encode?(from: string, path: string, signal: AbortSignal): Promise<void>;
}

/** A column to be written. */
export interface WriteColumn {
  name: string;
  type: string;
}

/** A format. */
export interface Format {
  readonly name: string;
  /** Ends of names, the usual one first. */
  readonly extensions: readonly string[];
  readonly mediaType: string;
  /** Text is read as UTF-8, in whatever encoding the raw file was; binary as it is. */
  readonly content: "text" | "binary";
  /**
   * Its reader refuses records with bytes that are no UTF-8, one by one. Left out, a text with such
   * bytes is refused whole.
   */
  readonly keepsBadBytes?: boolean;
  /** How sure the first bytes make it, 0 to 1; `name` may add to it. */
  recognise(head: Uint8Array, name: string): number;
  /** Throws CORRUPT when the file is not of this format. */
  read(call: ReadCall): Promise<RowSource>;
  /** Rows of `relation`, which has these columns; absent from formats that are only read. */
  write?(relation: string, columns: readonly WriteColumn[]): WriteStatement;
}

/** A format that is written, too. */
export type WritableFormat = Format & Required<Pick<Format, "write">>;

/** What the first bytes of a text look like to a reader that must refuse markup. */
export function isMarkup(head: Uint8Array): boolean {
  const start = new TextDecoder().decode(head.subarray(0, 512)).trimStart().toLowerCase();
  return /^<(\?xml|!doctype|!--|[a-z][\w:-]*[\s>/])/.test(start);
}
