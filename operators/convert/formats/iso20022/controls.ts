/** @module Counts and sums that a message declares, held against what it has. */
import { elementsAt, textAt, type XmlElement } from "../xml/elements.ts";

/** Adds decimals exactly. */
export class DecimalSum {
  #units = 0n;
  #scale = 0;
  /** How many were added. */
  count = 0;
  /** One of them was no decimal: there is no sum. */
  isBroken = false;

  add(text: string | null): void {
    this.count++;
    const found = text === null ? null : decimal(text);
    if (found === null) {
      this.isBroken = true;
      return;
    }
    const scale = Math.max(this.#scale, found.scale);
    this.#units = this.#units * 10n ** BigInt(scale - this.#scale) +
      found.units * 10n ** BigInt(scale - found.scale);
    this.#scale = scale;
  }

  /** Is it this number, whatever zeros either ends with? */
  equals(text: string): boolean {
    const found = decimal(text);
    if (found === null) return false;
    const scale = Math.max(this.#scale, found.scale);
    return this.#units * 10n ** BigInt(scale - this.#scale) ===
      found.units * 10n ** BigInt(scale - found.scale);
  }

  toString(): string {
    const sign = this.#units < 0n ? "-" : "";
    const digits = (this.#units < 0n ? -this.#units : this.#units).toString()
      .padStart(this.#scale + 1, "0");
    if (this.#scale === 0) return sign + digits;
    return `${sign}${digits.slice(0, -this.#scale)}.${digits.slice(-this.#scale)}`;
  }
}

function decimal(text: string): { units: bigint; scale: number } | null {
  const match = /^\s*([+-]?)(\d{0,40})(?:\.(\d{0,40}))?\s*$/.exec(text);
  if (match === null || (match[2] === "" && !match[3])) return null;
  const fraction = match[3] ?? "";
  const units = BigInt(match[2] + fraction);
  return { units: match[1] === "-" ? -units : units, scale: fraction.length };
}

/** Is a text an amount? */
export function isDecimal(text: string): boolean {
  return decimal(text) !== null;
}

/** A declaration that is not met. */
export interface Mismatch {
  /** Goes on from "it declares ". */
  what: string;
}

/** Counts and sums of one level: all, credits, debits. */
export class Tally {
  readonly all = new DecimalSum();
  readonly credits = new DecimalSum();
  readonly debits = new DecimalSum();

  add(amount: string | null, side: string | null): void {
    this.all.add(amount);
    if (side === "CRDT") this.credits.add(amount);
    if (side === "DBIT") this.debits.add(amount);
  }
}

/** Hold a declared count against a sum's. */
export function checkCount(
  element: XmlElement,
  path: string,
  found: DecimalSum,
  into: Mismatch[],
): void {
  for (const each of elementsAt(element, path)) {
    if (!new RegExp(`^\\s*0*${found.count}\\s*$`).test(each.text)) {
      into.push({ what: `${path} ${each.text}, and there are ${found.count}` });
    }
  }
}

/** Hold a declared sum against one. */
export function checkSum(
  element: XmlElement,
  path: string,
  found: DecimalSum,
  into: Mismatch[],
): void {
  const declared = textAt(element, path);
  if (declared === null || found.isBroken || found.equals(declared)) return;
  into.push({ what: `${path} ${declared}, and they come to ${found}` });
}
