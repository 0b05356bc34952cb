/**
 * @module Tasks that a person decides: approval, a choice among branches, a form. They wait as
 * `awaiting_input`, without slot, process or trigger, until somebody answers or time is up.
 */
import { z } from "zod";
import type { TriggerRule } from "../model/dag_spec.ts";
import { messageOf } from "../model/errors.ts";
import { Question, type Reply } from "../model/trigger.ts";
import { currentDag, type TaskBody } from "./builder.ts";
import type { RunFacts, TaskContext } from "./context.ts";
import type { Duration } from "./duration.ts";
import { FinalError } from "./operator.ts";
import { type Ask, ask, done } from "./outcome.ts";
import type { InputArgs, TaskRef } from "./ref.ts";
import { TaskHandle } from "./ref_handle.ts";
import type { BranchTargets, FunctionTaskOptions } from "./task.ts";
import { problemsOf } from "./zod_problems.ts";

/** A text, or one that depends on the run. */
export type AskedText = string | ((facts: RunFacts) => string);

/** What a person is shown and asked. */
export interface QuestionOptions<Params extends z.ZodObject = z.ZodObject> {
  /** One line: what is to be decided. */
  subject: AskedText;
  /** What there is to know about it; Markdown. */
  body?: AskedText;
  /** Fields that go with the answer, with their defaults: `z.object({ limit: z.number().default(1) })`. */
  params?: Params;
  /** Names of the tokens whose holders may answer; without it whoever may answer at all. */
  assignees?: readonly string[];
  /** For how long to wait. Then the defaults count; without them the task fails. */
  timeout?: Duration;
}

type Asking<Args, Rule extends TriggerRule, Params extends z.ZodObject> =
  & Omit<FunctionTaskOptions<Args, Rule>, "permissions" | "connections">
  & QuestionOptions<Params>;

/** What came of a question. */
export interface Answered<Params = Record<string, unknown>> {
  chosenOptions: string[];
  /** The form as it was filled in. */
  params: Params;
  /** Null: nobody answered in time, and the defaults were taken. */
  by: string | null;
}

/** Options of {@link approval}. */
export type ApprovalOptions<Args, Rule extends TriggerRule, Params extends z.ZodObject> =
  & Asking<Args, Rule, Params>
  & {
    /** What counts when nobody answers in time. */
    defaults?: "Approve" | "Reject";
    /** On a rejection fail, rather than skip what comes after. */
    failOnReject?: boolean;
    /** On a rejection skip all that comes after, whatever the trigger rules in between. */
    ignoreDownstreamTriggerRules?: boolean;
  };

/**
 * Declare a task that a person approves or rejects. On a rejection the tasks after it are skipped.
 *
 * @example
 * ```ts
 * import { approval, dag, task } from "tidewheel";
 *
 * export default dag({ id: "release", schedule: null }, () => {
 *   const prices = task({ id: "prices" }, () => 1);
 *   const checked = approval({
 *     id: "checked",
 *     after: prices,
 *     subject: ({ interval }) => `Publish the prices of ${interval.date}?`,
 *     timeout: { hours: 12 },
 *     defaults: "Reject",
 *   });
 *   task({ id: "publish", after: checked }, () => 1);
 * });
 * ```
 */
export function approval<
  const Args extends InputArgs = Record<never, never>,
  const Rule extends TriggerRule = "all_success",
  Params extends z.ZodObject = z.ZodObject<Record<never, never>>,
>(options: ApprovalOptions<Args, Rule, Params>): TaskRef<Answered<z.output<Params>>> {
  const { defaults, failOnReject = false, ignoreDownstreamTriggerRules = false, ...rest } = options;
  const choice = { options: ["Approve", "Reject"], defaults: defaults ? [defaults] : undefined };
  return declareQuestion("approval", rest, choice, (decide) => ({
    kind: "gate",
    ignoreDownstreamTriggerRules,
    decide: decide((answered, ctx) => {
      if (!answered.chosenOptions.includes("Reject")) return done(answered, {});
      const who = answered.by ? `"${answered.by}"` : "nobody in time";
      if (failOnReject) throw new FinalError(`Task "${ctx.taskId}" was rejected by ${who}`);
      return { ...done(answered, {}), chosen: [] };
    }),
  }));
}

/** Options of {@link choose}. */
export type ChooseOptions<
  Args,
  Rule extends TriggerRule,
  To extends BranchTargets,
  Params extends z.ZodObject,
> =
  & Asking<Args, Rule, Params>
  & {
    /** What can be chosen: a task, or several that go together. They come to wait for the choice. */
    to: To;
    /** Choices that count when nobody answers in time. */
    defaults?: readonly Extract<keyof To, string>[];
    /** May several be chosen? */
    multiple?: boolean;
  };

/** Declare a branch that a person chooses: the tasks of the other choices are skipped. */
export function choose<
  const To extends BranchTargets,
  const Args extends InputArgs = Record<never, never>,
  const Rule extends TriggerRule = "all_success",
  Params extends z.ZodObject = z.ZodObject<Record<never, never>>,
