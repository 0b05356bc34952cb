/** @module Columns of decimals. */
import { IntegerRuns } from "./integer_runs.ts";
import type { OrcStream } from "./stream.ts";
import type { Stripe } from "./stripe.ts";
import type { OrcType } from "./tail.ts";
import { Misfit, stagedTypeOf } from "./types.ts";

const powers = Array.from({ length: 80 }, (_, i) => 10n ** BigInt(i));

/** Reads unscaled values of the column's scale, or texts where it has none. */
export function decimalReader(
  type: OrcType,
  stripe: Stripe,
): (count: number) => BigInt64Array | (bigint | string)[] {
  const { id, precision, scale } = type;
  const staged = stagedTypeOf(type, stripe.wider);
  const target = typeof staged === "object" && "decimal" in staged ? staged.decimal : null;
  const data = stripe.stream(id, "data");
  if (stripe.tail.hasLongDecimals && precision > 0 && precision <= 18) {
    const integers = new IntegerRuns(data, { version: 2, isSigned: true });
    return (count) => {
      const values = integers.takeInt64(count);
      if (target === null) return Array.from(values, (value) => decimalText(value, scale));
      const limit = powers[precision];
      for (const value of values) if (value >= limit || value <= -limit) misfit(id);
      return values;
    };
  }
  const { version } = stripe.encoding(id);
  const scales = new IntegerRuns(stripe.stream(id, "secondary"), { version, isSigned: true });
  return (count) => {
    const own = scales.takeInt32(count);
    const values: (bigint | string)[] = new Array(count);
    for (let i = 0; i < count; i++) {
      const unscaled = readUnscaled(data);
      if (own[i] < -38 || own[i] > 76) data.fail(`a decimal of the scale ${own[i]}`);
      values[i] = target === null
        ? decimalText(unscaled, own[i])
        : rescaled(unscaled, own[i], { id, target });
    }
    stripe.bytesRead += 24 * count;
    return values;
  };
}

function rescaled(
  unscaled: bigint,
  scale: number,
  { id, target: [precision, wanted] }: { id: number; target: readonly [number, number] },
): bigint {
  let value = unscaled;
  if (scale < wanted) value *= powers[wanted - scale];
  else if (scale > wanted) {
    const power = powers[scale - wanted];
    if (value % power !== 0n) misfit(id);
    value /= power;
  }
  const limit = powers[precision];
  if (value >= limit || value <= -limit) misfit(id);
  return value;
}

function misfit(id: number): never {
  throw new Misfit(id, "VARCHAR");
}

/** An integer of any length in sevens of bits; its sign is in the lowest. */
function readUnscaled(stream: OrcStream): bigint {
  let low = 0;
  let scale = 1;
  for (let bytes = 0; bytes < 7; bytes++) {
    const byte = stream.byte();
    low += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 128) return BigInt(low % 2 === 0 ? low / 2 : -(low + 1) / 2);
  }
  let value = BigInt(low);
  for (let shift = 49n; shift < 256n; shift += 7n) {
    const byte = stream.byte();
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 128) return value & 1n ? -((value + 1n) >> 1n) : value >> 1n;
  }
  stream.fail("a decimal has more than 256 bits");
}

function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return `${unscaled * powers[-scale]}`;
  const digits = `${unscaled < 0n ? -unscaled : unscaled}`.padStart(scale + 1, "0");
  const sign = unscaled < 0n ? "-" : "";
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
