/** @module What a file is by its content; its name is a hint only, and unknown is an answer. */
import { AppError } from "../../../src/model/errors.ts";
import type { Format } from "./format.ts";
import { formats } from "./mod.ts";
import { type FormatName, formatNames } from "./names.ts";

/** A format and how sure it is, 0 to 1. */
export interface FormatGuess {
  format: FormatName;
  confidence: number;
}

/** What a file is. */
export interface Recognition extends FormatGuess {
  /** The next likely. */
  runnerUp: FormatGuess | null;
}

/** The binary format that the first bytes speak for, or null. */
export function recogniseBinary(head: Uint8Array, name: string): Recognition | null {
  return best(formats.filter(({ content }) => content === "binary"), head, name);
}

/** The format of a text by its beginning, `raw` and as UTF-8; null: unknown. */
export function recogniseText(
  { raw, head }: { raw: Uint8Array; head: Uint8Array },
  name: string,
): Recognition | null {
  if (!isText(raw, head)) return null;
  const found = best(formats.filter(({ content }) => content === "text"), head, name);
  return found && found.confidence >= sureEnough ? found : null;
}

/** Says that nothing speaks for a format. */
export function unknownFormat(name: string): AppError {
  return new AppError(
    "INVALID",
    `Cannot tell the format of ${name}: its first bytes are those of none of ` +
      `${formatNames.join(", ")}; name it with "format" if it is one of them`,
  );
}

/** Below it, a text could be anything. */
const sureEnough = 0.3;

function best(among: readonly Format[], head: Uint8Array, name: string): Recognition | null {
  const sure = among.map((format) => ({
    format: format.name as FormatName,
    confidence: format.recognise(head, name),
  })).filter(({ confidence }) => confidence > 0).toSorted((a, b) => b.confidence - a.confidence);
  return sure.length === 0 ? null : { ...sure[0], runnerUp: sure[1] ?? null };
}

/**
 * Could the bytes, decoded as `head`, be a text at all? Control characters and bytes that are no
 * character are rare in one; separators that data use (SOH, FS to US) are none of them, and a few
 * NULs are damage.
 */
function isText(raw: Uint8Array, head: Uint8Array): boolean {
  const text = new TextDecoder().decode(head);
  // deno-lint-ignore no-control-regex
  const strange = text.match(/[\x00\x02-\x08\x0e-\x1a\x80-\x84\x86-\x9f\ufffd]/g)?.length ?? 0;
  if (strange > text.length / 20) return false;
  const isWide = raw.includes(0) && !head.includes(0);
  return isWide || controls(raw) <= raw.length / 25;
}

/** Bytes of control characters, as they stand: a double-byte encoding can swallow them. */
function controls(raw: Uint8Array): number {
  let count = 0;
  for (const byte of raw) {
    if (byte < 0x1b && byte !== 1 && (byte < 9 || byte > 13)) count++;
  }
  return count;
}
