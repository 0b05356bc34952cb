/** @module The DAG being declared: what `task()`, operators, groups and maps add to. */
import type { z } from "zod";
import { limits } from "../base/limits.ts";
import { TaskSpec } from "../model/dag_spec.ts";
import { AppError } from "../model/errors.ts";
import type { TaskContext } from "./context.ts";
import { canonical, type Json } from "./json.ts";
import { checkOperatorParams, describeParams } from "./operator_params.ts";
import type { InputShapes, Operator } from "./operator.ts";
import { reservedNames, type TaskDefaults, type TaskOptions } from "./options.ts";
import type { TaskRef } from "./ref.ts";
import { ItemHandle, refValueParts, type Source, TaskHandle } from "./ref_handle.ts";
import { mergePermissions, taskSettings } from "./task_settings.ts";
import { problemsOf } from "./zod_problems.ts";

/** What runs: an operator, or a function of the DAG file. */
export type TaskBody =
  | { kind: "operator"; operator: Operator }
  | {
    kind: "function";
    run: (ctx: TaskContext, inputs: Record<string, unknown>) => unknown;
    output: z.ZodType | null;
  }
  | {
    kind: "branch";
    choose: (ctx: TaskContext, inputs: Record<string, unknown>) => unknown;
    /** Choice → ids of the tasks that go on. */
    to: Readonly<Record<string, readonly string[]>>;
  };

/** A declared task: its description and what runs. */
export interface TaskNode {
  /** `upstream` is sorted and `priorityWeight` summed once the DAG is whole. */
  readonly spec: TaskSpec;
  readonly body: TaskBody;
  /** Parameters as given: constants, functions of the run's facts, values of refs. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Name of an input in the body → its name in `spec.inputs`. */
  readonly bindings: Readonly<Record<string, string>>;
  readonly datasets: readonly string[];
}

/** What a kind of task hands to {@link DagBuilder.add}. */
export interface NewTask {
  operator: string;
  options: TaskOptions;
  body: TaskBody;
  inputs: Record<string, unknown>;
  params: Record<string, unknown>;
  connections?: readonly string[];
  permissions?: TaskOptions["permissions"];
  datasets?: readonly string[];
}

interface Scope {
  id: string | null;
  defaults: TaskDefaults;
}

let current: DagBuilder | null = null;

/** The DAG being declared; throws when there is none, naming `what` was tried. */
export function currentDag(what: string): DagBuilder {
  if (current) return current;
  throw new AppError(
    "DAG_BROKEN",
    `Cannot declare ${what}: no DAG is being declared here; ` +
      `call it inside the function given to dag({ … }, () => { … })`,
  );
}

/** Collects the tasks of one DAG while its declaring function runs. */
export class DagBuilder {
  readonly nodes = new Map<string, TaskNode>();
  readonly #upstream = new Map<string, Set<string>>();
  #scope: Scope;
  #expansion: { source: Source; made: string[] } | null = null;
  #groups = new Set<string>();
  #open = false;

  constructor(readonly dagId: string, defaults: TaskDefaults) {
    this.#scope = { id: null, defaults };
    this.#fullId(dagId);
  }

  /** Run `declare` with this as the DAG being declared. */
  fill(declare: () => unknown): void {
    if (current) {
      throw this.broken(`it is declared inside DAG "${current.dagId}"; declare it beside it`);
    }
    current = this;
    this.#open = true;
    try {
      const result = declare();
      if (typeof (result as PromiseLike<unknown> | undefined)?.then === "function") {
        (result as Promise<unknown>).then(undefined, () => {});
        throw this.broken(
          "its declaring function is async; make it synchronous and do the waiting in tasks",
        );
      }
    } finally {
      current = null;
      this.#open = false;
    }
  }

