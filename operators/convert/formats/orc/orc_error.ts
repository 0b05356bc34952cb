/** @module What is wrong with an ORC file, and where. */

/** A file that is damaged, or asks for what cannot be done. */
export class OrcError extends Error {
  /** In bytes from the file's begin. */
  readonly offset: number;

  constructor(offset: number, why: string) {
    super(why);
    this.offset = offset;
  }

  /** What `work` returns; what it throws lies at `offset`, unless it says so itself. */
  static at<T>(offset: number, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof OrcError) throw error;
      throw new OrcError(offset, (error as Error).message);
    }
  }
}
