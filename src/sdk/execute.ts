/**
 * @module Runs one task of a DAG module in this process: what a worker's child and `tidewheel run`
 * both call.
 */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { DatasetVersionInfo } from "../contract/dataset.ts";
import type { ConnectionSecret, Workload } from "../contract/execution.ts";
import { AppError, messageOf } from "../model/errors.ts";
import type { Outcome } from "../model/outcome.ts";
import type { TaskNode } from "./builder.ts";
import type { TaskContext, TaskEngine, TaskFiles } from "./context.ts";
import { dagsOf } from "./dag.ts";
import type { Operator } from "./operator.ts";
import { factsOf, fetchInputs, type OpenContext, openContext, parseConf } from "./open_context.ts";
import { resolveParams } from "./operator_params.ts";
import {
  branchOutcome,
  checked,
  finish,
  functionOutcome,
  gateOutcome,
  operatorOutcome,
} from "./returned.ts";

/** As in Airflow's rendered_map_index. */
const LABEL_CHARS_MAX = 250;

/** What a running task gets from whoever runs it. */
export interface TaskServices {
  log: Logger;
  /** Aborts on cancel, timeout and drain. */
  signal: AbortSignal;
  clock: Clock;
  /** The attempt's own empty folder. */
  workDir: string;
  /** A declared connection; rejects with FORBIDDEN for any other. */
  connection(connectionId: string): Promise<ConnectionSecret>;
  files: TaskFiles;
  engine: TaskEngine;
  dataset(name: string, partition: string | null): Promise<DatasetVersionInfo | null>;
  variable(key: string): Promise<unknown>;
  /** Say what the instance is shown by; left out where nobody shows it. */
  label?(text: string): Promise<void>;
  /** The parsed JSON of a stored object: inputs that were too large to travel with the workload. */
  object(key: string): Promise<unknown>;
}

/** A workload as a child has it. */
export type TaskWorkload = Omit<Workload, "token" | "bundle" | "traceParent">;

/**
 * Run the task of `workload` as the DAG in `module` (an imported DAG module) declares it.
 *
 * Resolves with the outcome, checked and JSON-safe. Rejects with whatever the task threw; with
 * NOT_FOUND when the module has no such DAG or task; with INVALID when params or inputs do not fit;
 * and with INVALID and `detail.endReason` "invalid_outcome" when the task returned what is not an
 * outcome or its rows do not add up. An error with `final: true` asks for no retry.
 */
export async function runTask(
  module: Readonly<Record<string, unknown>>,
  workload: TaskWorkload,
  services: TaskServices,
): Promise<Outcome> {
  const dags = dagsOf(module);
  const dag = dags.find(({ id }) => id === workload.dagId);
  if (!dag) {
    throw new AppError(
      "NOT_FOUND",
      `Cannot run task "${workload.task.taskId}": its module exports no DAG "${workload.dagId}", ` +
        `only ${dags.map(({ id }) => `"${id}"`).join(", ") || "none"}`,
    );
  }
  const node = dag.task(workload.task.taskId);
  const context = openContext(workload, parseConf(dag, workload.run.conf), services);
  const values = await fetchInputs(workload.inputs, services);
  await showLabel(node, values, services);
  return await executeTask(node, context, values);
}

/** A label that cannot be made fails no task. */
async function showLabel(
  { label }: TaskNode,
  values: Readonly<Record<string, unknown>>,
  services: TaskServices,
): Promise<void> {
  if (!label || !services.label) return;
  const items = label.inputs.map((name) => values[name] ?? null);
  try {
    const made = label.make(
      label.names === null
        ? items[0]
        : Object.fromEntries(label.names.map((name, i) => [name, items[i]])),
    );
    await services.label(String(made).slice(0, LABEL_CHARS_MAX));
  } catch (error) {
    services.log.warn("Could not make the label of this instance", { error: messageOf(error) });
  }
}

/** Run one node with the values of its spec's inputs by name; see {@link runTask}. */
export async function executeTask(
  node: TaskNode,
  { ctx, stateChanges, isNewest }: OpenContext,
  values: Readonly<Record<string, unknown>>,
): Promise<Outcome> {
  const { body } = node;
  failIfLate(ctx);
  const ending = { stateChanges, now: ctx.clock.now() };
  const input = (name: string) => values[node.bindings[name]] ?? null;
  switch (body.kind) {
    case "operator": {
      const outcome = await runOperator(body.operator, node, ctx, input);
      return finish(operatorOutcome(outcome, body.operator), node, ending);
    }
    case "function": {
      const returned = await body.run(ctx, inputsByName(node, input));
      return finish(functionOutcome(returned, body.output), node, ending);
    }
    case "branch": {
      const choice = await body.choose(ctx, inputsByName(node, input));
      return finish(branchOutcome(choice, body.to), node, ending);
    }
    case "gate": {
      const answer = await body.decide(ctx, inputsByName(node, input));
      return finish(gateOutcome(answer), node, ending);
    }
    case "latest":
      ctx.log.info(isNewest ? "Newest interval: going on" : "Not the newest interval: skipping");
      return finish(gateOutcome(isNewest), node, ending);
  }
}

/** A wait that was to fail when its time was up, fails like any other attempt: with its retries. */
function failIfLate({ resumedWith, taskId }: TaskContext) {
  if (!resumedWith?.timedOut || resumedWith.onTimeout !== "fail") return;
  throw new Error(
    `Cannot wait any longer: what task "${taskId}" waits for did not happen before its deadline`,
  );
}

async function runOperator(
  operator: Operator,
  node: TaskNode,
  ctx: TaskContext,
  input: (name: string) => unknown,
): Promise<unknown> {
  const resolved = resolveParams(node.params, factsOf(ctx), input);
  const params = checked(operator.params, resolved, `parameters of ${operator.name}`);
  const inputs: Record<string, unknown> = {};
  for (const [name, shape] of Object.entries(operator.inputs ?? {})) {
    const value = input(name) ?? undefined;
    if (value === undefined && Object.hasOwn(node.bindings, name)) throw noValue(name, node);
    inputs[name] = checked(shape, value, `input "${name}" of task "${node.spec.taskId}"`);
  }
  const { run } = await operator.load();
  return await run({ params, inputs: inputs as never, ctx });
}

function inputsByName(node: TaskNode, input: (name: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.keys(node.bindings).map((name) => [name, input(name)]));
}

function noValue(name: string, { spec, bindings }: TaskNode): AppError {
  const source = spec.inputs[bindings[name]];
  const from = "taskId" in source ? `task "${source.taskId}"` : "its list";
  return new AppError(
    "INVALID",
    `Cannot use the input "${name}" of task "${spec.taskId}": ${from} put nothing out; ` +
      `with trigger rule ${spec.triggerRule} such an input must be one that can be missing`,
  );
}
