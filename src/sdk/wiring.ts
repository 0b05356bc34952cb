/** @module From the refs among a task's arguments to its inputs and edges. */
import type { InputSpec } from "../model/dag_spec.ts";
import { broken } from "./broken.ts";
import type { DagBuilder, NewTask } from "./builder.ts";
import { ItemHandle, refValueParts, type Source, TaskHandle } from "./ref_handle.ts";

/** What the refs of one task come to. */
export interface Wiring {
  inputs: Record<string, InputSpec>;
  /** Name in the body → name in `inputs`: one item may be used in several places. */
  bindings: Record<string, string>;
  upstream: Set<string>;
  mappedOver: string | null;
  /** Tasks that it tears down for; it waits for them too. */
  setups: string[];
}

/** Name in the inputs of the ref that a parameter's value is taken from. */
export function paramInput(name: string): string {
  return `param:${name}`;
}

/**
 * Wire a task of `dag`; `mapped` is the list of the expand() that it is declared in, `setups` what
 * its teardown names. Throws DAG_BROKEN, "Cannot `what`: …", for what is no ref, or one from
 * elsewhere.
 */
export function wire(
  dag: DagBuilder,
  { inputs, params, options }: NewTask,
  { mapped, setups }: { mapped: Source | null; setups: readonly unknown[] },
  what: string,
): Wiring {
  const wiring: Wiring = {
    inputs: {},
    bindings: {},
    upstream: new Set(),
    mappedOver: null,
    setups: [],
  };
  const idOf = (ref: unknown, name: string) => taskIdOf(dag, ref, name, what);
  for (const [name, arg] of refsByName(inputs, params)) {
    if (arg instanceof ItemHandle) {
      if (arg.builder !== dag || arg.source !== mapped) {
        throw broken(what, `"${name}" is an item of a list outside of the expand() of that list`);
      }
      bindItem(wiring, name, arg.source);
      continue;
    }
    const taskIds = [arg].flat().map((ref) => idOf(ref, name));
    wiring.inputs[name] = Array.isArray(arg)
      ? { kind: "tasks", taskIds }
      : { kind: "task", taskId: taskIds[0] };
    wiring.bindings[name] = name;
    for (const taskId of taskIds) wiring.upstream.add(taskId);
  }
  if (mapped) {
    if (wiring.mappedOver === null) bindItem(wiring, "$item", mapped);
    if (mapped.kind === "item") wiring.upstream.add(mapped.taskId);
  }
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

function bindItem(wiring: Wiring, name: string, source: Source): void {
  if (wiring.mappedOver === null) {
    wiring.inputs[name] = source;
    wiring.mappedOver = name;
  }
  wiring.bindings[name] = wiring.mappedOver;
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
