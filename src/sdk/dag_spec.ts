/** @module From a declared DAG to its canonical description. */
import { z } from "zod";
import { DagSpec, type TaskSpec } from "../model/dag_spec.ts";
import type { DagBuilder } from "./builder.ts";
import { dagCallbacks } from "./callbacks.ts";
import type { DagOptions } from "./dag.ts";
import { deadlineSpecs } from "./deadlines.ts";
import { durationMs } from "./duration.ts";
import { type Graph, reversed, topologicalOrder, totalWeights } from "./graph.ts";
import { canonical, type Json } from "./json.ts";
import { blackoutSpec, catchupSpec, maintenanceSpec } from "./quiet_time.ts";
import { checkTimezone, instantOf, scheduleSpec } from "./schedule.ts";
import { teardownRule, wrongSetups } from "./setup_teardown.ts";
import { problemsOf } from "./zod_problems.ts";

/** The description of a whole DAG; throws DAG_BROKEN. */
export function buildSpec(
  options: DagOptions<z.ZodObject | undefined>,
  builder: DagBuilder,
): DagSpec {
  const timing = attempt(builder, () => timingOf(options));
  const callbacks = attempt(builder, () => dagCallbacks(options.id, options));
  const { timezone } = timing;
  const deadlines = options.deadlines === undefined
    ? undefined
    : attempt(builder, () => deadlineSpecs(options.deadlines!, { timezone, what: "its" }));
  const tasks = orderedTasks(builder);
  const isAutomatic = timing.schedule.kind !== "none";
  const parsed = DagSpec.safeParse({
    dagId: options.id,
    description: options.description ?? null,
    docMd: options.doc ?? null,
    owner: options.owner,
    tags: [...new Set(options.tags ?? [])].sort(),
    ...timing,
    maxActiveRuns: options.maxActiveRuns,
    maxActiveTasks: options.maxActiveTasks,
    ...failureRules(options),
    ...(callbacks ? { callbacks } : {}),
    ...(deadlines ? { deadlines } : {}),
    ...describeConf(options.params ?? null, isAutomatic, builder),
    datasets: [...new Set([...builder.nodes.values()].flatMap((node) => node.datasets))].sort(),
    tasks,
  });
  if (!parsed.success) throw builder.broken(problemsOf(parsed.error));
  checkOwnDatasets(parsed.data, builder);
  if (options.failFast) checkFailFast(tasks, builder);
  return parsed.data;
}

/** A DAG that waits for what it publishes would run for ever. */
function checkOwnDatasets({ dagId, schedule, datasets }: DagSpec, builder: DagBuilder) {
  if (schedule.kind !== "datasets") return;
  if (schedule.watch?.kind === "run" && schedule.watch.dagId === dagId) {
    throw builder.broken("its schedule waits for its own runs; name another DAG in afterRun()");
  }
  const own = schedule.datasets.find((name) => datasets.includes(name));
  if (own === undefined) return;
  throw builder.broken(
    `its schedule waits for the dataset "${own}", which its own tasks publish; ` +
      `let another DAG publish it, or take it out of the schedule`,
  );
}

/** By other rules a task would start because another failed, in a run that is being ended for it. */
function checkFailFast(tasks: readonly TaskSpec[], builder: DagBuilder) {
  const rules: readonly string[] = ["all_success", teardownRule];
  const other = tasks.find((task) => !rules.includes(task.triggerRule));
  if (other === undefined) return;
  throw builder.broken(
    `it has failFast, and task "${other.taskId}" the trigger rule ${other.triggerRule}; with ` +
      `failFast all tasks have all_success: make it a teardown, or take one of the two out`,
  );
}

function timingOf(options: DagOptions<z.ZodObject | undefined>) {
  const timezone = options.timezone ?? "UTC";
  checkTimezone(timezone);
  const schedule = scheduleSpec(options.schedule, timezone);
  const at = (name: "start" | "end") =>
    options[name] === undefined ? null : instantOf(options[name], timezone, name);
  const [start, end] = [at("start"), at("end")];
  if (start !== null && end !== null && end <= start) {
    throw new RangeError(`its end ${end} is not after its start ${start}`);
  }
  const catchup = catchupSpec(options.catchup ?? false);
  const hasTime = schedule.kind === "datasets"
    ? schedule.or !== undefined || schedule.at !== undefined
    : schedule.kind !== "none";
  if (catchup === true && start === null && hasTime) {
    throw new RangeError("it has catchup: true but no start; give the start to catch up from");
  }
  if (schedule.kind === "continuous" && options.maxActiveRuns !== 1) {
    throw new RangeError("its schedule is continuous; give maxActiveRuns: 1");
  }
  return { schedule, timezone, start, end, catchup, ...quietTimeOf(options) };
}

