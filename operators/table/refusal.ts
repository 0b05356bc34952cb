/** @module Data that is not as it must be: the same data fails the same way. */
import { AppError } from "../../src/model/errors.ts";

/** An error that no retry mends. */
export function refusal(code: "INVALID" | "CONFLICT" | "CORRUPT", message: string): AppError {
  return Object.assign(new AppError(code, message), { final: true });
}
