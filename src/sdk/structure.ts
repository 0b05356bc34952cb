/** @module Shapes of graphs: groups, maps over lists, chains. */
import { currentDag } from "./builder.ts";
import { expandGroup, expandTask, type LabelOptions } from "./expansion.ts";
import type { Jsonable } from "./json.ts";
import type { TaskDefaults } from "./options.ts";
import type { Ref, TaskRef } from "./ref.ts";

/** The type of {@link group}. */
export interface GroupMaker {
  <T>(
    id: string | { id: string; defaults?: TaskDefaults; over?: undefined },
    declare: () => T,
  ): T;
  <const Item, T>(
    options: {
      id: string;
      defaults?: TaskDefaults;
      over: Listed<Item>;
      label?: (item: NoInfer<Item>) => string;
    },
    declare: (item: Ref<Item>) => T,
  ): Mapped<T>;
  <const Lists extends ListsByName, T>(
    options: {
      id: string;
      defaults?: TaskDefaults;
      over: Lists & NoInfer<JsonLists<Lists>>;
      label?: (items: ItemValues<NoInfer<Lists>>) => string;
    },
    declare: (items: ItemsOf<Lists>) => T,
  ): Mapped<T>;
}

/**
 * Declare tasks under a common name: their ids get `id.` in front and pages show them as one box.
 * Returns what `declare` returns. `defaults` are settings for the tasks inside.
 *
 * With `over` the whole group is mapped: each item of the list has its own instances of all of the
 * tasks inside, which go from one to the next whatever those of other items do. Inside, a task's
 * output is the one of the same item; what is returned has the arrays of all of them.
 *
 * @example
 * ```ts
 * import { dag, group, task } from "tidewheel";
 *
 * export default dag({ id: "pages", schedule: null }, () => {
 *   const sizes = group({ id: "page", over: ["a", "b"] }, (name) => {
 *     const text = task({ id: "get", inputs: { name } }, (_ctx, { name }) => name.repeat(3));
 *     return task({ id: "size", inputs: { text } }, (_ctx, { text }) => text.length);
 *   });
 *   task({ id: "sum", inputs: { sizes } }, (_ctx, { sizes }) => sizes.length);
 * });
 * ```
 */
export const group: GroupMaker = declareGroup;

function declareGroup(
  id: string | { id: string; defaults?: TaskDefaults; over?: unknown } & LabelOptions,
  declare: (items: never) => unknown,
): never {
  const { id: name, defaults = {}, over, label } = typeof id === "string"
    ? { id } as { id: string; defaults?: TaskDefaults; over?: unknown } & LabelOptions
    : id;
  const dag = currentDag(`group "${name}"`);
  const inside = declare as (items?: unknown) => unknown;
  return dag.group(
    name,
    defaults,
    (full) =>
      over === undefined ? inside() : expandGroup(dag, { over, group: full, label }, inside),
  ) as never;
}

/** A list to map over: a literal one, or one that a task puts out when the run is under way. */
export type Listed<Item> = readonly (Item & NoInfer<Jsonable<Item>>)[] | Ref<readonly Item[]>;

/** Lists by name: every combination of their items has an instance; the last one changes fastest. */
export type ListsByName = Readonly<Record<string, readonly unknown[] | Ref<readonly unknown[]>>>;

/** {@link ListsByName} whose literal items survive JSON. */
export type JsonLists<Lists> = {
  [K in keyof Lists]: Lists[K] extends readonly (infer Item)[] ? readonly Jsonable<Item>[]
    : Lists[K];
};

/** An item of each list, by its name. */
export type ItemsOf<Lists> = {
  readonly [K in keyof Lists]: Lists[K] extends readonly (infer Item)[] ? Ref<Item>
    : Lists[K] extends Ref<readonly (infer Item)[]> ? Ref<Item>
    : never;
};

