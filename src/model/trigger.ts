/** @module What a task can wait for without a process, and what it is resumed with. All data. */
import { z } from "zod";

const Instant = z.iso.datetime({ offset: true });
const Name = z.string().min(1).max(250);
const RunStates = z.array(z.enum(["success", "failed"])).min(1);
/** How task instances end; `cancelled` counts as failed for whoever waits. */
const TaskEnds = z.array(
  z.enum(["success", "failed", "skipped", "upstream_failed", "removed", "cancelled"]),
).min(1);

/** Which run of a DAG: by its id, or by its logical date. */
const RunOf = { dagId: Name, runId: Name.optional(), logicalDate: Instant.optional() };

/** What is waited for. Each kind is looked at by the triggers service, many at a time. */
export const TriggerSpec = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("time"), at: Instant }),
  z.object({
    kind: z.literal("dataset"),
    dataset: Name,
    partition: z.string().max(500).nullable(),
  }),
  z.object({ kind: z.literal("run"), ...RunOf, states: RunStates }),
  z.object({
    kind: z.literal("task"),
    ...RunOf,
    taskId: Name,
    mapIndex: z.int().min(-1).optional(),
    states: TaskEnds,
  }),
  z.object({
    kind: z.literal("file"),
    path: z.string().startsWith("/").max(4_000),
    everyMs: z.int().min(1_000),
  }),
]).refine(
  (spec) => !("dagId" in spec) || (spec.runId === undefined) !== (spec.logicalDate === undefined),
  "give one of runId and logicalDate",
);
/** See {@link TriggerSpec}. */
export type TriggerSpec = z.infer<typeof TriggerSpec>;
/** One of the kinds. */
export type TriggerKind = TriggerSpec["kind"];

/** One field of the form that goes with a question. */
export const AskedParam = z.object({
  value: z.json().default(null).meta({ doc: "What it is when nobody says otherwise" }),
  description: z.string().max(1_000).nullable().default(null),
  schema: z.record(z.string(), z.json()).default({}).meta({ doc: "JSON Schema of its value" }),
});
/** See {@link AskedParam}. */
export type AskedParam = z.infer<typeof AskedParam>;

/** What a task asks a person. */
export const Question = z.object({
  subject: z.string().min(1).max(500),
  body: z.string().max(20_000).nullable().default(null),
  options: z.array(z.string().min(1).max(250)).min(1).max(100),
  defaults: z.array(z.string()).nullable().default(null).meta({
    doc: "Chosen when nobody answers in time",
  }),
  multiple: z.boolean().default(false),
  params: z.record(z.string(), AskedParam).default({}),
  assignees: z.array(z.string().min(1).max(250)).max(100).default([]).meta({
    doc: "Who may answer; empty: whoever has the permission",
  }),
}).superRefine((question, ctx) => {
  for (const problem of questionProblems(question)) ctx.addIssue(problem);
});
/** See {@link Question}. */
export type Question = z.infer<typeof Question>;

function questionProblems({ options, defaults, multiple }: {
  options: string[];
  defaults: string[] | null;
  multiple: boolean;
}): string[] {
  const problems: string[] = [];
  if (new Set(options).size < options.length) problems.push("its options must differ");
  const stranger = defaults?.find((each) => !options.includes(each));
  if (stranger !== undefined) problems.push(`the default "${stranger}" is none of its options`);
  if (defaults && !multiple && defaults.length > 1) {
    problems.push("it has several defaults, but only one option can be chosen");
  }
  return problems;
}

/** What became of a question. */
export const Reply = z.object({
  chosenOptions: z.array(z.string()),
  paramsInput: z.record(z.string(), z.json()),
  /** Null: nobody answered in time, and the defaults were taken. */
  by: z.string().nullable(),
});
/** See {@link Reply}. */
export type Reply = z.infer<typeof Reply>;

/** What the attempt after a wait is given. */
export const Resumption = z.object({
  event: z.json().meta({ doc: "What the trigger saw, or a person's reply; null after a timeout" }),
  data: z.json().meta({ doc: "What the task put aside when it deferred" }),
  timedOut: z.boolean(),
  onTimeout: z.enum(["fail", "resume"]),
});
/** See {@link Resumption}. */
export type Resumption = z.infer<typeof Resumption>;

/** What a parked task is resumed with unless something happens before its deadline. */
export function timeoutOf(
  parked: { data?: unknown; onTimeout: "fail" | "resume"; question?: Question },
): Resumption {
  const { data = null, onTimeout, question } = parked;
  const common = { data: data as Resumption["data"], timedOut: true };
  if (!question) return { ...common, event: null, onTimeout };
  if (!question.defaults) return { ...common, event: null, onTimeout: "fail" };
  const reply: Reply = {
    chosenOptions: question.defaults,
    paramsInput: defaultParams(question),
    by: null,
  };
  return { ...common, event: reply, onTimeout: "resume" };
}

/** The values of a form that nobody filled in. */
export function defaultParams({ params }: Pick<Question, "params">): Reply["paramsInput"] {
  return Object.fromEntries(Object.entries(params).map(([name, { value }]) => [name, value]));
}
