/** @module `retry.*`: what failed upstream, once more. */
import { retryParts } from "./parts.ts";

/** Operators that try again. */
export const retry = { parts: retryParts };
