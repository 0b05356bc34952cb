/** @module From lists to the handles of their items: one task, or a group, for each. */
import { limits } from "../base/limits.ts";
import { productLength } from "../model/mapping.ts";
import type { DagBuilder } from "./builder.ts";
import { canonical, type Json } from "./json.ts";
import type { TaskRef } from "./ref.ts";
import { type Expansion, ItemHandle, type Source, TaskHandle } from "./ref_handle.ts";

/** An option of all that maps: what an instance is shown by, made of its item. */
export interface LabelOptions {
  label?: (items: never) => unknown;
}

/** What is handed to the function that declares what is mapped. */
type Hand = (expansion: Expansion) => unknown;

/** Map the one task that `body` makes. `what` names the call in messages, as `expand()`. */
export function expandTask(
  dag: DagBuilder,
  { over, hand, what, label }: { over: unknown; hand?: "fields"; what: string } & LabelOptions,
  body: (items: unknown) => unknown,
): TaskRef<never> {
  const { handles, ...lists } = read(dag, over, { hand, what, label });
  const expansion: Expansion = { ...lists, group: null, made: [] };
  const made = dag.map(expansion, () => body(handles(expansion)));
  const [taskId] = expansion.made;
  if (expansion.made.length !== 1 || !(made instanceof TaskHandle) || made.id !== taskId) {
    throw dag.broken(
      `${what} maps exactly one task, but its function declared ` +
        `${expansion.made.length} (${expansion.made.join(", ") || "none"}) ` +
        `and returned ${made instanceof TaskHandle ? `"${made.id}"` : "no task"}; ` +
        `declare and return one, and map the next task over its output, or map a group`,
    );
  }
  return made as unknown as TaskRef<never>;
}

/** Map all tasks that `declare` makes; what it returns comes back with arrays in place of outputs. */
export function expandGroup(
  dag: DagBuilder,
  { over, group, label }: { over: unknown; group: string } & LabelOptions,
  declare: (items: unknown) => unknown,
): unknown {
  const { handles, ...lists } = read(dag, over, { what: `group "${group}"`, label });
  const expansion: Expansion = { ...lists, group, made: [] };
  const made = dag.map(expansion, () => declare(handles(expansion)));
  if (expansion.made.length === 0) {
    throw dag.broken(`the mapped group "${group}" has no tasks; declare at least one inside it`);
  }
  return wholeOf(made, expansion, 0);
}

interface Lists extends Pick<Expansion, "sources" | "label"> {
  handles: Hand;
}

function read(
  dag: DagBuilder,
  over: unknown,
  { hand, what, label }: { hand?: "fields"; what: string } & LabelOptions,
): Lists {
  if (label !== undefined && typeof label !== "function") {
    throw dag.broken(`${what} has a label that is no function; give (item) => text`);
  }
  const labelBy = (names: string[] | null) =>
    label ? { make: label as (items: unknown) => unknown, names } : null;
  if (Array.isArray(over) || over instanceof TaskHandle) {
    const sources = [sourceOf(dag, over, what)];
    const handles: Hand = hand === "fields"
      ? (expansion) => fieldsOf(dag, expansion)
      : (expansion) => new ItemHandle(dag, expansion, 0);
    return { sources, handles, label: labelBy(null) };
  }
  const isProduct = typeof over === "object" && over !== null && hand === undefined;
  const lists = isProduct ? Object.entries(over) : [];
  if (lists.length === 0) {
    throw dag.broken(
      `${what} maps over neither an array nor a task of this DAG; give one of these`,
    );
  }
  const sources = lists.map(([name, list]) => sourceOf(dag, list, `"${name}" of ${what}`));
  const known = sources.map((source) => source.kind === "itemOf" ? source.items.length : 1);
  if (productLength(known) > limits.mapLength) {
    throw dag.broken(
      `${what} maps over ${productLength(known)} combinations; ` +
        `at most ${limits.mapLength} are allowed`,
    );
  }
  return {
    sources,
    label: labelBy(lists.map(([name]) => name)),
    handles: (expansion) =>
      Object.fromEntries(lists.map(([name], i) => [name, new ItemHandle(dag, expansion, i)])),
  };
}

function sourceOf(dag: DagBuilder, over: unknown, what: string): Source {
  if (Array.isArray(over)) return { kind: "itemOf", items: literalItems(over, dag, what) };
  if (!(over instanceof TaskHandle) || over.builder !== dag) {
    throw dag.broken(
      `${what} maps over neither an array nor a task of this DAG; give one of these`,
    );
  }
  if (over.within) throw dag.broken(`${what} maps over ${escaped(over)}`);
  return { kind: "item", taskId: over.id };
}

/** How messages name a task that is used outside of its mapped group. */
export function escaped({ id, within }: TaskHandle): string {
  return `task "${id}" of the mapped group "${
    within!.group
  }", which has one output for each index ` +
    `inside the group; outside of it use what group() returns`;
}

/** A handle for each field that the author's function takes out of it. */
function fieldsOf(dag: DagBuilder, expansion: Expansion): unknown {
  const known = new Map<string, ItemHandle>();
  return new Proxy({}, {
    get(_target, name) {
      if (typeof name !== "string") return undefined;
      const handle = known.get(name) ?? new ItemHandle(dag, expansion, 0, name);
      known.set(name, handle);
      return handle;
    },
  });
}

const DEPTH_MAX = 10;

/** Handles of single indexes become handles of all. */
function wholeOf(made: unknown, expansion: Expansion, depth: number): unknown {
  if (made instanceof TaskHandle) {
    return made.within === expansion ? new TaskHandle(made.builder, made.id) : made;
  }
  if (typeof made !== "object" || made === null || depth > DEPTH_MAX) return made;
  if (Array.isArray(made)) return made.map((each) => wholeOf(each, expansion, depth + 1));
  return Object.fromEntries(
    Object.entries(made).map(([name, each]) => [name, wholeOf(each, expansion, depth + 1)]),
  );
}

/** The JSON of a literal list; throws for what JSON cannot hold. */
function literalItems(items: readonly unknown[], dag: DagBuilder, what: string): Json[] {
  if (items.length > limits.mapLength) {
    throw dag.broken(
      `${what} gets a list of ${items.length} items; at most ${limits.mapLength} are allowed`,
    );
  }
  return canonical(
    items,
    (path, problem) => dag.broken(`${what} gets a list whose item ${path} ${problem}`),
  ) as Json[];
}
