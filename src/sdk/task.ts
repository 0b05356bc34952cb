/** @module Tasks of the author's own: typed functions, and branches. */
import type { z } from "zod";
import { currentDag } from "./builder.ts";
import { command, type CommandMaker } from "./command.ts";
import type { TaskContext } from "./context.ts";
import type { TriggerRule } from "../model/dag_spec.ts";
import type { Jsonable } from "./json.ts";
import type { TaskOptions } from "./options.ts";
import type { Done, OutputOf, RetryAt, Skip } from "./outcome.ts";
import type { InputArgs, InputValues, TaskRef } from "./ref.ts";
import type { TeardownOptions } from "./setup_teardown.ts";
import { TaskHandle } from "./ref_handle.ts";

/** Now or later. */
export type Awaitable<T> = T | Promise<T>;

/** What a function returns whose output must fit a schema. */
export type Returned<Output> = Output | Done<Output> | Skip | RetryAt;

/** Options of {@link task}. */
export interface FunctionTaskOptions<Args, Rule extends TriggerRule> extends TaskOptions {
  /** Outputs that the function reads, by name; each is an edge. */
  inputs?: Args;
  triggerRule?: Rule;
}

/** The function of a task: with a schema it returns what fits it, without one what JSON holds. */
export type TaskFunction<Params, Inputs, Output, Result> = Output extends z.ZodType
  ? (ctx: TaskContext<Params>, inputs: Inputs) => Awaitable<Returned<z.input<Output>>>
  : (
    ctx: TaskContext<Params>,
    inputs: Inputs,
  ) => Result & NoInfer<Awaitable<Jsonable<Awaited<Result>>>>;

/** A teardown's inputs can be missing: it also runs when what came before it failed. */
type RuleOf<Rule, Teardown> = Teardown extends TeardownOptions ? "all_done_setup_success" : Rule;

/** The type of {@link task}, for a DAG with these params. */
export interface TaskMaker<Params> {
  <
    Result,
    const Args extends InputArgs = Record<never, never>,
    Output extends z.ZodType | undefined = undefined,
    const Rule extends TriggerRule = "all_success",
    Teardown extends TeardownOptions | undefined = undefined,
  >(
    options: FunctionTaskOptions<Args, Rule> & {
      /** Checks what the function returns, and gives the output its type. */
      output?: Output;
      teardown?: Teardown;
    },
    run: TaskFunction<Params, InputValues<Args, RuleOf<Rule, Teardown>>, Output, Result>,
  ): TaskRef<Output extends z.ZodType ? z.output<Output> : OutputOf<Awaited<Result>>>;
  /** A task that runs a program: shell, Python or any other. */
  command: CommandMaker;
}

/**
 * Declare a task that runs the author's own function. Its output is what the function returns: JSON,
 * of the function's own return type or checked by `output`. It may also return `skip()`,
 * `retryAt()` or `done(output, effects)`; a throw is a failure. The process may do only what
 * `permissions` and `connections` say.
 *
 * @example
 * ```ts
 * import { dag, task } from "tidewheel";
 *
 * export default dag({ id: "sum", schedule: null }, () => {
 *   const prices = task({ id: "prices" }, () => [1.5, 2]);
 *   task({ id: "count", inputs: { prices } }, (_ctx, { prices }) => prices.length);
 * });
 * ```
 */
export const task: TaskMaker<Record<string, unknown>> = Object.assign(declareTask, { command });

function declareTask(
  options: FunctionTaskOptions<unknown, TriggerRule> & { output?: z.ZodType },
  run: (ctx: never, inputs: never) => unknown,
): TaskRef<never> {
  const dag = currentDag(`task "${options?.id}"`);
  const { inputs = {}, output, ...rest } = options;
  dag.checkOptions(rest);
  if (typeof run !== "function") {
    throw dag.broken(`task "${options.id}" has no function; give one after its options`);
  }
  return dag.add({
    operator: "task",
    options: rest,
    inputs: inputs as Record<string, unknown>,
    params: {},
    body: { kind: "function", run: run as () => unknown, output: output ?? null },
  });
}

/** Options of {@link branch}. */
export interface BranchOptions<To, Args, Rule extends TriggerRule>
  extends FunctionTaskOptions<Args, Rule> {
  /** What can be chosen: a task, or several that go together. They come to wait for the branch. */
  to: To;
}

/** Choices of a branch. */
export type BranchTargets = Readonly<Record<string, TaskRef | readonly TaskRef[]>>;

/** The type of {@link branch}, for a DAG with these params. */
export interface BranchMaker<Params> {
  <
    const To extends BranchTargets,
    const Args extends InputArgs = Record<never, never>,
    const Rule extends TriggerRule = "all_success",
  >(
    options: BranchOptions<To, Args, Rule>,
    choose: (
      ctx: TaskContext<Params>,
      inputs: InputValues<Args, Rule>,
    ) => Awaitable<keyof To | readonly (keyof To)[] | null | Skip | RetryAt>,
  ): TaskRef<Extract<keyof To, string>[]>;
}

/**
 * Declare a task that chooses which of its direct downstream tasks go on; the others are skipped.
 * `choose` returns the name of a choice, several names, or null for none.
 */
export const branch: BranchMaker<Record<string, unknown>> = declareBranch;

function declareBranch(
  options: BranchOptions<BranchTargets, unknown, TriggerRule>,
  choose: (ctx: never, inputs: never) => unknown,
): TaskRef<never> {
  const dag = currentDag(`branch "${options?.id}"`);
  const { inputs = {}, to, ...rest } = options;
  dag.checkOptions(rest);
  const choices: Record<string, string[]> = {};
  for (const [name, target] of Object.entries(to ?? {})) {
    const tasks = [target].flat();
    if (tasks.length === 0 || !tasks.every((ref) => ref instanceof TaskHandle)) {
      throw dag.broken(
        `choice "${name}" of branch "${options.id}" is not a task; give what a task returned`,
      );
    }
    choices[name] = tasks.map((ref) => ref.id);
  }
  if (Object.keys(choices).length === 0 || typeof choose !== "function") {
    throw dag.broken(
      `branch "${options.id}" needs "to: { name: task, … }" with at least one choice, ` +
        `and a function that returns one of the names`,
    );
  }
  const ref = dag.add({
    operator: "branch",
    options: rest,
    inputs: inputs as Record<string, unknown>,
    params: { to: choices },
    body: { kind: "branch", choose: choose as () => unknown, to: choices },
  });
  for (const target of Object.values(to)) ref.before(...[target].flat());
  return ref;
}
