/** @module The shape of a verb of the command line. */
import type { RestClient } from "./client.ts";
import type { Output } from "./print.ts";

/** What a verb gets to work with. */
export interface VerbContext {
  api: RestClient;
  output: Output;
  /** Resolves after `ms`. */
  sleep(ms: number): Promise<void>;
  /** Standard input, for verbs that read it. */
  readStdin(): Promise<string>;
}

/** One option, in commander's notation. */
export interface VerbOption {
  flags: string;
  doc: string;
  default?: string | boolean;
  /** May be given several times. */
  many?: boolean;
}

/** One verb. `run` returns the exit code; a throw is code 1 with its message. */
export interface Verb {
  name: string;
  summary: string;
  /** In commander's notation: `<dag>`, `[files...]`. */
  arguments?: readonly { name: string; doc: string }[];
  options?: readonly VerbOption[];
  run(context: VerbContext, args: string[], options: VerbOptions): Promise<number>;
}

/** Options as given: camelCase names. */
export type VerbOptions = Readonly<Record<string, string | boolean | string[] | undefined>>;

/** A text option, or undefined. */
export function text(options: VerbOptions, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}
