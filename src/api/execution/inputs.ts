/** @module What a task is given: outputs of other tasks, or an item of a list. */
import { limits } from "../../base/limits.ts";
import type { InputSpec, TaskSpec } from "../../model/dag_spec.ts";
import { AppError } from "../../model/errors.ts";
import { itemIndex } from "../../model/mapping.ts";
import type { ObjectStore } from "../../objects/port.ts";
import type { FoundItem, WantedItem } from "../../store/port.ts";
import type { ListReader } from "./lists.ts";

/** An output as the store has it. */
export interface Output {
  taskId: string;
  mapIndex: number;
  output: unknown;
  outputKey: string | null;
}

/** What the store had of a run for some of its tasks' inputs. */
export interface Found {
  /** Whole outputs by task. */
  outputs: ReadonlyMap<string, readonly Output[]>;
  /** Items by {@link itemName}. */
  items: ReadonlyMap<string, FoundItem>;
  /** How long the lists are that tasks put out. */
  lengths: ReadonlyMap<string, number>;
}

/** Ids of the tasks whose whole outputs `task` is given. */
export function inputTasks(task: TaskSpec): string[] {
  return Object.values(task.inputs).flatMap((input) =>
    input.kind === "tasks" ? input.taskIds : input.kind === "task" ? [input.taskId] : []
  );
}

/** Ids of the tasks whose lengths tell which items an instance of `task` is given. */
export function lengthTasks(task: TaskSpec): string[] {
  return (task.mapProduct ?? []).flatMap((name) => {
    const input = task.inputs[name];
    return input.kind === "item" ? [input.taskId] : [];
  });
}

/** The items that an instance is given. */
export function inputItems(
  task: TaskSpec,
  mapIndex: number,
  lengths: Found["lengths"],
): WantedItem[] {
  return Object.entries(task.inputs).flatMap(([name, input]) => {
    if (input.kind === "items") return input.taskIds.map((taskId) => ({ taskId, index: mapIndex }));
    if (input.kind !== "item") return [];
    return [{ taskId: input.taskId, index: indexOf(task, name, { mapIndex, lengths }) }];
  });
}

/** The key of an item in {@link Found.items}. */
export function itemName({ taskId, index }: WantedItem): string {
  return `${index} ${taskId}`;
}

/** What inputs are made of. */
export interface InputParts {
  task: TaskSpec;
  mapIndex: number;
  attemptId: string;
  found: Found;
  objects: ObjectStore;
  lists: ListReader;
}

/** The inputs by name; one whose JSON is large becomes an object of its own. */
export async function resolveInputs(parts: InputParts): Promise<Record<string, unknown>> {
  const { task, attemptId, objects } = parts;
  const inputs: Record<string, unknown> = {};
  for (const name of Object.keys(task.inputs)) {
    const value = await resolveInput(name, parts);
    inputs[name] = await spillLarge(value, `attempts/${attemptId}/inputs/${name}.json`, objects);
  }
  return inputs;
}

async function resolveInput(name: string, parts: InputParts): Promise<unknown> {
  const { task, mapIndex, found } = parts;
  const input = task.inputs[name];
  switch (input.kind) {
    case "task":
      return valueOf(found.outputs.get(input.taskId) ?? []);
    case "tasks":
      return input.taskIds.filter((id) => found.outputs.get(id)?.length)
        .map((id) => valueOf(found.outputs.get(id)!));
    case "items":
      return input.taskIds.flatMap((taskId) => {
        const own = found.items.get(itemName({ taskId, index: mapIndex }));
        return own ? [inline(own)] : [];
      });
    case "item": {
      const index = indexOf(task, name, { mapIndex, lengths: found.lengths });
      return await fieldOf(await itemOfTask(input.taskId, index, parts), input, parts);
    }
    case "itemOf": {
      const index = indexOf(task, name, { mapIndex, lengths: found.lengths });
      if (index < 0 || index >= input.items.length) {
        throw noItem(index, "its list", input.items.length);
      }
      return await fieldOf(input.items[index], input, parts);
    }
  }
}

async function itemOfTask(taskId: string, index: number, { found, lists }: InputParts) {
  const item = found.items.get(itemName({ taskId, index }));
  if (item?.isOwn) return inline(item);
  const what = `the output of task "${taskId}"`;
  if (!item || item.length === null) return item ? refuse(index, what) : null;
  if (index < 0 || index >= item.length) throw noItem(index, what, item.length);
  if (item.outputKey === null) return item.output;
  const value = await lists.item(item.outputKey, index);
  return value === undefined ? refuse(index, what) : value;
}

async function fieldOf(
  item: unknown,
  { field }: Extract<InputSpec, { kind: "item" | "itemOf" }>,
  { objects }: InputParts,
): Promise<unknown> {
  if (field === undefined) return item;
  const link = (item as { $object?: unknown } | null)?.$object;
  const whole = typeof link === "string"
    ? JSON.parse(new TextDecoder().decode(await objects.get(link)))
    : item;
  return (whole as Record<string, unknown> | null)?.[field] ?? null;
}

/** Which item of an input is the instance's. */
function indexOf(
  task: TaskSpec,
  name: string,
  { mapIndex, lengths }: { mapIndex: number; lengths: Found["lengths"] },
): number {
  const names = task.mapProduct;
  if (!names?.includes(name)) return mapIndex;
  const all = names.map((each) => {
    const input = task.inputs[each];
    return input.kind === "itemOf"
      ? input.items.length
      : input.kind === "item"
      ? lengths.get(input.taskId) ?? 0
      : 0;
  });
  return itemIndex(mapIndex, names.indexOf(name), all);
}

/** One value; of a mapped task the array of its outputs by map_index. */
function valueOf(outputs: readonly Output[]): unknown {
  if (outputs.length === 0) return null;
  if (outputs[0].mapIndex < 0) return inline(outputs[0]);
  return outputs.toSorted((a, b) => a.mapIndex - b.mapIndex).map(inline);
}

function inline({ output, outputKey }: Pick<Output, "output" | "outputKey">): unknown {
  return outputKey === null ? output : { $object: outputKey };
}

function refuse(index: number, what: string): never {
  throw new AppError(
    "CONFLICT",
    `Cannot give item ${index} of ${what} to a task: it is not a list`,
  );
}

function noItem(index: number, what: string, length: number): AppError {
  return new AppError(
    "CONFLICT",
    `Cannot give item ${index} of ${what} to a task: it has ${length} items`,
  );
}

/** Arrays of outputs, and items of lists, can grow past what a message should carry. */
async function spillLarge(value: unknown, key: string, objects: ObjectStore): Promise<unknown> {
  if (typeof value !== "object" || value === null) return value;
  const text = JSON.stringify(value);
  if (text.length <= limits.inputsInlineBytes) return value;
  await objects.put(key, new TextEncoder().encode(text));
  return { $object: key };
}
