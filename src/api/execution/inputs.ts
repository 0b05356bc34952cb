/** @module What a task is given: outputs of other tasks, or an item of a list. */
import { limits } from "../../base/limits.ts";
import type { InputSpec, TaskSpec } from "../../model/dag_spec.ts";
import { AppError } from "../../model/errors.ts";
import type { ObjectStore } from "../../objects/port.ts";

/** An output as the store has it. */
export interface Output {
  taskId: string;
  mapIndex: number;
  output: unknown;
  outputKey: string | null;
}

/** Ids of the tasks whose outputs `task` is given. */
export function inputTasks(task: TaskSpec): string[] {
  const ids: string[] = [];
  for (const input of Object.values(task.inputs)) {
    if (input.kind === "tasks") ids.push(...input.taskIds);
    else if (input.kind !== "itemOf") ids.push(input.taskId);
  }
  return ids;
}

/** The inputs by name; one whose JSON is large becomes an object of its own. */
export async function resolveInputs(
  { task, mapIndex, attemptId, outputs, objects }: {
    task: TaskSpec;
    mapIndex: number;
    attemptId: string;
    outputs: ReadonlyMap<string, readonly Output[]>;
    objects: ObjectStore;
  },
): Promise<Record<string, unknown>> {
  const inputs: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(task.inputs)) {
    const value = resolveInput(spec, mapIndex, outputs);
    inputs[name] = await spillLarge(value, `attempts/${attemptId}/inputs/${name}.json`, objects);
  }
  return inputs;
}

function resolveInput(
  input: InputSpec,
  mapIndex: number,
  outputs: ReadonlyMap<string, readonly Output[]>,
): unknown {
  switch (input.kind) {
    case "task":
      return valueOf(outputs.get(input.taskId) ?? []);
    case "tasks":
      return input.taskIds.filter((id) => outputs.get(id)?.length)
        .map((id) => valueOf(outputs.get(id)!));
    case "item": {
      const found = outputs.get(input.taskId) ?? [];
      if (found.some((output) => output.mapIndex >= 0)) {
        const own = found.find((output) => output.mapIndex === mapIndex);
        return own ? inline(own) : null;
      }
      const [source] = found;
      if (source?.outputKey) return { $object: source.outputKey, $index: mapIndex };
      return itemOf(source?.output, mapIndex, `the output of task "${input.taskId}"`);
    }
    case "itemOf":
      return itemOf(input.items, mapIndex, "its list");
  }
}

/** One value; of a mapped task the array of its outputs by map_index. */
function valueOf(outputs: readonly Output[]): unknown {
  if (outputs.length === 0) return null;
  if (outputs[0].mapIndex < 0) return inline(outputs[0]);
  return outputs.toSorted((a, b) => a.mapIndex - b.mapIndex).map(inline);
}

function inline({ output, outputKey }: Output): unknown {
  return outputKey === null ? output : { $object: outputKey };
}

function itemOf(list: unknown, mapIndex: number, what: string): unknown {
  if (!Array.isArray(list) || mapIndex < 0 || mapIndex >= list.length) {
    const size = Array.isArray(list) ? `has ${list.length} items` : "is not a list";
    throw new AppError("CONFLICT", `Cannot give item ${mapIndex} of ${what} to a task: it ${size}`);
  }
  return list[mapIndex];
}

/** Arrays of outputs can grow past what a message should carry. */
async function spillLarge(value: unknown, key: string, objects: ObjectStore): Promise<unknown> {
  if (!Array.isArray(value)) return value;
  const text = JSON.stringify(value);
  if (text.length <= limits.inputsInlineBytes) return value;
  await objects.put(key, new TextEncoder().encode(text));
  return { $object: key };
}
