/** @module A task that lets what comes after it go on, or not. */
import type { TriggerRule } from "../model/dag_spec.ts";
import { currentDag } from "./builder.ts";
import type { TaskContext } from "./context.ts";
import type { RetryAt, Skip } from "./outcome.ts";
import type { InputArgs, InputValues, TaskRef } from "./ref.ts";
import type { Awaitable, FunctionTaskOptions } from "./task.ts";

/** Options of {@link shortCircuit}. */
export interface ShortCircuitOptions<Args, Rule extends TriggerRule>
  extends FunctionTaskOptions<Args, Rule> {
  /**
   * On `false`, skip all tasks after it (the default); false: only those right after it, and those
   * behind them go by their trigger rules.
   */
  ignoreDownstreamTriggerRules?: boolean;
}

/**
 * Declare a task that answers whether what comes after it goes on. On `false` it succeeds all the
 * same, and the tasks after it are skipped, whatever their trigger rules.
 *
 * @example
 * ```ts
 * import { dag, shortCircuit, task } from "tidewheel";
 *
 * export default dag({ id: "gate", schedule: "@daily", start: "2026-01-01" }, () => {
 *   const open = shortCircuit({ id: "open" }, (ctx) => !ctx.interval.date.endsWith("-01"));
 *   task({ id: "load", after: open }, () => 1);
 * });
 * ```
 */
export function shortCircuit<
  const Args extends InputArgs = Record<never, never>,
  const Rule extends TriggerRule = "all_success",
>(
  options: ShortCircuitOptions<Args, Rule>,
  decide: (
    ctx: TaskContext,
    inputs: InputValues<Args, Rule>,
  ) => Awaitable<boolean | Skip | RetryAt>,
): TaskRef<boolean> {
  const dag = currentDag(`short circuit "${options?.id}"`);
  const { inputs = {}, ignoreDownstreamTriggerRules = true, ...rest } = options;
  dag.checkOptions(rest);
  if (typeof decide !== "function") {
    throw dag.broken(`short circuit "${options.id}" has no function; give one after its options`);
  }
  return dag.add({
    operator: "short_circuit",
    options: rest,
    inputs: inputs as Record<string, unknown>,
    params: {},
    body: { kind: "gate", decide: decide as () => unknown, ignoreDownstreamTriggerRules },
  });
}
