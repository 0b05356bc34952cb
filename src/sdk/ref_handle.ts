/** @module The run-time side of {@link Ref}: what authors hold while they declare. */
import type { DagBuilder } from "./builder.ts";
import type { RunFacts } from "./context.ts";
import type { Json } from "./json.ts";
import { expandTask, type LabelOptions } from "./expansion.ts";
import type { TaskRef } from "./ref.ts";

/** Where the items of a mapped task come from. */
export type Source = { kind: "item"; taskId: string } | { kind: "itemOf"; items: Json[] };

/** What tasks are mapped over together. */
export interface Expansion {
  /** One list, or several of which every combination has an instance. */
  readonly sources: readonly Source[];
  /** The mapped group; null for a single task. */
  readonly group: string | null;
  /** Ids of the tasks declared in it. */
  readonly made: string[];
  /** What an instance is shown by. */
  readonly label: Label | null;
}

/** Makes the text of an instance from its item, or from its items by the names of their lists. */
export interface Label {
  make: (items: unknown) => unknown;
  /** Of several lists; null: one. */
  names: string[] | null;
}

/** Makes a parameter from the value of a ref. */
export type MakeValue = (output: unknown, facts: RunFacts) => unknown;

class Value {
  constructor(readonly ref: unknown, readonly make: MakeValue | null) {}
}

/** The ref and the function behind a parameter made by `ref.value()`; null for anything else. */
export function refValueParts(param: unknown): { ref: unknown; make: MakeValue | null } | null {
  return param instanceof Value ? param : null;
}

/** The handle of an item, or of a field of it. */
export class ItemHandle {
  constructor(
    readonly builder: DagBuilder,
    readonly expansion: Expansion,
    /** Of which list of the expansion. */
    readonly position: number,
    readonly field?: string,
  ) {}

  value(make?: MakeValue): unknown {
    return new Value(this, make ?? null);
  }
}

/** The handle of a task. */
export class TaskHandle {
  constructor(
    readonly builder: DagBuilder,
    readonly id: string,
    /** The mapped group inside of which it stands for the task's output at one index. */
    readonly within: Expansion | null = null,
  ) {}

  value(make?: MakeValue): unknown {
    return new Value(this, make ?? null);
  }

  before(...tasks: TaskRef[]): this {
    for (const other of tasks) this.builder.connect(this.id, this.#idOf(other));
    return this;
  }

  after(...tasks: TaskRef[]): this {
    for (const other of tasks) this.builder.connect(this.#idOf(other), this.id);
    return this;
  }

  expand(body: (item: unknown) => unknown, options?: LabelOptions): TaskRef<never> {
    return expandTask(this.builder, { over: this, what: "expand()", ...options }, body);
  }

  #idOf(other: unknown): string {
    if (other instanceof TaskHandle && other.builder === this.builder) return other.id;
    throw this.builder.broken(
      `task "${this.id}" is ordered against ` +
        (other instanceof TaskHandle
          ? `task "${other.id}" of DAG "${other.builder.dagId}"; order tasks of one DAG`
          : `a ${typeof other}; give what a task returned`),
    );
  }
}
