/** @module The error of what cannot be declared. */
import { AppError } from "../model/errors.ts";

/** DAG_BROKEN: "Cannot `what`: `problem`". */
export function broken(what: string, problem: string): AppError {
  return new AppError("DAG_BROKEN", `Cannot ${what}: ${problem}`);
}
