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

/** The format of a text by its beginning as UTF-8. Throws INVALID when none is likely. */
export function recogniseText(head: Uint8Array, name: string): Recognition {
  const found = best(formats.filter(({ content }) => content === "text"), head, name);
  if (found) return found;
  throw new AppError(
    "INVALID",
    `Cannot tell the format of ${name}: its first bytes are those of none of ` +
      `${formatNames.join(", ")}; name it with "format" if it is one of them`,
  );
}

function best(among: readonly Format[], head: Uint8Array, name: string): Recognition | null {
  const sure = among.map((format) => ({
    format: format.name as FormatName,
    confidence: format.recognise(head, name),
  })).filter(({ confidence }) => confidence > 0).toSorted((a, b) => b.confidence - a.confidence);
  return sure.length === 0 ? null : { ...sure[0], runnerUp: sure[1] ?? null };
}
