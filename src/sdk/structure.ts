/** @module Shapes of graphs: groups, maps over lists, chains. */
import { currentDag, literalItems } from "./builder.ts";
import type { Jsonable } from "./json.ts";
import type { TaskDefaults } from "./options.ts";
import type { Ref, TaskRef } from "./ref.ts";
import { TaskHandle } from "./ref_handle.ts";

/**
 * Declare tasks under a common name: their ids get `id.` in front and pages show them as one box.
 * Returns what `declare` returns. `defaults` are settings for the tasks inside.
 */
export function group<T>(
  id: string | { id: string; defaults?: TaskDefaults },
  declare: () => T,
): T {
  const { id: name, defaults = {} } = typeof id === "string" ? { id } : id;
  return currentDag(`group "${name}"`).group(name, defaults, declare);
}

/**
 * One instance of a task for each item of a list: of a literal one, or of one that a task puts out
 * when the run is under way. `body` declares that one task from the handle of an item. Its output is
 * the array of the instances' outputs; with an empty list the task is skipped.
 *
 * @example
 * ```ts
 * import { dag, expand, task } from "tidewheel";
 *
 * export default dag({ id: "sizes", schedule: null }, () => {
 *   const lengths = expand(["AAPL", "IBM"], (symbol) =>
 *     task({ id: "length", inputs: { symbol } }, (_ctx, { symbol }) => symbol.length));
 *   task({ id: "sum", inputs: { lengths } }, (_ctx, { lengths }) => lengths.length);
 * });
 * ```
 */
export function expand<const Item, Each>(
  over: readonly (Item & NoInfer<Jsonable<Item>>)[] | Ref<readonly Item[]>,
  body: (item: Ref<Item>) => TaskRef<Each>,
): TaskRef<Each[]> {
  const dag = currentDag("a mapped task");
  const make = body as unknown as (item: unknown) => unknown;
  if (Array.isArray(over)) {
    return dag.expand({ kind: "itemOf", items: literalItems(over, dag) }, make);
  }
  if (over instanceof TaskHandle && over.builder === dag) return over.expand(make);
  throw dag.broken("expand() maps over neither an array nor a task of this DAG; give one of these");
}

/** Order tasks one after the other, with no data between them; an array stands side by side. */
export function chain(...steps: (TaskRef | readonly TaskRef[])[]): void {
  for (let i = 1; i < steps.length; i++) {
    for (const before of [steps[i - 1]].flat()) before.before(...[steps[i]].flat());
  }
}