/** The value of an item of each list, by its name: what a label is made of. */
export type ItemValues<Lists> = {
  readonly [K in keyof Lists]: Lists[K] extends readonly (infer Item)[] ? Item
    : Lists[K] extends Ref<readonly (infer Item)[]> ? Item
    : never;
};

/** What a mapped group returns: for each task inside the array of its outputs. */
export type Mapped<T> = T extends TaskRef<infer Each> ? TaskRef<Each[]>
  : T extends readonly unknown[] | Readonly<Record<string, unknown>>
    ? { [K in keyof T]: Mapped<T[K]> }
  : T;

/** The type of {@link expand}. */
export interface ExpandMaker {
  <const Item, Each>(
    over: Listed<Item>,
    body: (item: Ref<Item>) => TaskRef<Each>,
    options?: { label?: (item: NoInfer<Item>) => string },
  ): TaskRef<Each[]>;
  <const Lists extends ListsByName, Each>(
    over: Lists & NoInfer<JsonLists<Lists>>,
    body: (items: ItemsOf<Lists>) => TaskRef<Each>,
    options?: { label?: (items: ItemValues<NoInfer<Lists>>) => string },
  ): TaskRef<Each[]>;
}

/**
 * One instance of a task for each item of a list: of a literal one, or of one that a task puts out
 * when the run is under way; with several lists by name, for each combination of their items. `body`
 * declares that one task from the handle of an item. Its output is the array of the instances'
 * outputs; with an empty list the task is skipped. `label` makes what an instance is shown by.
 *
 * @example
 * ```ts
 * import { dag, expand, task } from "tidewheel";
 *
 * export default dag({ id: "sizes", schedule: null }, () => {
 *   const lengths = expand(["AAPL", "IBM"], (symbol) =>
 *     task({ id: "length", inputs: { symbol } }, (_ctx, { symbol }) => symbol.length));
 *   task({ id: "sum", inputs: { lengths } }, (_ctx, { lengths }) => lengths.length);
 *
 *   expand({ symbol: ["AAPL", "IBM"], year: [2024, 2025] }, ({ symbol, year }) =>
 *     task({ id: "year", inputs: { symbol, year } }, (_ctx, { symbol, year }) => symbol + year));
 * });
 * ```
 */
export const expand: ExpandMaker = declareExpand;

function declareExpand(
  over: unknown,
  body: (items: never) => unknown,
  options: LabelOptions = {},
): TaskRef<never> {
  const dag = currentDag("a mapped task");
  const declare = body as (items: unknown) => unknown;
  return expandTask(dag, { over, what: "expand()", ...options }, declare);
}

/**
 * {@link expand} over a list of objects, whose fields are inputs of their own: one instance for each
 * object, as Airflow's `expand_kwargs`.
 *
 * @example
 * ```ts
 * import { dag, expandKwargs, task } from "tidewheel";
 *
 * export default dag({ id: "files", schedule: null }, () => {
 *   expandKwargs([{ name: "a", size: 1 }, { name: "b", size: 2 }], ({ name, size }) =>
 *     task({ id: "make", inputs: { name, size } }, (_ctx, { name, size }) => name.repeat(size)));
 * });
 * ```
 */
export function expandKwargs<const Item extends object, Each>(
  over: Listed<Item>,
  body: (fields: { readonly [K in keyof Item]-?: Ref<Item[K]> }) => TaskRef<Each>,
  options: { label?: (item: NoInfer<Item>) => string } = {},
): TaskRef<Each[]> {
  const dag = currentDag("a mapped task");
  return expandTask(
    dag,
    { over, hand: "fields", what: "expandKwargs()", ...options },
    body as unknown as (items: unknown) => unknown,
  );
}

/** Order tasks one after the other, with no data between them; an array stands side by side. */
export function chain(...steps: (TaskRef | readonly TaskRef[])[]): void {
  for (let i = 1; i < steps.length; i++) {
    for (const before of [steps[i - 1]].flat()) before.before(...[steps[i]].flat());
  }
}
