/** @module The lines of one attempt on their way to the API: numbered, bounded, sent once. */
import { limits } from "../base/limits.ts";
import type { LogLine } from "../contract/execution.ts";

const LINES_PER_CALL = 1_000;
const BYTES_PER_CALL = 512 * 1024;
/** Unsent lines from which on the attempt's output is not read, until the API has caught up. */
const BUFFERED_BYTES_MAX = 4 * 1024 * 1024;

/** See the module. */
export class AttemptLog {
  readonly #now: () => Date;
  readonly #onLine: () => void;
  #lines: LogLine[] = [];
  #sizes: number[] = [];
  #bufferedBytes = 0;
  #totalBytes = 0;
  #firstNumber = 0;
  #dropped = 0;
  #isClosed = false;
  #room: PromiseWithResolvers<void> | null = null;

  /** `onLine` is called for each line that waits to be sent. */
  constructor({ now, onLine }: { now: () => Date; onLine: () => void }) {
    this.#now = now;
    this.#onLine = onLine;
  }

  /** Add a line; a long one is cut, and past the limit of the whole log none is kept. */
  add(line: Omit<LogLine, "at">): void {
    if (this.#isClosed) return;
    const message = cutLine(line.message);
    const bytes = message.length + 80 + (line.fields ? JSON.stringify(line.fields).length : 0);
    if (this.#totalBytes + bytes > limits.logBytes) {
      if (this.#dropped++ === 0) this.#push({ ...line, ...endNote }, 0);
      return;
    }
    this.#push({ ...line, message }, bytes);
  }

  /** Lines that are not sent yet. */
  get lineCount(): number {
    return this.#lines.length;
  }

  /** Null, or what to wait for before more is added. */
  pressure(): Promise<void> | null {
    if (this.#bufferedBytes < BUFFERED_BYTES_MAX || this.#isClosed) return null;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** The next lines to send, with the number of the first; they stay until {@link sent}. */
  peek(): { from: number; lines: LogLine[] } {
    let count = 0;
    for (let bytes = 0; count < Math.min(this.#lines.length, LINES_PER_CALL); count++) {
      bytes += this.#sizes[count];
      if (bytes > BYTES_PER_CALL && count > 0) break;
    }
    return { from: this.#firstNumber, lines: this.#lines.slice(0, count) };
  }

  /** The API has the first `count` lines. */
  sent(count: number): void {
    this.#lines.splice(0, count);
    for (const bytes of this.#sizes.splice(0, count)) this.#bufferedBytes -= bytes;
    this.#firstNumber += count;
    if (this.#bufferedBytes < BUFFERED_BYTES_MAX) {
      this.#room?.resolve();
      this.#room = null;
    }
  }

  /** The API takes no more of this attempt. */
  close(): void {
    this.#isClosed = true;
    this.sent(this.#lines.length);
  }

  #push(line: Omit<LogLine, "at">, bytes: number): void {
    this.#lines.push({ at: this.#now().toISOString(), ...line });
    this.#sizes.push(bytes);
    this.#bufferedBytes += bytes;
    this.#totalBytes += bytes;
    this.#onLine();
  }
}

const endNote = {
  level: "WARN" as const,
  from: "worker" as const,
  message: `The log of this attempt has reached its limit of ${limits.logBytes} bytes: ` +
    `later lines are not kept`,
  fields: undefined,
};

function cutLine(message: string): string {
  if (message.length <= limits.logLineBytes) return message;
  return message.slice(0, limits.logLineBytes) + ` … (${message.length} characters)`;
}
