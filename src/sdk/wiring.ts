/** @module From the refs among a task's arguments to its inputs and edges. */
import type { InputSpec } from "../model/dag_spec.ts";
import { broken } from "./broken.ts";
import type { DagBuilder, NewTask } from "./builder.ts";
import { escaped } from "./expansion.ts";
import { type Expansion, ItemHandle, refValueParts, TaskHandle } from "./ref_handle.ts";

/** What the refs of one task come to. */
export interface Wiring {
  inputs: Record<string, InputSpec>;
  /** Name in the body → name in `inputs`: one item may be used in several places. */
  bindings: Record<string, string>;
  upstream: Set<string>;
  mappedOver: string | null;
  /** With several lists: the input of each, in their order. */
  mapProduct: string[] | null;
  /** With a label: the inputs that have the whole items, by list. */
  labelInputs: string[];
  /** Tasks that it tears down for; it waits for them too. */
  setups: string[];
}

/** Name in the inputs of the ref that a parameter's value is taken from. */
export function paramInput(name: string): string {
  return `param:${name}`;
}

/**
 * Wire a task of `dag`; `mapped` is the expand() or mapped group that it is declared in, `setups` what
 * its teardown names. Throws DAG_BROKEN, "Cannot `what`: …", for what is no ref, or one from
 * elsewhere.
 */
export function wire(
  dag: DagBuilder,
  { inputs, params, options }: NewTask,
  { mapped, setups }: { mapped: Expansion | null; setups: readonly unknown[] },
  what: string,
): Wiring {
  const wiring: Wiring = {
    inputs: {},
    bindings: {},
    upstream: new Set(),
    mappedOver: null,
    mapProduct: null,
    labelInputs: [],
    setups: [],
  };
  const idOf = (ref: unknown, name: string) => taskIdOf(dag, ref, name, what);
  const items = new Map<string, string>();
  for (const [name, arg] of refsByName(inputs, params)) {
    if (arg instanceof ItemHandle) {
      if (arg.builder !== dag || arg.expansion !== mapped) {
        throw broken(what, `"${name}" is an item of a list outside of the expand() of that list`);
      }
      bindItem({ wiring, items }, name, arg);
      continue;
    }
    const taskIds = [arg].flat().map((ref) => idOf(ref, name));
    wiring.inputs[name] = outputSpec(
      arg,
      taskIds,
      (problem) => broken(what, `"${name}" ${problem}`),
      mapped,
    );
    wiring.bindings[name] = name;
    for (const taskId of taskIds) wiring.upstream.add(taskId);
  }
  if (mapped) mapOver({ wiring, items }, dag, mapped);
  const after = options.after === undefined ? [] : [options.after].flat();
  for (const ref of after) wiring.upstream.add(idOf(ref, "after"));
  for (const ref of setups) wiring.setups.push(idOf(ref, "teardown.setups"));
  for (const setup of wiring.setups) wiring.upstream.add(setup);
  return wiring;
}

/** Sorted by name, so that the order of writing does not show. */
function refsByName(
  inputs: Record<string, unknown>,
  params: Record<string, unknown>,
): [string, unknown][] {
  const refs = Object.entries(inputs);
  for (const [name, value] of Object.entries(params)) {
    const parts = refValueParts(value);
    if (parts) refs.push([paramInput(name), parts.ref]);
  }
  return refs.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The input of a task's output, or of several: inside their mapped group, of their own index. */
function outputSpec(
  arg: unknown,
  taskIds: string[],
  wrong: (problem: string) => Error,
  mapped: Expansion | null,
): InputSpec {
  const handles = [arg].flat() as TaskHandle[];
  const stray = handles.find(({ within }) => within !== null && within !== mapped);
  if (stray) throw wrong(`is ${escaped(stray)}`);
  const own = handles.filter(({ within }) => within !== null).length;
  if (!Array.isArray(arg)) {
    return own > 0 ? { kind: "item", taskId: taskIds[0] } : { kind: "task", taskId: taskIds[0] };
  }
  if (own > 0 && own < handles.length) {
    throw wrong(
      `has tasks of the mapped group "${mapped!.group}" and others; give the others as an input ` +
        `of their own`,
    );
  }
  return own > 0 ? { kind: "items", taskIds } : { kind: "tasks", taskIds };
}

/** A wiring with the inputs that have items so far, by list and field. */
interface Binding {
  wiring: Wiring;
  items: Map<string, string>;
}

function bindItem({ wiring, items }: Binding, name: string, item: ItemHandle): void {
  const key = `${item.position} ${item.field ?? ""}`;
  const known = items.get(key);
  wiring.bindings[name] = known ?? name;
  if (known !== undefined) return;
  items.set(key, name);
  const source = item.expansion.sources[item.position];
  wiring.inputs[name] = item.field === undefined ? source : { ...source, field: item.field };
}

/** Name an input for each list, also for one whose items the task does not use. */
function mapOver({ wiring, items }: Binding, dag: DagBuilder, mapped: Expansion): void {
  const names = mapped.sources.map((source, position) => {
    if (source.kind === "item") wiring.upstream.add(source.taskId);
    for (const [key, name] of items) if (key.startsWith(`${position} `)) return name;
    const name = position === 0 ? "$item" : `$item${position}`;
    bindItem({ wiring, items }, name, new ItemHandle(dag, mapped, position));
    return name;
  });
  wiring.mappedOver = names[0];
  if (mapped.label) {
    wiring.labelInputs = mapped.sources.map((_source, position) => {
      const name = `$label${position}`;
      bindItem({ wiring, items }, name, new ItemHandle(dag, mapped, position));
      const input = wiring.bindings[name];
      delete wiring.bindings[name];
      return input;
    });
  }
  if (names.length > 1) wiring.mapProduct = names;
}

function taskIdOf(dag: DagBuilder, ref: unknown, name: string, what: string): string {
  if (!(ref instanceof TaskHandle)) {
    const so = ref instanceof ItemHandle ? "an item inside a list" : `a ${typeof ref}`;
    throw broken(what, `"${name}" is ${so}; give what a task returned, or an array of those`);
  }
  if (ref.builder === dag) return ref.id;
  throw broken(
    what,
    `"${name}" is task "${ref.id}" of DAG "${ref.builder.dagId}"; ` +
      `tasks pass data within one DAG, other DAGs read the published dataset`,
  );
}
