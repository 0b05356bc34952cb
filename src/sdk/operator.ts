/**
 * @module The shape of an operator: a typed recipe that tasks configure.
 *
 * The declaration loads zod only, so that a parse stays light and needs no permission; the work is
 * in a module of its own that is imported when the task runs.
 */
import type { z } from "zod";
import type { PermissionsSpec } from "../model/dag_spec.ts";
import type { Effects } from "../model/outcome.ts";
import type { TaskContext } from "./context.ts";

/** What a task returns; a throw is a failure. */
export type TaskOutcome<Output> =
  | { kind: "done"; output: Output; effects?: Effects; chosen?: string[] }
  | { kind: "skip"; reason?: string }
  | { kind: "retryAt"; at: Date; reason: string };

/** The body of an operator: what its run module exports as `run`. */
export type OperatorRun<Params, Inputs, Output> = (
  call: { params: Params; inputs: Inputs; ctx: TaskContext },
) => Promise<TaskOutcome<Output>>;

/** The declaration of an operator. Docs, JSON Schema and validation come out of it. */
export interface Operator<
  P extends z.ZodType = z.ZodType,
  I = Record<string, never>,
  O extends z.ZodType = z.ZodType,
> {
  /** `system.verb`, e.g. `collect.http`. */
  name: string;
  summary: string;
  /** Resolved parameters; constants are checked at parse, the rest before the run. */
  params: P;
  output: O;
  /** What the task's process may do beside its own folder, from the constant parameters. */
  permissions?: (params: Record<string, unknown>) => Partial<PermissionsSpec>;
  /** Connections that the parameters name. `net: ["connection:<id>"]` opens their hosts. */
  connections?: (params: Record<string, unknown>) => string[];
  /** The module with the body. */
  load: () => Promise<{ run: OperatorRun<z.output<P>, I, z.output<O>> }>;
}

/** Throw this to fail for good: no retry. */
export class FinalError extends Error {
  override readonly name = "FinalError";
  readonly final = true;
}
