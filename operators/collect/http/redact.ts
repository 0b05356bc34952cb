/** @module Secrets kept out of logs, errors, names and metrics. */
import { FinalError } from "../../../src/sdk/operator.ts";

/** Takes secrets out of a text. */
export type Redact = (text: string) => string;

/** A redactor of every form that these secrets take in URLs, JSON and headers. */
export function createRedactor(secrets: readonly string[]): Redact {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret === "") continue;
    forms.add(secret);
    forms.add(encodeURIComponent(secret));
    forms.add(new URLSearchParams([["", secret]]).toString().slice(1));
    forms.add(JSON.stringify(secret).slice(1, -1));
  }
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((out, form) => out.replaceAll(form, "***"), text);
}

/** The same failure with its secrets taken out of message and stack; its cause is left behind. */
export function redactError(error: unknown, redact: Redact): Error {
  if (!(error instanceof Error)) return new Error(redact(String(error)));
  const message = redact(error.message);
  const safe = (error as { final?: boolean }).final ? new FinalError(message) : new Error(message);
  if (error.stack) safe.stack = redact(error.stack);
  const code = (error as { code?: unknown }).code;
  if (!(safe instanceof FinalError)) safe.name = error.name;
  return code === undefined ? safe : Object.assign(safe, { code });
}
