/** @module An ORC file as batches of columns, stripe by stripe. */
import type { StagedColumn, StagedValues } from "../staging.ts";
import { columnReader, presence, topReader, withNulls } from "./columns.ts";
import { FileBytes } from "./file_bytes.ts";
import { OrcError } from "./orc_error.ts";
import { Stripe } from "./stripe.ts";
import { type OrcTail, type OrcType, readTail } from "./tail.ts";
import { Misfit, stagedTypeOf, type WiderTypes } from "./types.ts";

/** Some rows, by column. */
export interface OrcBatch {
  columns: StagedValues[];
  rows: number;
}

const ROWS_FIRST = 64;
const ROWS_MAX = 65_536;
/** Of values as they are estimated: what a batch aims at. */
const BATCH_BYTES = 16 * 1024 * 1024;

/** A file of ORC. */
export class OrcFile {
  readonly #file: FileBytes;
  readonly #tail: OrcTail;

  /** Throws OrcError where the file's end is none of ORC's. */
  constructor(file: Deno.FsFile) {
    this.#file = new FileBytes(file);
    this.#tail = readTail(this.#file);
  }

  get rows(): number {
    return this.#tail.rows;
  }

  /** Columns of the rows; a file of other things than structs has one, `value`. */
  columns(wider: WiderTypes): StagedColumn[] {
    const { root } = this.#tail;
    if (!hasFields(root)) return [{ name: "value", type: stagedTypeOf(root, wider) }];
    return root.children.map((child, i) => ({
      name: root.fieldNames[i],
      type: stagedTypeOf(child, wider),
    }));
  }

  /** All rows. Throws OrcError, and Misfit for a value that a column's type cannot hold. */
  *batches(wider: WiderTypes): Generator<OrcBatch> {
    let rows = ROWS_FIRST;
    for (const information of this.#tail.stripes) {
      const { offset } = information;
      const stripe = OrcError.at(
        offset,
        () => new Stripe(this.#file, this.#tail, information, wider),
      );
      const read = rowReader(this.#tail.root, stripe);
      for (let left = information.rows; left > 0;) {
        const count = Math.min(rows, left);
        stripe.bytesRead = 0;
        yield { columns: this.#read(read, count, offset), rows: count };
        left -= count;
        rows = nextRows(count, stripe.bytesRead);
      }
    }
  }

  #read(read: (count: number) => StagedValues[], count: number, offset: number): StagedValues[] {
    try {
      return read(count);
    } catch (error) {
      if (error instanceof Misfit || error instanceof OrcError) throw error;
      // What a decoder runs into on damaged bytes, as an array of no possible length.
      throw new OrcError(offset, `its stripe is damaged: ${(error as Error).message}`);
    }
  }
}

function hasFields({ kind, children }: OrcType): boolean {
  return kind === "struct" && children.length > 0;
}

/** Rows of the next batch, by what the last one took. */
function nextRows(rows: number, bytes: number): number {
  const fitting = bytes === 0 ? ROWS_MAX : Math.floor((rows * BATCH_BYTES) / bytes);
  return Math.max(1, Math.min(ROWS_MAX, 4 * rows, fitting));
}

function rowReader(root: OrcType, stripe: Stripe): (count: number) => StagedValues[] {
  if (!hasFields(root)) {
    const read = columnReader(root, stripe);
    return (count) => [read(count)];
  }
  const present = presence(root, stripe);
  if (!stripe.has(root.id, "present")) {
    const readers = root.children.map((child) => topReader(child, stripe));
    return (count) => readers.map((read) => read(count));
  }
  // Rows may be null as a whole, which no table has: their values are.
  const readers = root.children.map((child) => columnReader(child, stripe));
  return (count) => {
    const bits = present(count);
    return readers.map((read) => bits === null ? read(count) : withNulls(bits, read));
  };
}