>(options: ChooseOptions<Args, Rule, To, Params>): TaskRef<Answered<z.output<Params>>> {
  const { to, defaults, multiple, ...rest } = options;
  const ids: Record<string, string[]> = {};
  for (const [name, target] of Object.entries(to ?? {})) {
    const tasks = [target].flat();
    if (tasks.length === 0 || !tasks.every((ref) => ref instanceof TaskHandle)) {
      throw currentDag(`choice "${options?.id}"`).broken(
        `choice "${name}" of "${options.id}" is not a task; give what a task returned`,
      );
    }
    ids[name] = tasks.map((ref) => ref.id);
  }
  const choice = { options: Object.keys(ids), defaults, multiple };
  const ref = declareQuestion("choose", rest, choice, (decide) => ({
    kind: "branch",
    to: ids,
    choose: decide((answered) => ({
      ...done(answered, {}),
      chosen: [...new Set(answered.chosenOptions.flatMap((name) => ids[name]))],
    })),
  }));
  for (const target of Object.values(to ?? {})) ref.before(...[target].flat());
  return ref as TaskRef<Answered<z.output<Params>>>;
}

/** Options of {@link input}. */
export type InputTaskOptions<Args, Rule extends TriggerRule, Params extends z.ZodObject> =
  & Asking<Args, Rule, Params>
  & {
    /** What can be chosen; `["OK"]`. */
    options?: readonly string[];
    defaults?: readonly string[];
    multiple?: boolean;
  };

/** Declare a task that a person fills a form in for, or chooses among options; that is its output. */
export function input<
  const Args extends InputArgs = Record<never, never>,
  const Rule extends TriggerRule = "all_success",
  Params extends z.ZodObject = z.ZodObject<Record<never, never>>,
>(options: InputTaskOptions<Args, Rule, Params>): TaskRef<Answered<z.output<Params>>> {
  const { options: choices = ["OK"], defaults, multiple, ...rest } = options;
  return declareQuestion("input", rest, { options: choices, defaults, multiple }, (decide) => ({
    kind: "function",
    run: decide((answered) => answered),
    output: null,
  }));
}

type Decide = (ctx: TaskContext) => unknown;

function declareQuestion<Output>(
  operator: string,
  given: Asking<unknown, TriggerRule, z.ZodObject>,
  choice: { options: readonly string[]; defaults?: readonly string[]; multiple?: boolean },
  bodyOf: (decide: (then: (answered: Answered, ctx: TaskContext) => unknown) => Decide) => TaskBody,
): TaskRef<Output> {
  const { subject, body = null, params, assignees = [], timeout, inputs = {}, ...options } = given;
  const dag = currentDag(`question "${options?.id}"`);
  dag.checkOptions(options);
  const fields = fieldsOf(dag, options.id, params);
  const questionOf = (text: (asked: AskedText) => string) =>
    Question.safeParse({
      ...choice,
      subject: typeof subject === "undefined" ? undefined : text(subject),
      body: body === null ? null : text(body),
      params: fields,
      assignees,
    });
  // As far as it does not depend on the run it is checked here.
  const constant = questionOf((asked) => typeof asked === "function" ? "…" : asked);
  if (!constant.success) {
    throw dag.broken(`question "${options.id}" cannot be asked: ${problemsOf(constant.error)}`);
  }
  const decide = (then: (answered: Answered, ctx: TaskContext) => unknown): Decide => (ctx) => {
    if (ctx.resumedWith) return then(answeredOf(ctx.resumedWith.event as Reply, params), ctx);
    const asked = questionOf((text) => typeof text === "function" ? text(ctx) : text);
    if (asked.success) return ask(asked.data, { timeout }) satisfies Ask;
    throw new FinalError(`Cannot ask what task "${ctx.taskId}" asks: ${problemsOf(asked.error)}`);
  };
  return dag.add({
    operator,
    options,
    inputs: inputs as Record<string, unknown>,
    params: {},
    body: bodyOf(decide),
  });
}

function fieldsOf(dag: ReturnType<typeof currentDag>, id: string, params?: z.ZodObject) {
  try {
    return askedParams(params);
  } catch (error) {
    throw dag.broken(`the params of question "${id}" cannot be a form: ${messageOf(error)}`);
  }
}

/** A form's fields as they are shown and checked. */
function askedParams(params: z.ZodObject | undefined) {
  if (!params) return {};
  const { properties = {} } = z.toJSONSchema(params, { io: "input" }) as {
    properties?: Record<string, Record<string, unknown>>;
  };
  return Object.fromEntries(
    Object.entries(properties).map(([name, { default: value = null, ...schema }]) => {
      const { description = null } = schema as { description?: string };
      return [name, { value, description, schema }];
    }),
  );
}

/** Throws where the form's own schema says more than its JSON Schema could. */
function answeredOf(reply: Reply, params: z.ZodObject | undefined): Answered {
  const { chosenOptions, paramsInput, by } = reply;
  const filled = Object.fromEntries(
    Object.entries(paramsInput).filter(([, value]) => value !== null),
  );
  const parsed = params?.safeParse(filled);
  if (parsed && !parsed.success) {
    throw new FinalError(`Cannot use the answer of "${by}": ${problemsOf(parsed.error)}`);
  }
  return { chosenOptions, params: parsed?.data ?? {}, by };
}
