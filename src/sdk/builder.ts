/** @module The DAG being declared: what `task()`, operators, groups and maps add to. */
import type { z } from "zod";
import { limits } from "../base/limits.ts";
import { TaskSpec } from "../model/dag_spec.ts";
import type { AppError } from "../model/errors.ts";
import { broken } from "./broken.ts";
import type { TaskContext } from "./context.ts";
import { deadlineSpecs } from "./deadlines.ts";
import { checkOperatorParams, describeParams } from "./operator_params.ts";
import type { InputShapes, Operator } from "./operator.ts";
import { reservedNames, type TaskDefaults, type TaskOptions } from "./options.ts";
import type { TaskRef } from "./ref.ts";
import { type Expansion, type Label, TaskHandle } from "./ref_handle.ts";
import { setupTeardownOf } from "./setup_teardown.ts";
import { mergePermissions, taskSettings } from "./task_settings.ts";
import { wire } from "./wiring.ts";
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
  }
  | {
    kind: "gate";
    decide: (ctx: TaskContext, inputs: Record<string, unknown>) => unknown;
    /** When it stops: skip all that comes after, whatever the trigger rules in between. */
    ignoreDownstreamTriggerRules: boolean;
  }
  /** Goes on if the run is for the newest interval. */
  | { kind: "latest" };

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
  /** What an instance of a mapped task is shown by, and the inputs that have its items. */
  readonly label: (Label & { inputs: readonly string[] }) | null;
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
  throw broken(
    `declare ${what}`,
    "no DAG is being declared here; call it inside the function given to dag({ … }, () => { … })",
  );
}

/** Collects the tasks of one DAG while its declaring function runs. */
export class DagBuilder {
  readonly nodes = new Map<string, TaskNode>();
  readonly #upstream = new Map<string, Set<string>>();
  /** Tasks that a teardown names as its setups. */
  readonly #setups = new Set<string>();
  #scope: Scope;
  #expansion: Expansion | null = null;
  #groups = new Set<string>();
  #open = false;

  constructor(
    readonly dagId: string,
    defaults: TaskDefaults,
    private readonly timezone: string = "UTC",
  ) {
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
    const options = {} as TaskOptions & Record<string, unknown>;
    const inputs: Record<string, unknown> = {};
    const params: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(given)) {
      const part = reservedNames.has(key)
        ? options
        : Object.hasOwn(operator.inputs ?? {}, key)
        ? inputs
        : params;
      if (value !== undefined) part[key] = value;
    }
    const what = this.what(this.#fullId(options.id));
    const constants = checkOperatorParams(operator, params, what);
    checkInputsGiven(operator.inputs ?? {}, inputs, what);
    return this.add({
      operator: operator.name,
      options,
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
    if (this.nodes.has(taskId) || this.#groups.has(taskId)) {
      throw broken(
        what,
        "the DAG already has a task or group of that id; give each an id of its own",
      );
    }
    if (this.nodes.size >= limits.tasksPerDag) {
      throw broken(what, `a DAG has at most ${limits.tasksPerDag} tasks; map one with expand()`);
    }
    const isBranch = ["branch", "gate", "latest"].includes(task.body.kind);
    const part = setupTeardownOf(options, isBranch, what);
    const wiring = wire(this, task, { mapped: this.#expansion, ...part }, what);
    for (const setup of wiring.setups) this.#setups.add(setup);
    const parsed = TaskSpec.safeParse({
      taskId,
      operator: task.operator,
      ...(options.doc === undefined ? {} : { doc: options.doc }),
      upstream: [],
      group: this.#scope.id,
      triggerRule: part.triggerRule,
      ...part.fields,
      ...attempt(what, () => taskSettings({ ...this.#scope.defaults, ...defined(options) })),
      ...(options.deadlines === undefined ? {} : {
        deadlines: attempt(
          what,
          () => deadlineSpecs(options.deadlines!, { timezone: this.timezone, what: "its" }),
        ),
      }),
      connections: sortedSet(task.connections, options.connections),
      permissions: attempt(
        what,
        () => mergePermissions(task.permissions, options.permissions),
      ),
      inputs: wiring.inputs,
      mappedOver: wiring.mappedOver,
      ...(wiring.mapProduct ? { mapProduct: wiring.mapProduct } : {}),
      ...(this.#expansion?.group ? { mappedGroup: this.#expansion.group } : {}),
      isBranch,
      ignoreDownstreamTriggerRules: task.body.kind === "gate" &&
        task.body.ignoreDownstreamTriggerRules,
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
      label: this.#expansion?.label
        ? { ...this.#expansion.label, inputs: wiring.labelInputs }
        : null,
    });
    this.#upstream.set(taskId, wiring.upstream);
    this.#expansion?.made.push(taskId);
    const within = this.#expansion?.group ? this.#expansion : null;
    return new TaskHandle(this, taskId, within) as unknown as TaskRef<never>;
  }

  /** Let `to` wait for `from`. */
  connect(from: string, to: string): void {
    if (!this.#open) throw broken(this.what(to), "its DAG is declared already");
    this.#upstream.get(to)!.add(from);
  }

  /** Does a teardown name this task as a setup of its? */
  isSetup(taskId: string): boolean {
    return this.#setups.has(taskId);
  }

  /** Ids of the tasks that a task waits for, sorted. */
  upstreamOf(taskId: string): string[] {
    return [...this.#upstream.get(taskId)!].sort();
  }

  /** Run `declare` with `id` in front of the ids of the tasks that it declares. */
  group<T>(id: string, defaults: TaskDefaults, declare: (full: string) => T): T {
    const outer = this.#scope;
    const full = this.#fullId(id);
    if (this.#groups.has(full) || this.nodes.has(full)) {
      throw this.broken(`group "${full}" has the id of another group or task`);
    }
    this.#groups.add(full);
    this.#scope = { id: full, defaults: { ...outer.defaults, ...defined(defaults) } };
    try {
      return declare(full);
    } finally {
      this.#scope = outer;
    }
  }

  /** Run `declare` with the tasks that it declares mapped. */
  map<T>(expansion: Expansion, declare: () => T): T {
    if (this.#expansion) {
      const what = expansion.group ? `the mapped group "${expansion.group}"` : "expand()";
      const outer = this.#expansion.group
        ? `the mapped group "${this.#expansion.group}"`
        : "expand()";
      throw this.broken(`${what} is called inside ${outer}; map the mapped task's output instead`);
    }
    this.#expansion = expansion;
    try {
      return declare();
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