/** What is done about failures; left out where not given, as below. */
function failureRules(options: DagOptions<z.ZodObject | undefined>) {
  const { failFast, maxConsecutiveFailedDagRuns, retryBudget, rerunWithLatestVersion } = options;
  return {
    ...(failFast ? { failFast } : {}),
    ...(maxConsecutiveFailedDagRuns === undefined ? {} : { maxConsecutiveFailedDagRuns }),
    ...(retryBudget === undefined ? {} : { retryBudget }),
    ...(rerunWithLatestVersion === undefined ? {} : { rerunWithLatestVersion }),
  };
}

/** Left out where not given, for a DAG's description to stay what it was. */
function quietTimeOf({ jitter, maintenance, blackout }: DagOptions<z.ZodObject | undefined>) {
  return {
    ...(jitter === undefined ? {} : { jitterMs: durationMs(jitter, "its jitter") }),
    ...(maintenance ? { maintenance: maintenanceSpec(maintenance) } : {}),
    ...(blackout ? { blackout: blackoutSpec(blackout) } : {}),
  };
}

function orderedTasks(builder: DagBuilder): TaskSpec[] {
  const graph = new Map(
    [...builder.nodes.keys()].map((taskId) => [taskId, builder.upstreamOf(taskId)]),
  );
  const sorted = topologicalOrder(graph);
  if ("cycle" in sorted) {
    throw builder.broken(
      `its tasks wait for each other in a circle: ${sorted.cycle.join(" → ")}; ` +
        `take one of these edges out`,
    );
  }
  const weights = weightsOf(builder, graph, sorted.order);
  const tasks = sorted.order.map((taskId) => ({
    ...builder.nodes.get(taskId)!.spec,
    ...(builder.isSetup(taskId) ? { isSetup: true } : {}),
    upstream: [...graph.get(taskId)!],
    priorityWeight: weights(taskId),
  }));
  const wrong = wrongSetups(tasks);
  if (wrong !== null) throw builder.broken(wrong);
  return tasks;
}

/** Each task's weight by its own rule; the sums of a direction are made once it is asked for. */
function weightsOf(builder: DagBuilder, graph: Graph, order: readonly string[]) {
  const own = (taskId: string) => builder.nodes.get(taskId)!.spec.priorityWeight;
  let below: ReadonlyMap<string, number> | undefined;
  let above: ReadonlyMap<string, number> | undefined;
  return (taskId: string) => {
    switch (builder.nodes.get(taskId)!.spec.weightRule) {
      case "absolute":
        return own(taskId);
      case "downstream":
        return (below ??= totalWeights(graph, order, own)).get(taskId)!;
      case "upstream":
        above ??= totalWeights(reversed(graph), order.toReversed(), own);
        return above.get(taskId)!;
    }
  };
}

/** The JSON Schema of conf and its defaults. */
function describeConf(params: z.ZodObject | null, isAutomatic: boolean, builder: DagBuilder) {
  if (params === null) return {};
  const defaults: Record<string, Json> = {};
  for (const [name, member] of Object.entries(params.shape as Record<string, z.ZodType>)) {
    const parsed = member.safeParse(undefined);
    if (!parsed.success && isAutomatic) {
      throw builder.broken(
        `param "${name}" has no default, but scheduled runs are given no conf; ` +
          `give it a .default(…) or make it .optional()`,
      );
    }
    if (!parsed.success || parsed.data === undefined) continue;
    defaults[name] = canonical(
      parsed.data,
      (path, problem) =>
        builder.broken(`the default of param "${name}"${path && ` at ${path}`} ${problem}`),
    );
  }
  try {
    const schema = canonical(
      closed(z.toJSONSchema(params, { io: "input" })),
      (path, problem) => builder.broken(`the schema of its params at ${path} ${problem}`),
    );
    return { paramsSchema: schema, paramsDefault: defaults };
  } catch (error) {
    throw builder.broken(
      `its params have no JSON Schema: ${(error as Error).message}; ` +
        `use types that JSON has, such as z.iso.date() for a date`,
    );
  }
}

/** A misspelt name must not run with the default of the right one; `z.looseObject` allows any. */
function closed(schema: z.core.JSONSchema.BaseSchema): z.core.JSONSchema.BaseSchema {
  return { additionalProperties: false, ...schema };
}

function attempt<T>(builder: DagBuilder, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof RangeError ? builder.broken(error.message) : error;
  }
}
