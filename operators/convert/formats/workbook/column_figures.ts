/** @module What the values of a sheet's column have been, and the type that holds them all exactly. */
import { type CellKind, cellKind, type CellText } from "./book.ts";

/** Significant digits from which on a number is the noise of a double. */
const NOISE_DIGITS = 16;
const [ZERO, NINE, POINT, MINUS] = new TextEncoder().encode("09.-");
/** Lengths of `2024-01-02`, and of it with the least of times. */
const [DATE_LENGTH, STAMP_LENGTH] = [10, 19];

/** Figures of one column. */
export class ColumnFigures {
  /** Bits of the kinds that were seen. */
  #kinds = 0;
  #whole = 0;
  #fraction = 0;
  #significant = 0;
  /** A number with an exponent, or that is none of the engine's. */
  #isOdd = false;
  #dates = 0;
  #stamps = 0;
  #clocks = 0;
  /** Times that only a text shows: durations, and the 29 February that 1900 had not. */
  #oddTimes = 0;

  /** Has it any value? */
  get isEmpty(): boolean {
    return this.#kinds === 0;
  }

  /** Are all its values texts? */
  get hasOnlyTexts(): boolean {
    return (this.#kinds & ~(1 << cellKind.text)) === 0;
  }

  add(text: CellText, kind: CellKind): void {
    this.#kinds |= 1 << kind;
    if (kind === cellKind.number) this.#addNumber(text);
    else if (kind === cellKind.time) this.#addTime(typeof text === "string" ? text : "");
  }

  /** The SQL type of all values; null where only their texts can tell. */
  type(): string | null {
    if (this.#kinds === 1 << cellKind.boolean) return "BOOLEAN";
    if (this.#kinds === 1 << cellKind.number) return this.#numberType();
    if (this.#kinds === 1 << cellKind.time) return this.#timeType();
    return null;
  }

  #numberType(): string | null {
    const digits = this.#whole + this.#fraction;
    if (this.#isOdd) return this.#fraction === 0 && this.#whole > NOISE_DIGITS ? null : "DOUBLE";
    if (this.#fraction === 0) {
      return this.#whole <= 18 ? "BIGINT" : this.#whole <= 38 ? "DECIMAL(38,0)" : null;
    }
    // Whole numbers of more digits than a double has are no doubles.
    if (this.#whole > NOISE_DIGITS) return null;
    if (this.#significant >= NOISE_DIGITS || digits > 18) return "DOUBLE";
    return `DECIMAL(18,${this.#fraction})`;
  }

  #timeType(): string | null {
    if (this.#oddTimes > 0) return null;
    if (this.#clocks > 0) return this.#dates + this.#stamps === 0 ? "TIME" : null;
    return this.#stamps > 0 ? "TIMESTAMP" : "DATE";
  }

  #addTime(text: string): void {
    if (text.length === DATE_LENGTH && text !== "1900-02-29" && text[4] === "-") this.#dates++;
    else if (text.length >= STAMP_LENGTH && !text.startsWith("1900-02-29")) this.#stamps++;
    else if (/^([01]\d|2[0-3]):\d{2}:\d{2}(\.\d{1,6})?$/.test(text)) this.#clocks++;
    else this.#oddTimes++;
  }

  #addNumber(text: CellText): void {
    const isText = typeof text === "string";
    let whole = 0;
    let fraction = 0;
    let leading = 0;
    let isBehind = false;
    for (let i = 0; i < text.length; i++) {
      const code = isText ? text.charCodeAt(i) : text[i];
      if (code === MINUS && i === 0) continue;
      if (code === POINT && !isBehind) isBehind = true;
      else if (code < ZERO || code > NINE) {
        this.#isOdd = true;
        return;
      } else {
        if (code === ZERO && leading === whole + fraction) leading++;
        if (isBehind) fraction++;
        else whole++;
      }
    }
    if (whole > this.#whole) this.#whole = whole;
    if (fraction > this.#fraction) this.#fraction = fraction;
    const significant = whole + fraction - leading;
    if (significant > this.#significant) this.#significant = significant;
  }
}