  /** Declare a task of an operator from its flat options. */
  addOperator(operator: Operator, given: object): TaskRef<never> {
    const options: Record<string, unknown> = {};
    const inputs: Record<string, unknown> = {};
    const params: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(given)) {
      const part = reservedNames.has(key)
        ? options
        : key in (operator.inputs ?? {})
        ? inputs
        : params;
      if (value !== undefined) part[key] = value;
    }
    const what = this.what(String(options.id));
    const constants = checkOperatorParams(operator, params, what);
    checkInputsGiven(operator.inputs ?? {}, inputs, what);
    return this.add({
      operator: operator.name,
      options: options as unknown as TaskOptions,
      body: { kind: "operator", operator },
      inputs,
      params,
      connections: operator.connections?.(constants),
      permissions: operator.permissions?.(constants),
      datasets: operator.datasets?.(constants),
    });
  }

  /** Declare a task; its id gets the ids of the open groups in front. */
  add(task: NewTask): TaskRef<never> {
    const { options } = task;
    const taskId = this.#fullId(options.id);
    const what = this.what(taskId);
    if (!this.#open) throw broken(what, "its DAG is declared already");
    if (this.nodes.has(taskId)) {
      throw broken(what, "the DAG already has a task of that id; give each task an id of its own");
    }
    if (this.nodes.size >= limits.tasksPerDag) {
      throw broken(what, `a DAG has at most ${limits.tasksPerDag} tasks; map one with expand()`);
    }
    const wiring = this.#wire(task, what);
    const parsed = TaskSpec.safeParse({
      taskId,
      operator: task.operator,
      ...(options.doc === undefined ? {} : { doc: options.doc }),
      upstream: [],
      group: this.#scope.id,
      triggerRule: options.triggerRule,
      ...attempt(what, () => taskSettings({ ...this.#scope.defaults, ...defined(options) })),
      connections: sortedSet(task.connections, options.connections),
      permissions: mergePermissions(task.permissions, options.permissions),
      inputs: wiring.inputs,
      mappedOver: wiring.mappedOver,
      isBranch: task.body.kind === "branch",
      params: describeParams(
        task.params,
        (path, problem) => broken(what, `parameter "${path}" ${problem}`),
      ),
    });
    if (!parsed.success) throw broken(what, problemsOf(parsed.error));
    this.nodes.set(taskId, {
      spec: parsed.data,
      body: task.body,
      params: task.params,
      bindings: wiring.bindings,
      datasets: task.datasets ?? [],
    });
    this.#upstream.set(taskId, wiring.upstream);
    this.#expansion?.made.push(taskId);
    return new TaskHandle(this, taskId) as unknown as TaskRef<never>;
  }

  /** Let `to` wait for `from`. */
  connect(from: string, to: string): void {
    if (!this.#open) throw broken(this.what(to), "its DAG is declared already");
    this.#upstream.get(to)!.add(from);
  }

  /** Ids of the tasks that a task waits for, sorted. */
  upstreamOf(taskId: string): string[] {
    return [...this.#upstream.get(taskId)!].sort();
  }

  /** Run `declare` with `id` in front of the ids of the tasks that it declares. */
  group<T>(id: string, defaults: TaskDefaults, declare: () => T): T {
    const outer = this.#scope;
    const full = this.#fullId(id);
    if (this.#groups.has(full) || this.nodes.has(full)) {
      throw this.broken(`group "${full}" has the id of another group or task`);
    }
    this.#groups.add(full);
    this.#scope = { id: full, defaults: { ...outer.defaults, ...defined(defaults) } };
    try {
      return declare();
    } finally {
      this.#scope = outer;
    }
  }

  /** Map the one task that `body` makes over a list. */
  expand(source: Source, body: (item: ItemHandle) => unknown): TaskRef<never> {
    if (this.#expansion) {
      throw this.broken("expand() is called inside expand(); map the mapped task's output instead");
    }
    const expansion = { source, made: [] as string[] };
    this.#expansion = expansion;
    try {
      const made = body(new ItemHandle(this, source));
      const [taskId] = expansion.made;
      if (expansion.made.length !== 1 || !(made instanceof TaskHandle) || made.id !== taskId) {
        throw this.broken(
          `expand() maps exactly one task, but its function declared ` +
            `${expansion.made.length} (${expansion.made.join(", ") || "none"}) ` +
            `and returned ${made instanceof TaskHandle ? `"${made.id}"` : "no task"}; ` +
            `declare and return one, and map the next task over its output`,
        );
      }
      return made as unknown as TaskRef<never>;
    } finally {
      this.#expansion = null;
    }
  }

  /** Throws for a name that is no option of a function task or branch. */
  checkOptions(options: object): void {
    for (const name of Object.keys(options)) {
      if (reservedNames.has(name)) continue;
      throw broken(
        this.what(String((options as TaskOptions).id)),
        `there is no option "${name}"; there are inputs, output, ${[...reservedNames].join(", ")}`,
      );
    }
  }

  /** The error of a DAG that cannot be. */
  broken(problem: string): AppError {
    return broken(`declare DAG "${this.dagId}"`, problem);
  }

  /** How messages name the adding of a task. */
  what(taskId: string): string {
    return `add task "${taskId}" to DAG "${this.dagId}"`;
  }

  #fullId(id: string): string {
    if (typeof id !== "string" || !/^[A-Za-z0-9_.-]{1,250}$/.test(id)) {
      throw this.broken(
        `${JSON.stringify(id)} is not an id; use 1 to 250 letters, digits, "_", "-" and "."`,
      );
    }
    return this.#scope.id === null ? id : `${this.#scope.id}.${id}`;
  }

  /** Inputs and edges of a new task from the refs among its arguments. */
  #wire({ inputs, params, options }: NewTask, what: string) {
    const args: [string, unknown][] = Object.entries(inputs);
    for (const [name, value] of Object.entries(params)) {
      const parts = refValueParts(value);
      if (parts) args.push([paramInput(name), parts.ref]);
    }
    args.sort(([a], [b]) => (a < b ? -1 : 1));
    const wiring = {
      inputs: {} as Record<string, Json>,
      bindings: {} as Record<string, string>,
      upstream: new Set<string>(),
      mappedOver: null as string | null,
    };
    const useItem = (name: string) => {
      const source = this.#expansion!.source;
      if (wiring.mappedOver === null) {
        wiring.inputs[name] = source.kind === "itemOf" ? source : { ...source, kind: "item" };
        wiring.mappedOver = name;
      }
      wiring.bindings[name] = wiring.mappedOver;
    };
    for (const [name, arg] of args) {
      if (arg instanceof ItemHandle) {
        this.#checkItem(arg, name, what);
        useItem(name);
        continue;
      }
      const ids = (Array.isArray(arg) ? arg : [arg]).map((ref) => this.#taskIdOf(ref, name, what));
      for (const id of ids) wiring.upstream.add(id);
      wiring.inputs[name] = Array.isArray(arg)
        ? { kind: "tasks", taskIds: ids }
        : { kind: "task", taskId: ids[0] };
      wiring.bindings[name] = name;
    }
    if (this.#expansion) {
      if (wiring.mappedOver === null) useItem("$item");
      const { source } = this.#expansion;
      if (source.kind === "item") wiring.upstream.add(source.taskId);
    }
    for (const ref of options.after === undefined ? [] : [options.after].flat()) {
      wiring.upstream.add(this.#taskIdOf(ref, "after", what));
    }
    return wiring;
  }

  #checkItem(item: ItemHandle, name: string, what: string): void {
    if (item.builder === this && this.#expansion?.source === item.source) return;
    throw broken(what, `"${name}" is an item of a list outside of the expand() that it belongs to`);
  }

  #taskIdOf(ref: unknown, name: string, what: string): string {
    if (!(ref instanceof TaskHandle)) {
      const so = ref instanceof ItemHandle ? "an item inside a list" : typeof ref;
      throw broken(what, `"${name}" is ${so}; give what a task returned, or an array of those`);
    }
    if (ref.builder !== this) {
      throw broken(
        what,
        `"${name}" is task "${ref.id}" of DAG "${ref.builder.dagId}"; ` +
          `tasks pass data within one DAG, other DAGs read the published dataset`,
      );
    }
    return ref.id;
  }
}

/** Name in `spec.inputs` of the ref that a parameter's value is taken from. */
export function paramInput(name: string): string {
  return `param:${name}`;
}

/** The error of something that cannot be declared. */
export function broken(what: string, problem: string): AppError {
  return new AppError("DAG_BROKEN", `Cannot ${what}: ${problem}`);
}

function checkInputsGiven(shapes: InputShapes, given: object, what: string): void {
  for (const [name, shape] of Object.entries(shapes)) {
    const arg = (given as Record<string, unknown>)[name];
    if (arg === undefined && !shape.safeParse(undefined).success) {
      throw broken(what, `input "${name}" is missing; give the task that puts it out`);
    }
  }
}

function attempt<T>(what: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof RangeError ? broken(what, error.message) : error;
  }
}

function defined<T extends object>(options: T): T {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as T;
}

function sortedSet(...lists: (readonly string[] | undefined)[]): string[] {
  return [...new Set(lists.flatMap((list) => list ?? []))].sort();
}

/** The JSON of a literal list to map over; throws for what JSON cannot hold. */
export function literalItems(items: readonly unknown[], builder: DagBuilder): Json[] {
  if (items.length > limits.mapLength) {
    throw builder.broken(
      `expand() gets a list of ${items.length} items; at most ${limits.mapLength} are allowed`,
    );
  }
  return canonical(
    items,
    (path, problem) => builder.broken(`expand() gets a list whose item ${path} ${problem}`),
  ) as Json[];
}
