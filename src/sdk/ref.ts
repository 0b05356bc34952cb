/** @module Handles on what tasks will put out: the edges of a DAG, with types. */
import type { RunFacts } from "./context.ts";

declare const outputType: unique symbol;
declare const valueType: unique symbol;

/**
 * A value that exists once the run does: the output of a task, or an item of a list that a task is
 * mapped over. Pass it where an operator or {@link task} takes an input.
 */
export interface Ref<out Output> {
  readonly [outputType]: Output;
  /**
   * A parameter made of this value when the task runs:
   * `url: page.value((page, { interval }) => `${page.href}?on=${interval.date}`)`.
   */
  value(): RefValue<Output>;
  value<T>(make: (output: Output, facts: RunFacts) => T): RefValue<T>;
}

/** The handle on a declared task. A mapped task's output is the array of its instances' outputs. */
export interface TaskRef<out Output = unknown> extends Ref<Output> {
  /** The task's id, with the ids of its groups in front. */
  readonly id: string;
  /** Run these after this one, with no data between them; returns this one. */
  before(...tasks: TaskRef[]): this;
  /** Run this one after these, with no data between them; returns this one. */
  after(...tasks: TaskRef[]): this;
  /**
   * One instance of a task for each item of the list that this task puts out: `body` makes that
   * task from the handle of an item. Its output is the array of the instances' outputs.
   */
  expand<Item, Each>(
    this: TaskRef<readonly Item[]>,
    body: (item: Ref<Item>) => TaskRef<Each>,
    options?: {
      /** What an instance is shown by, in place of its index: `rendered_map_index`. */
      label?: (item: Item) => string;
    },
  ): TaskRef<Each[]>;
}

/** A parameter whose value comes from a {@link Ref}; made by `ref.value()`. */
export interface RefValue<out T> {
  readonly [valueType]: T;
}

/** What an input of type `T` may be wired to: one ref, or for an array also an array of refs. */
export type InputArg<T> = T extends readonly (infer Item)[] ? Ref<T> | readonly Ref<Item>[]
  : Ref<T>;

/** Inputs of a function task: refs or arrays of refs, by name. */
export type InputArgs = Readonly<Record<string, Ref<unknown> | readonly Ref<unknown>[]>>;

/** The value that a ref, or an array of refs, stands for. */
export type ValueOf<R> = R extends Ref<infer T> ? T
  : R extends readonly Ref<infer T>[] ? T[]
  : never;

/**
 * Input values by name. Only `all_success` promises that every upstream task has put something
 * out; under any other trigger rule a single input may be null.
 */
export type InputValues<Args, Rule> = {
  [K in keyof Args]: Rule extends "all_success" ? ValueOf<Args[K]>
    : Args[K] extends readonly unknown[] ? ValueOf<Args[K]>
    : ValueOf<Args[K]> | null;
};
