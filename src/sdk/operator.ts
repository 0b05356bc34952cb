/**
 * @module The shape of an operator: a typed recipe that tasks configure.
 *
 * The declaration loads zod only, so that a parse stays light and needs no permission; the work is
 * in a module of its own that is imported when the task runs.
 */
import type { z } from "zod";
import type { PermissionsSpec } from "../model/dag_spec.ts";
import type { Effects } from "../model/outcome.ts";
import { currentDag } from "./builder.ts";
import type { Param, TaskContext } from "./context.ts";
import type { Ask, Defer } from "./outcome.ts";
import { reservedNames, type TaskOptions } from "./options.ts";
import type { InputArg, TaskRef } from "./ref.ts";

/** What an operator returns; a throw is a failure. */
export type TaskOutcome<Output> =
  | { kind: "done"; output: Output; effects?: Effects; chosen?: string[] }
  | { kind: "skip"; reason?: string }
  | { kind: "retryAt"; at: Date; reason: string }
  | ({ kind: "defer" } & Parts<Defer>)
  | ({ kind: "ask" } & Parts<Ask>);

/** What an outcome value says. */
type Parts<Value> = { [Key in keyof Value as Key extends symbol ? never : Key]: Value[Key] };

/** The body of an operator: what its run module exports as `run`. */
export type OperatorRun<Params, Inputs, Output> = (
  call: { params: Params; inputs: Inputs; ctx: TaskContext },
) => Promise<TaskOutcome<Output>>;

/** Inputs of an operator: the shape of each, by name. */
export type InputShapes = Readonly<Record<string, z.ZodType>>;

/** Values of inputs as `run` gets them. */
export type InputsOf<I extends InputShapes> = { [K in keyof I]: z.output<I[K]> };

/** The declaration of an operator. Docs, JSON Schema and validation come out of it. */
export interface Operator<
  P extends z.ZodType = z.ZodType,
  I extends InputShapes = InputShapes,
  O extends z.ZodType = z.ZodType,
> {
  /** `system.verb`, e.g. `collect.http`. */
  name: string;
  summary: string;
  /** Resolved parameters; constants are checked at parse, the rest before the run. */
  params: P;
  /**
   * What it reads from other tasks, by name: `{ from: RawFiles }`, or `{ from: z.array(TableRef) }`
   * for a list, to which a mapped task or an array of tasks can be wired.
   */
  inputs?: I;
  output: O;
  /** What the task's process may do beside its own folder, from the constant parameters. */
  permissions?: (params: Record<string, unknown>) => Partial<PermissionsSpec>;
  /** Connections that the parameters name. `net: ["connection:<id>"]` opens their hosts. */
  connections?: (params: Record<string, unknown>) => string[];
  /** Datasets that it publishes, from the constant parameters. */
  datasets?: (params: Record<string, unknown>) => string[];
  /** The module with the body. */
  load: () => Promise<{ run: OperatorRun<z.output<P>, InputsOf<I>, z.output<O>> }>;
}

/** What a call of an operator takes: the task's options, the inputs and the parameters, flat. */
export type OperatorOptions<P extends z.ZodType, I extends InputShapes> =
  & TaskOptions
  & InputOptions<InputsOf<I>>
  & ParamOptions<z.input<P>>;

/** Inputs as refs; see {@link InputArg}. */
export type InputOptions<Inputs> =
  & {
    [K in keyof Inputs as undefined extends Inputs[K] ? never : K]: InputArg<Inputs[K]>;
  }
  & {
    [K in keyof Inputs as undefined extends Inputs[K] ? K : never]?: InputArg<
      Exclude<Inputs[K], undefined>
    >;
  };

/** Parameters, each a constant, a function of the run's facts or a value of a ref. */
export type ParamOptions<Params> = { [K in keyof Params]: Param<Params[K]> };

/** An operator as authors call it; each call declares one task of the DAG being declared. */
export interface OperatorFactory<
  P extends z.ZodType,
  I extends InputShapes,
  O extends z.ZodType,
> {
  (options: OperatorOptions<P, I>): TaskRef<z.output<O>>;
  readonly operator: Operator<P, I, O>;
  /**
   * The same operator under a narrower signature, for types that zod cannot carry, such as the
   * columns of a table: `.as<<C extends ColumnTypes>(o: MyOptions<C>) => TaskRef<Table<C>>>()`.
   */
  as<Signature>(): Signature & { readonly operator: Operator<P, I, O> };
}

/**
 * Declare an operator. Throws TypeError when a parameter or an input has the name of a task option
 * or of each other.
 *
 * @example
 * ```ts
 * import { operator } from "tidewheel";
 * import { z } from "zod";
 *
 * export const repeat = operator({
 *   name: "text.repeat",
 *   summary: "Repeat a text",
 *   params: z.object({ times: z.int().positive().default(2) }),
 *   inputs: { text: z.string() },
 *   output: z.string(),
 *   load: () => Promise.resolve({
 *     // Of real operators: `load: () => import("./run.ts")`.
 *     run: ({ params, inputs }: { params: { times: number }; inputs: { text: string } }) =>
 *       Promise.resolve({ kind: "done" as const, output: inputs.text.repeat(params.times) }),
 *   }),
 * });
 * ```
 */
export function operator<
  P extends z.ZodType,
  O extends z.ZodType,
  const I extends InputShapes = Record<never, never>,
>(declaration: Operator<P, I, O>): OperatorFactory<P, I, O> {
  checkNames(declaration as Operator);
  const factory = (options: OperatorOptions<P, I>) =>
    currentDag(`a ${declaration.name} task`).addOperator(declaration as Operator, options);
  return Object.assign(factory, { operator: declaration, as: () => factory }) as OperatorFactory<
    P,
    I,
    O
  >;
}

function checkNames({ name, params, inputs = {} }: Operator): void {
  const shape = (params as { shape?: Record<string, unknown> }).shape ?? {};
  for (const key of [...Object.keys(shape), ...Object.keys(inputs)]) {
    if (reservedNames.has(key)) {
      throw new TypeError(
        `Cannot declare operator "${name}": "${key}" is an option that every task has; ` +
          `give the parameter or input another name`,
      );
    }
    if (Object.hasOwn(shape, key) && Object.hasOwn(inputs, key)) {
      throw new TypeError(
        `Cannot declare operator "${name}": "${key}" is both a parameter and an input`,
      );
    }
  }
}

/** Throw this to fail for good: no retry. */
export class FinalError extends Error {
  override readonly name = "FinalError";
  readonly final = true;
}
